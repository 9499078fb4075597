/*
 * move.h - RENAME, RENAMENX and COPY: a value goes from one key to another, perhaps on another
 * shard.
 *
 * On one shard the handler does it. Over two shards the server does the same in one transaction, by
 * halves: the source says what the value is, the destination whether it may be written, and then
 * both act.
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

/* Reads the command's arguments; false: they are not good, which is the handler's to say. Thread:
 * any. */
bool move_parse(const struct command *command, const struct args *args, uint8_t db,
                struct move *move);

/* At the source: writes the expiry as an integer and the value as a string; false: there is no
 * value. Thread: owner. */
bool move_take(struct exec *exec, const struct move *move);
/* At the destination: may it be written? Thread: owner. */
bool move_may_put(struct exec *exec, const struct move *move);
/* At the destination; `expire_ms` is the source's, 0 = none. False: memory is out. Thread:
 * owner. */
bool move_put(struct exec *exec, const struct move *move, struct bytes value, int64_t expire_ms);
/* At the source, when the value has gone. Thread: owner. */
void move_drop(struct exec *exec, const struct move *move);

/* The command's answer: `found` says that there was a value, `put` that it has gone over. Thread:
 * any. */
void move_reply(struct reply *reply, const struct move *move, bool found, bool put);

#endif
