/*
 * broadcast.h - one order to every reactor, and what is done when all have carried it out.
 *
 * A broadcast is made once and may be sent again after its end. Its maker frees it, in done() at
 * the earliest.
 */
#ifndef SHOAL_MESH_BROADCAST_H
#define SHOAL_MESH_BROADCAST_H

#include "shoal/mesh/message.h"

struct broadcast;

/* On each reactor. It must not keep the broadcast. */
typedef void (*broadcast_run_fn)(struct reactor *here, struct broadcast *broadcast);
/* Back home, after the last. It may free the broadcast. */
typedef void (*broadcast_done_fn)(struct reactor *home, struct broadcast *broadcast);

struct broadcast_message {
    struct message message;
    struct broadcast *of;
};

struct broadcast {
    broadcast_run_fn run;
    broadcast_done_fn done; /* NULL: nothing */
    void *context;          /* the sender's */
    uint64_t number;        /* the sender's */
    uint32_t reactors;
    uint32_t outstanding; /* not back yet; 0: it is not under way */
    struct broadcast_message to[];
};

/* NULL when memory is out. Thread: any. */
struct broadcast *broadcast_new(uint32_t reactors, broadcast_run_fn run, broadcast_done_fn done);

/* Sends it to the other reactors and then to ourselves. Not while it is under way. Thread:
 * owner. */
void broadcast_send(struct reactor *here, struct broadcast *broadcast);

#endif
