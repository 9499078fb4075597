/*
 * conn.h - one client's connection, on the reactor that owns it.
 *
 * It lives until its descriptor has no operation in flight and every request of it has been
 * answered, so that requests may point at it without counting.
 */
#ifndef SHOAL_CONN_CONN_H
#define SHOAL_CONN_CONN_H

#include "shoal/base/bound.h"
#include "shoal/base/list.h"
#include "shoal/conn/attachment.h"
#include "shoal/conn/budget.h"
#include "shoal/conn/input.h"
#include "shoal/conn/out.h"
#include "shoal/conn/request.h"
#include "shoal/conn/transport.h"
#include "shoal/net/ring.h"
#include "shoal/proto/decode.h"

enum {
    CONN_REQUESTS_MAX = BOUND(1024, 3),       /* unanswered; above it, it stops parsing */
    CONN_INPUT_SOFT = BOUND(64 * 1024, 256),  /* unparsed and stalled; above: stops receiving */
    CONN_OUT_SOFT = BOUND(1024 * 1024, 4096), /* unsent; above: stops parsing until half is gone */
    CONN_HOLD_MAX = BOUND(16 * 1024, 256), /* replies held back for a forwarded one before them */
    CONN_UNAUTH_INPUT_MAX = 1024 * 1024,
    /* receive size in large-request mode; it keeps what a waiting connection can hoard small */
    CONN_PORTION = BOUND(8 * 1024, 256),
    CONN_HELPING = BOUND(32 * 1024, 256), /* receive size where buffers are short: one of them */
    /* consecutive receives without a large request that end the mode */
    CONN_PORTIONS_MIN = BOUND(64, 2),
    /* how long a closing connection waits for the kernel to deliver its last replies */
    CONN_LINGER_MS = 2000,
    CONN_NAME_MAX = 256,
};

enum conn_flag {
    /* any of these takes a command off the fast path */
    CONN_UNAUTHENTICATED = 1 << 0,
    CONN_MULTI = 1 << 1,
    CONN_REPLY_OFF = 1 << 2,
    CONN_REPLY_SKIP = 1 << 3, /* the next command's reply is dropped */
    CONN_SUBSCRIBED = 1 << 4, /* to a channel or a pattern: in RESP2 few commands are allowed */
    CONN_SPECIAL = (1 << 8) - 1,

    CONN_MULTI_FAILED = 1 << 8, /* a command was refused while queueing: EXEC aborts */
    CONN_CLOSING = 1 << 9,      /* no more requests; close when all is answered and sent */
    CONN_DEAD = 1 << 10,        /* broken or killed: send nothing more */
    CONN_EOF = 1 << 11,         /* the client will send nothing more */
    CONN_STALLED = 1 << 12,     /* on the reactor's stalled list */
    CONN_FLUSHING = 1 << 13,    /* on the reactor's flush list */
    /* on the reactor's starved list: its receive ended for want of buffers, or others' did */
    CONN_STARVED = 1 << 14,
    CONN_RECV_PAUSED = 1 << 15, /* its receive was cancelled until it catches up */
    CONN_UNIX = 1 << 16,
    CONN_NO_EVICT = 1 << 17,
    CONN_NO_TOUCH = 1 << 18,
    /* the last request has not been started: it waits for those before it, or for a pause to end */
    CONN_HELD = 1 << 19,
    CONN_REAPING = 1 << 20, /* on the reactor's list of those to be closed or freed */
    /* its only request is a transaction over several shards, or may wait for something: none may
     * overtake it */
    CONN_ALONE = 1 << 21,
    /* sends large requests: read by small portions and straight to where they are assembled */
    CONN_BULKY = 1 << 22,
    /* what it has to send stays here until something is so that the client may rely on */
    CONN_OUT_HELD = 1 << 23,
    CONN_PAUSED = 1 << 24,    /* held by CLIENT PAUSE, and counted as blocked */
    CONN_FED = 1 << 25,       /* conns_feed() has let it receive, and it has got nothing since */
    CONN_TRANSPORT = 1 << 27, /* conn->transport is not NULL */
    CONN_PARKED = 1 << 26,    /* its only request waits on a shard for something to happen */
};

/*
 * Why a connection does not take on its next request. Bytes that arrive meanwhile are kept, up to
 * CONN_INPUT_SOFT; from there on it is not received either (CONN_RECV_PAUSED). CONN_REQUESTS_MAX
 * and CONN_OUT_SOFT hold while the budget is easy; backpressure.limits has them as they are now.
 *
 *   reason              since                                  until
 *   CONN_WAIT_TURN      a barrier, or CLIENT PAUSE             those before it are answered, or the
 *                       (CONN_HELD)                            pause is over: conn_ops_resume()
 *   CONN_WAIT_PLAN      its transaction over several shards    answer_advance() has sent its reply
 *                       is under way (CONN_ALONE)
 *                       or its command may wait for            it is answered; while it is parked
 *                       something (also CONN_ALONE)            (parked.h) it stands on no list
 *   CONN_WAIT_QUEUE     the queue to a shard is full, or it    mesh_congested() or
 *                       has published more than the shard      mesh_push_congested() says no: asked
 *                       has taken (congested)                  each turn, by conns_retry()
 *   CONN_WAIT_ANSWERS   CONN_REQUESTS_MAX are unanswered       some are answered; the same
 *   CONN_WAIT_READER    CONN_OUT_SOFT bytes are not sent       half of them is; the same
 *                       (throttled)
 *   CONN_WAIT_END       it is closing or dead                  it is reaped: there is no next one
 *
 * Two reasons stop the receiving alone, in the middle of a request:
 *
 *   conn_is_waiting()   there is no room for it in the budget  backpressure_relieve() grants it
 *   CONN_STARVED        there was no receive buffer, or it     conns_feed() has one for it
 *                       has had one and others have not
 */
enum conn_wait {
    CONN_GOES_ON,
    CONN_WAIT_TURN,
    CONN_WAIT_PLAN,
    CONN_WAIT_QUEUE,
    CONN_WAIT_ANSWERS,
    CONN_WAIT_READER,
    CONN_WAIT_END,
};

enum { CONGESTED_BY_PUSHES = 1 << 31 };

struct transaction; /* MULTI and WATCH, see route/multi.h */

struct conn {
    struct io_op recv;
    struct out out;
    struct reactor *reactor;
    int fd;
    uint32_t flags;
    uint8_t proto; /* enum proto */
    uint8_t db;
    uint64_t id;

    LIST_OF(struct request) unanswered; /* in order of arrival */
    uint32_t requests;

    LIST_OF(struct push) pushes; /* that cannot go behind `out` yet, see push.h */
    size_t push_bytes;           /* of them */

    struct input *input;      /* NULL: none */
    size_t input_at;          /* parsed up to here */
    struct decoder *partial;  /* progress in an incomplete request; NULL: none */
    struct reservation claim; /* room for it */
    uint32_t pending;         /* in line: so much was in the kernel's buffer, less than its rest */
    uint32_t portions;        /* received since the last large request */

    struct conn *prev, *next;    /* the reactor's connections */
    struct conn *next_by_id;     /* see conn_by_id() */
    struct transport *transport; /* NULL: plain */
    struct conn *next_flush, *next_stalled, *next_reaping, *next_starved;
    /* 1 + the reactor whose queue was full, and CONGESTED_BY_PUSHES if it was that of pushes; 0: none
     * was */
    uint32_t congested;
    bool throttled; /* stopped at CONN_OUT_SOFT, until half is sent */

    struct attachment *attached;     /* what rooms above keep of it */
    struct transaction *transaction; /* NULL: none */
    size_t queued_bytes;             /* of it: what MULTI has queued */
    const struct command *last_command;
    int64_t created_ms, active_ms;
    int64_t linger_until_ms; /* all is sent, some is still on its way; 0: not so */
    uint64_t held_since_ns;  /* replies have been held back since; 0: they are not */
    /* replies, and pushes, above their soft limits since; 0: they are not */
    int64_t soft_limit_since_ms, push_soft_limit_since_ms;
    uint64_t bytes_in, bytes_out, commands;
    uint64_t moved; /* bytes in and out when it last moved enough, see backpressure.h */
    int64_t moved_ms;
    char *name, *lib_name, *lib_version;
};

/* It is not read until there is room for its request, see backpressure.h. */
static inline bool conn_is_waiting(const struct conn *conn)
{
    return conn->claim.needed > 0;
}

/* Takes over a connected descriptor. Thread: owner, as all here. */
void conn_open(struct reactor *reactor, int fd, bool unix_socket);

/* Ends it now: what is unsent is lost. Safe at any time; the memory goes when nothing refers to
 * it. */
void conn_kill(struct conn *conn);

/* No more requests; closes when all before is answered and sent. */
void conn_close_later(struct conn *conn);

/* At the end of the turn: closes it if it has nothing left to do, frees it (true) if nothing refers
 * to it any more. */
void conn_reap_later(struct conn *conn);
bool conn_reap(struct conn *conn);
/* Has a closing connection that lingers looked at again. */
void conn_linger_check(struct conn *conn);

/* Has its replies sent at the end of the turn. */
void conn_flush_later(struct conn *conn);
/* Sends what there is. */
void conn_flush(struct conn *conn);

/* All that it receives and sends goes through the transport from now on; nothing has so far. */
void conn_use_transport(struct conn *conn, struct transport *transport);
/* For a transport: so much of what the connection has to send has gone. */
void conn_sent(struct conn *conn, size_t size);
/* For a transport: a send has failed. */
void conn_send_failed(struct conn *conn, int result);

/* Sends nothing until conn_let_out(), which whoever holds it must call, and soon. */
void conn_hold_out(struct conn *conn);
void conn_let_out(struct conn *conn);

/* Puts it on the list of those to be tried again each turn. */
void conn_stall(struct conn *conn);

/* Receives again after a pause or starvation, if it should. */
void conn_recv_again(struct conn *conn);

/* Why it may not take on another request, if so. */
enum conn_wait conn_wait(struct conn *conn);
static inline bool conn_is_blocked(struct conn *conn)
{
    return conn_wait(conn) != CONN_GOES_ON;
}

/* It has published so much to this reactor that it takes on nothing more until some has been
 * taken. */
void conn_wait_for_pushes(struct conn *conn, uint32_t reactor);

/* Has it received in portions: it sends large requests, or there is little room. */
void conn_be_bulky(struct conn *conn);

#endif
