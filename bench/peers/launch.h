/*
 * launch.h - servers that the harness starts and stops itself, from command templates.
 *
 *   "name=command line" or "name:protocol=command line", with {port}, {socket} and {shards} filled
 * in.
 *
 * The command is split at spaces (quotes group) and run without a shell. A server that mentions
 * {port} is reached by TCP, one that mentions {socket} by its Unix socket. Thread: main.
 */
#ifndef BENCH_LAUNCH_H
#define BENCH_LAUNCH_H

#include <sys/types.h>

#include "load/load.h"

struct launched {
    char name[32];
    char version[VERSION_MAX]; /* memcached's, "" of others */
    pid_t pid;                 /* 0: not running */
    int port, shards;
    char socket[104], log[160];
    bool has_port, has_socket;
    const struct protocol *protocol;
};

/* Starts a server, pinned to `cpus` ("0,2-3", NULL: anywhere), its output into a file in
 * `directory`, and waits until it answers. False, with the reason in error[256]; then nothing is
 * left running. */
bool launch_start(struct launched *server, const char *spec, int port, int shards, const char *cpus,
                  const char *directory, char *error);

/* Stops it: SIGTERM, and SIGKILL when that does not help within five seconds. Removes its log
 * unless somebody should read it. */
void launch_stop(struct launched *server, bool keep_log);

/* Halts and continues all its threads, so that servers that are not measured cost nothing. */
void launch_pause(const struct launched *server, bool pause);

/* Whether `spec` is "name=..." of at most 31 characters; the name goes to name[32]. */
bool launch_name(const char *spec, char *name);

/* A TCP port nobody listens on. */
int launch_free_port(void);

#endif
