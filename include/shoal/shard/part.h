/*
 * part.h - what one shard does for a plan: takes its keys, checks, runs its commands, answers.
 *
 * A part is one message to one shard, made by the plan's reactor and sent once for each round. It
 * holds the shard's commands in order (struct op) and, when it comes home, the values they gave.
 */
#ifndef SHOAL_SHARD_PART_H
#define SHOAL_SHARD_PART_H

#include "shoal/cmd/combine.h"
#include "shoal/cmd/command.h"
#include "shoal/conn/reply_ref.h"
#include "shoal/mesh/message.h"

enum {
    PART_BYTES_INLINE = 256,
    PART_MARKS_INLINE = 16,
};

struct plan;
struct undo;
struct waiter;

/* Runs on every reactor for commands about the server itself (CLIENT LIST); writes elements, each
 * with reply_mark(). */
typedef void (*control_fn)(struct reactor *here, void *context, struct reply *reply);

/* A command over several shards by ROUTE_COMBINE: which part of it an op is. */
enum op_half { HALF_NONE, HALF_FETCH, HALF_STORE };

/* One command on one shard. */
struct op {
    const struct command *command; /* NULL: `control` */
    struct args args;
    uint32_t *keys; /* EACH routes, HALF_FETCH: argument indices of this shard's keys; else NULL */
    uint32_t key_count;
    uint32_t marks; /* out: elements written so far by the part when this was done */
    uint32_t step;  /* whose value it is part of */
    uint8_t db;
    bool native;       /* its value travels in the native encoding, to be merged with others */
    bool checked;      /* `command->check` decides whether it and its like on other shards run */
    uint8_t half;      /* enum op_half */
    bool stored;       /* HALF_STORE, out: the sources may go */
    size_t fetched_at; /* HALF_FETCH, out: where the values are in the part's reply */
    struct operand
        *operands; /* HALF_STORE, in; those of other shards lie in their parts' replies */
    uint32_t operand_count;
    struct span *spans; /* own argument list (ATOMIC); else NULL */
    uint64_t hash;      /* of the first key */
    uint64_t ticks;     /* out */
    char error_code
        [REPLY_ERROR_CODE_MAX]; /* out: first word of the error it has replied; "": none */
    control_fn control;
    void *context;
};

enum part_phase {
    PART_RUN_ALONE, /* all of it in one message */
    PART_LOCK,
    PART_RUN,
    PART_SETTLE, /* what has run stands, or is undone */
};

struct watched_key {
    struct watched_key *next;
    struct message give_back; /* to its shard and home again, to be freed */
    struct watch_mark mark;
    bool registered; /* the shard has given a mark */
    uint8_t db;
    uint32_t shard;
    uint64_t hash;
    uint32_t size;
    char name[];
};

enum { PART_MAGIC = 0x70617274 };

struct part {
    struct message message;
    uint32_t magic; /* PART_MAGIC from its making to its end */
    struct plan *plan;
    const void *caller; /* names whose pipeline it belongs to; compared, never followed */
    struct op *ops;
    uint32_t op_count, op_capacity;
    uint32_t op_from, op_until; /* of this round */
    uint8_t phase;
    uint8_t proto;
    bool check;      /* end this round with the check of ops[op_until] */
    bool release;    /* give the keys back after this round */
    bool abandon;    /* run nothing, only release */
    bool skip_first; /* the round begins with a checked op that must not run */
    bool last;       /* this round runs the last ops: the values go home with it */
    bool undoable;   /* what it changes can be undone, since it may fail later, here or elsewhere */
    bool undo_all;   /* PART_SETTLE, in: undo it */
    bool ok;         /* out: checks passed, the value is put */
    bool lost;       /* out: memory was out, and the plan fails */
    bool refused;    /* out: the shard has no room for what it would add, and the plan fails */
    bool lock_all;   /* the whole shard */
    uint64_t *names; /* key_queues_name() of its keys */
    uint32_t name_count, name_capacity;
    struct watched_key **watched; /* keys to check before anything else */
    uint32_t watched_count;

    /* the shard's while it works on it */
    struct waiter *waiter;
    struct undo *undo;
    uint64_t reserved; /* bytes of room, of PART_LOCK */
    int64_t now_ms;    /* the time of all its rounds: when it was granted its keys */
    struct reply reply;

    /* the values, valid at home when done */
    struct reply_ref *ref; /* or, when small: */
    uint32_t size, mark_count, marks_inline[PART_MARKS_INLINE];
    char bytes[PART_BYTES_INLINE];
    uint32_t op_cursor, cursor; /* ops and elements taken by the merge */
};

/* The part that a message is. Thread: any that has the message. */
static inline struct part *part_of(struct message *message)
{
    struct part *part = (struct part *)message;
    must(part->magic == PART_MAGIC);
    return part;
}

/* Thread: the shard, for all below. */

/* A round has arrived: takes the keys, or runs at once or when the keys are free. */
void part_run(struct reactor *here, struct message *message);

/* Runs the round and answers it; gives the keys back with the last one. */
void part_execute(struct reactor *here, struct part *part);

/* The keys it waited for are its own now. */
void part_granted(struct reactor *here, struct part *part);

/* There was no memory to have it wait for its keys: the plan fails. */
void part_lost(struct reactor *here, struct part *part);

#endif
