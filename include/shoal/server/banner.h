/*
 * banner.h - the lines at start-up: what runs, with what, and what could be better. Thread: main.
 */
#ifndef SHOAL_SERVER_BANNER_H
#define SHOAL_SERVER_BANNER_H

struct server;

/* Version and libraries; I/O engine; shards, CPUs and limits; warnings. */
void banner_print(const struct server *server);

/* The addresses it listens on. */
void banner_print_listeners(const struct server *server);

/* That it accepts connections: a line in which tools find what they wait for. */
void banner_print_ready(void);

#endif
