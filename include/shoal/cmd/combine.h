/*
 * combine.h - commands that make one value of those of several keys, wherever these are: RENAME,
 * COPY, BITOP, LCS.
 *
 * On one shard `shard` of the row does all of it. Over several, in one transaction, the shards of
 * the sources say what their values are (fetch), and the shard of the destination is given all of
 * them and does the rest (store). Its function cannot tell which were on its own shard. A command
 * that moves its source drops it then.
 *
 *   fetch   source shards ──values──► origin
 *   store   origin ──values──► destination   ──reply──► origin
 *   drop    origin ──► source shards
 */
#ifndef SHOAL_CMD_COMBINE_H
#define SHOAL_CMD_COMBINE_H

#include "shoal/cmd/command.h"

/* The value of one source. Borrowed for the call it is given to. */
struct operand {
    bool exists;
    bool shipped;       /* from another shard; else the destination's shard looks it up */
    bool resized;       /* see item_resized() */
    uint8_t type;       /* enum value_type */
    int64_t expire_ms;  /* 0 = never */
    struct bytes value; /* of a string */
    char scratch[INT64_TEXT_MAX];
};

struct combine {
    uint8_t destination;              /* the argument whose shard stores, or does the work */
    int8_t first_source, last_source; /* arguments; -1: the last one */
    bool drops;                       /* the sources go when something was stored */
    /* False: the arguments are wrong, and `shard` of the row replies the error. Thread: any. */
    bool (*good)(const struct command *command, const struct args *args, uint8_t db,
                 const struct limits *limits);
    /* At the destination: replies the command's value. `operands` are in the order of the sources.
     * False: nothing was stored. Thread: owner. */
    bool (*store)(struct exec *exec, const struct operand *operands, uint32_t count);
};

/* At a source's shard: writes the value of the key at `index` in the native encoding. Thread:
 * owner. */
void combine_fetch(struct exec *exec, uint32_t index);

/* What combine_fetch() has written at base[at]: reads it as an operand, whose value is in there or
 * in a pin. Returns where the next one is. Thread: any that has the reply. */
size_t combine_read(const struct reply *reply, size_t at, struct operand *operand);

/* At the destination: looks up the operands that were not shipped, and stores. Thread: owner. */
bool combine_store(struct exec *exec, struct operand *operands, uint32_t count);

/* At a source's shard. Thread: owner. */
void combine_drop(struct exec *exec, uint32_t index);

/* Sources of a command with these arguments. Thread: any. */
static inline uint32_t combine_count(const struct combine *combine, const struct args *args)
{
    uint32_t last = combine->last_source < 0 ? args->count - 1 : (uint32_t)combine->last_source;
    return last - (uint32_t)combine->first_source + 1;
}

#endif
