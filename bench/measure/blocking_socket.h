/*
 * blocking_socket.h - blocking connections and the few questions asked on them outside of a run.
 */
#ifndef BENCH_BLOCKING_SOCKET_H
#define BENCH_BLOCKING_SOCKET_H

#include <sys/types.h>

#include "load/load.h"

/* A connected socket (TCP without Nagle, or Unix), or -errno. Thread: any. */
int socket_open(const struct target *target);

/* socket_open() and, if the target asks for them, HELLO, AUTH and SELECT. -errno; -EPERM when the
 * server refuses, with what it said in error[256]. Thread: any. */
int socket_login(const struct target *target, char *error);

/* Whether the other end is on this machine, so that its pid means something here. */
bool socket_is_local(int fd);

/* The server's pid by SO_PEERCRED (Unix sockets), 0 if unknown. */
pid_t socket_peer_pid(int fd);

struct answer {
    enum reply_kind kind;
    char *text; /* zero-terminated, owned; empty for kinds without text */
};

/* Sends one command and waits for its reply. False when the connection fails or the protocol has no
 * such command; otherwise free the answer with answer_fini(). Thread: any. */
bool socket_ask(int fd, const struct protocol *protocol, const char *command,
                struct answer *answer);
void answer_fini(struct answer *answer);

/* The number after "field:", "field=" or "STAT field " in an INFO-like text; false if absent. */
bool answer_number(const char *text, const char *field, long *out);

#endif
