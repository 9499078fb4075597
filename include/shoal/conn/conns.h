/*
 * conns.h - the connections of one reactor, and what they share.
 *
 * A connection that needs a look later in the turn stands on one list for each reason:
 *
 *   flush     it has replies to send                      conns_flush(), once a turn
 *   stalled   it could not go on: a full queue, a pause   conns_retry(), up to a few times a turn
 *   starved   receive buffers are short                   conns_feed(), as buffers come back
 *   reaping   it is to be closed, or freed                conns_reap(), at the end of the turn
 *
 * Thread: owner, for all of it.
 */
#ifndef SHOAL_CONN_CONNS_H
#define SHOAL_CONN_CONNS_H

#include "shoal/base/list.h"
#include "shoal/conn/backpressure.h"
#include "shoal/conn/budget.h"
#include "shoal/conn/out.h"
#include "shoal/proto/decode.h"

struct conn;
struct reactor;
struct request;

/* Requests that are not in use, and how many there are. */
struct request_pool {
    struct request *free;
    uint32_t free_count;
    uint32_t count; /* in the pool or in use */
};

struct conns {
    struct reactor *reactor;
    struct conn *first; /* all of them */
    uint32_t count;
    struct conn **by_id; /* `by_id_size` chains, a power of two; NULL: none has come */
    uint32_t by_id_size;
    struct conn *writing; /* its reply is being written by a home command; NULL: none is */
    struct conn *flush_first, *stalled_first, *reaping_first;
    LIST_OF(struct conn) starved; /* first come, first served; but those first that got nothing */
    uint64_t starved_turn;        /* of the ring: when one found no buffer last */
    /* Replies that are held back go then at the latest; 0: none are. Not 0 only while flush_first is
     * not NULL: conns_flush(), which renews it, is called for that alone. */
    uint64_t hold_until_ns;
    uint32_t lingering;       /* closing ones whose last replies are on their way */
    struct timer linger_look; /* ... are looked at again */
    struct chunk_pool chunks;
    struct budget budget;
    struct backpressure backpressure;
    struct request_pool requests;
    struct decode_limits limits;
    struct decoder decoder; /* of requests that arrive whole */
    uint64_t next_id;
};

/* `reactor` is kept; its ring and settings are there. */
void conns_init(struct conns *conns, struct reactor *reactor);
/* Frees the pools. Every connection is gone, or the process is about to be. */
void conns_fini(struct conns *conns);

/* The reactor's connection with this id; NULL: it is gone, or dead. An id never comes again. */
struct conn *conn_by_id(struct reactor *reactor, uint64_t id);
/* conn_open() and its end: it is one of them from here on, or no longer. False: memory is out. */
bool conns_enter(struct conns *conns, struct conn *conn);
void conns_leave(struct conns *conns, struct conn *conn);

/* Takes over what the reactor's settings say of requests. */
void conns_use_settings(struct conns *conns);

/* Tries those again that could not go on; returns how many could. */
uint32_t conns_retry(struct conns *conns);
/* Receives again for those that wait for a buffer, as far as there are some: each gets one. */
void conns_feed(struct conns *conns);
/* Sends replies, or holds them back for a moment. */
void conns_flush(struct conns *conns);
/* Closes and frees those that have nothing left to do. */
void conns_reap(struct conns *conns);

/* Closes those that have been idle for longer than `limit_ms`. */
void conns_close_idle(struct conns *conns, int64_t limit_ms);
/* One lingers from now on, and is looked at every few milliseconds. */
void conns_linger(struct conns *conns);

/* All that they take, in bytes. */
uint64_t conns_bytes(const struct conns *conns);

#endif
