/*
 * message.h - a piece of work that one reactor hands to another and gets back.
 *
 * The reactor that makes a message also destroys it: it travels to `to`, whose run() does
 * the work and, at once or later, calls mesh_respond(); then done() runs at home. A one-way message
 * is instead destroyed by run() at its destination (which is where it was made: see
 * conn/reply_ref.h).
 */
#ifndef SHOAL_MESH_MESSAGE_H
#define SHOAL_MESH_MESSAGE_H

#include "shoal/base/must.h"

#include <stdbool.h>
#include <stdint.h>

struct reactor;
struct message;

enum message_kind {
    MESSAGE_COMMAND, /* a struct request: run in prefetch groups; run and done are not called */
    MESSAGE_CALL,    /* run() there, done() here */
    MESSAGE_ONEWAY,  /* run() there, which frees it; no response, no credit */
    MESSAGE_PUSH,    /* a struct push_message, as MESSAGE_CALL, but it touches no shard */
};

enum { MESSAGE_MAGIC = 0x6d67 };

typedef void (*message_fn)(struct reactor *here, struct message *message);

/* Whose command it is, for one that the shard may keep waiting: no connection has the same id, and
 * no two of its commands the same number. All zero: it must be answered at once. */
struct caller {
    uint64_t client;
    uint64_t number;
};

struct message {
    union {
        struct {
            message_fn run;  /* at `to` */
            message_fn done; /* at `from` */
        };
        struct caller caller; /* of a command */
    };
    struct message *next; /* in whatever list holds it on one thread */
    uint16_t from, to;
    uint8_t kind;
    /* overtakes what waits for credit: second rounds of transactions, whose lock others wait for */
    bool urgent;
    uint16_t magic; /* MESSAGE_MAGIC while it exists: looked at before each push, after each pop */
};

/*
 * Something for connections of `to` that none of its requests asked for. Its run() leaves the shard
 * alone, so that it need not wait for commands that are being gathered there, and takes nothing of
 * the message with it: it goes home at once.
 */
struct push_message {
    struct message message;
    uint32_t bytes; /* all that it takes, see mesh_push() */
    uint32_t after; /* `ordered`: it is not run before so many responses of its sender are taken */
    bool ordered;
};

/* One that is not made yet, or is gone, must not travel. */
static inline void message_check(const struct message *message)
{
    must(message->magic == MESSAGE_MAGIC);
}

#endif
