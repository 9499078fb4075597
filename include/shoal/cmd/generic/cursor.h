/*
 * cursor.h - the SCAN cursor a client sees: the table's reverse-binary cursor and the shard.
 *
 * client cursor = table cursor x shards + shard; 0 begins (shard 0) and 0 ends. When a shard's
 * table is done the next cursor is the following shard with table cursor 0. Shard counts are fixed
 * for the life of the process, so the product is unambiguous.
 */
#ifndef SHOAL_CMD_GENERIC_CURSOR_H
#define SHOAL_CMD_GENERIC_CURSOR_H

#include "shoal/base/bytes.h"

/* False: not a canonical unsigned 64-bit number ("ERR invalid cursor"). */
bool cursor_parse(struct bytes text, uint64_t *cursor);

static inline uint32_t cursor_shard(uint64_t cursor, uint32_t shards)
{
    return (uint32_t)(cursor % shards);
}

/* `next` is what table_scan() returned on `shard`. */
static inline uint64_t cursor_next(uint64_t next, uint32_t shard, uint32_t shards)
{
    if (next != 0)
        return next * shards + shard;
    return shard + 1 < shards ? shard + 1 : 0;
}

#endif
