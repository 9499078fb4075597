/*
 * move.h - RENAME, RENAMENX and COPY: a value goes from one key to another, perhaps on another
 * shard.
 *
 * On one shard the handler does all of it. Over two shards the plan does the same by halves, in one
 * transaction: the source says what the value is, the destination whether it may be written, and
 * then both act.
 */
#ifndef SHOAL_CMD_GENERIC_MOVE_H
#define SHOAL_CMD_GENERIC_MOVE_H

#include "shoal/cmd/command.h"

/* What is asked for: args[1] to args[2]. */
struct move {
    uint8_t from_db, to_db;
    bool only_new;    /* not if the destination exists */
    bool keep_source; /* COPY */
    bool counts;      /* answers 1 or 0, not OK */
};

/* Reads the command's arguments. False: they are wrong, and the handler replies the error.
 * Thread: any. */
bool move_parse(const struct command *command, const struct args *args, uint8_t db,
                const struct limits *limits, struct move *move);

/* At the source: writes the deadline as an integer and the value as a string. False: there is no
 * value, and nothing is written. Thread: owner. */
bool move_take(struct exec *exec, const struct move *move);
/* At the destination: may it be written? Thread: owner. */
bool move_may_put(struct exec *exec, const struct move *move);
/* At the destination: stores the value with the source's deadline, 0 = none. False: memory is out.
 * Thread: owner. */
bool move_put(struct exec *exec, const struct move *move, struct bytes value, int64_t expire_ms);
/* At the source: deletes the key, unless the command is COPY. Thread: owner. */
void move_drop(struct exec *exec, const struct move *move);

/* The command's reply: `found` says that the source had a value, `put` that it was stored.
 * Thread: any. */
void move_reply(struct reply *reply, const struct move *move, bool found, bool put);

#endif
