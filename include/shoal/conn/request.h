/*
 * request.h - one command on its way: made by the connection's reactor, run by the key's.
 *
 * Four cache lines. A command that stays at home touches them while they are hot; one that is
 * forwarded costs the owner two lines to read and one to write.
 *
 *   line 0   what to do            written by the origin
 *   line 1   where its arguments are
 *   line 2   the answer            written by the owner
 *   line 3   bookkeeping           the origin's alone
 */
#ifndef SHOAL_CONN_REQUEST_H
#define SHOAL_CONN_REQUEST_H

#include <assert.h>

#include "shoal/base/bound.h"
#include "shoal/cmd/command.h"
#include "shoal/conn/reply_ref.h"
#include "shoal/mesh/message.h"

enum {
    REQUEST_SPANS_INLINE = 7,
    ANSWER_INLINE = 40, /* encoded bytes that travel in the request */
    /* through the pair's reply space; above, a reply reference */
    ANSWER_COPY_MAX = BOUND(16384, 512),
};

enum answer_place {
    ANSWER_NONE,
    ANSWER_IN_REQUEST, /* answer.bytes */
    ANSWER_IN_SPACE,   /* answer.data, in the owner's reply space: copy before mesh_release() */
    ANSWER_IN_HEAP,    /* answer.data, malloc'ed at home */
    ANSWER_IN_REF,     /* answer.ref */
    ANSWER_PARKED,     /* there is none yet, see conn/parked.h: answer.cancel */
};

struct answer {
    uint32_t size;
    uint8_t place;
    bool failed;    /* it is an error: its code is the first word */
    uint64_t ticks; /* cycles that the command took */
    union {
        char *data;
        struct reply_ref *ref;
        message_fn cancel; /* to be run by the shard if the client has gone */
    };
    char bytes[ANSWER_INLINE];
};

static_assert(sizeof(struct answer) == 64, "an answer is one cache line");

enum request_flag {
    REQUEST_SILENT = 1, /* CLIENT REPLY OFF or SKIP: run, say nothing */
    REQUEST_CLOSES = 2, /* the connection closes once this is answered */
    REQUEST_DONE = 4,   /* answered, waiting for those before it */
    REQUEST_PUSHES = 8, /* some pushes wait until its answer is sent */
    REQUEST_ALONE = 16, /* those behind it wait until it is answered (CMD_MAY_PARK) */
};

struct request {
    _Alignas(64) struct message message;
    const struct command *command;
    const char *base;
    uint64_t hash;
    uint32_t argc;
    uint8_t db;
    uint8_t proto;
    uint8_t flags; /* the origin's */

    _Alignas(64) const struct span *args; /* `spans`, or a heap block */
    struct span spans[REQUEST_SPANS_INLINE];

    _Alignas(64) struct answer answer;

    _Alignas(64) struct conn *conn;
    struct request *next; /* the connection's next, in order of arrival */
    struct input *input;  /* what `base` points into: a heap buffer, or ... */
    struct plan *plan;    /* set while several shards, or none, work on it */
    uint32_t buffer;      /* ... a receive buffer of the ring; NO_BUFFER if neither */
};

static_assert(sizeof(struct request) == 4 * 64, "see the lines above");

enum { NO_BUFFER = UINT32_MAX };

/* What is counted for a request that could not be parsed, or did not get to run. */
extern const struct command command_unparsed;

/* A request of this connection, not in its queue yet; NULL when memory is out. Thread: owner of the
 * connection, as below. */
struct request *request_new(struct conn *conn);

/* Puts it at the end of the connection's queue. */
void request_append(struct conn *conn, struct request *request);

/* Gives back the memory of its arguments, which nobody needs any more. */
void request_forget_args(struct reactor *reactor, struct request *request);

/* Gives back its arguments' memory and itself. Not in the queue any more. */
void request_free(struct reactor *reactor, struct request *request);

static inline struct args request_args(const struct request *request)
{
    return (struct args){ .base = request->base, .v = request->args, .count = request->argc };
}

static inline struct request *request_of(struct message *message)
{
    must(message->kind == MESSAGE_COMMAND);
    return (struct request *)message;
}

#endif
