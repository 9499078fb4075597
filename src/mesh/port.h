/*
 * port.h - what one reactor keeps of the queues. Private to src/mesh.
 */
#ifndef SHOAL_SRC_MESH_PORT_H
#define SHOAL_SRC_MESH_PORT_H

#include "shoal/mesh/lanes.h"
#include "shoal/mesh/mesh.h"

/* Messages that wait here: a type with a name, so that functions can be given one. */
struct waiting {
    struct message *first, *last;
};

/*
 * Reply bytes to one peer, a ring of their own. Responses are taken in order, so what was written
 * for the first n of them is free once the response ring says that n have been released.
 */
struct reply_space {
    char *data;
    uint32_t begin, end; /* bytes in use: [begin, end), both counting on for ever, modulo 2^32 */
    uint32_t freed;      /* responses whose bytes are counted as free */
    uint32_t *end_after; /* `end` after response i, by i modulo the ring's size */
};

/* Our side of one peer. */
struct lane {
    struct spsc *requests_out, *responses_out; /* we produce */
    struct spsc *requests_in, *responses_in;   /* we consume */
    uint32_t credits;
    bool dirty;
    struct waiting backlog, urgent, pushes;
    uint64_t push_bytes;    /* of pushes that are not back yet */
    struct waiting held;    /* pushes of the peer, until its responses before them are taken */
    struct waiting answers; /* responses for which there was no memory to make a ring */
    struct reply_space space;
};

/* One direction of what we consume. */
struct intake {
    struct lane_set ready; /* lanes that may have something */
    struct lane_set seen;  /* lanes that were looked at this turn: their slots are given back */
    struct spsc *ring;     /* being drained; NULL: the next one is to be chosen */
    uint32_t source;       /* whose that is */
};

struct mesh_port {
    struct mesh *mesh;
    uint32_t self;
    uint32_t push_reserve; /* credits to a reactor that pushes leave to the others */
    struct intake requests, responses;
    struct lane_set round;     /* sources that have not had their turn in this round */
    uint32_t start;            /* source that is first this turn */
    uint32_t from_source;      /* requests taken from the source this time, */
    uint32_t taken;            /* and in all this turn */
    uint32_t turn_looks;       /* lanes looked at in this turn, */
    uint64_t looks;            /* and in those before, since mesh_looks() */
    bool has_looked;           /* in this turn, at who has sent requests */
    struct arrivals *arrivals; /* our own */
    struct lane_set waiting;   /* lanes that may have something in a backlog */
    uint32_t backlogged;       /* messages in all backlogs */
    struct lane_set holding;   /* lanes with pushes that wait for responses */
    uint32_t push_source;      /* whose are looked at next */
    uint32_t space_bytes;      /* reply space of a pair, a power of two */
    uint32_t dirty_count;
    uint16_t *dirty;
    struct waiting own; /* answered calls to ourselves */
    struct lane lane[];
};

static inline bool lane_has_credit_for_push(const struct mesh_port *port, const struct lane *lane)
{
    return lane->credits > port->push_reserve;
}

#endif
