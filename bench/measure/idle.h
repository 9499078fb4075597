/*
 * idle.h - holds connections open and does nothing, to see what that costs the server. Thread:
 * main.
 */
#ifndef BENCH_IDLE_H
#define BENCH_IDLE_H

#include "load/load.h"

/* Opens all clients, waits --seconds (or for Ctrl-C), prints the server's CPU share and memory per
 * connection. Returns the exit code. */
int idle_hold(const struct load *load);

#endif
