/*
 * memory_usage.c - MEMORY USAGE: what one key costs its shard.
 */
#include "shoal/cmd/generic/memory_usage.h"

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"

/* SAMPLES is for nested types; here it is only checked. */
static bool samples_ok(struct exec *exec)
{
    for (uint32_t i = 3; i < exec->args.count; i += 2) {
        int64_t samples;
        if (!bytes_is(exec_arg(exec, i), "samples") || i + 1 == exec->args.count) {
            reply_error(exec->reply, ERR_SYNTAX);
            return false;
        }
        if (!number_parse_i64(exec_arg(exec, i + 1), &samples)) {
            reply_error(exec->reply, ERR_NOT_INTEGER);
            return false;
        }
        if (samples < 0) {
            reply_error(exec->reply, ERR_SYNTAX);
            return false;
        }
    }
    return true;
}

void memory_usage(struct exec *exec)
{
    if (!samples_ok(exec))
        return;
    const struct item *item = keyspace_find(exec->keyspace, exec_key(exec));
    if (item == NULL) {
        reply_nil(exec->reply);
        return;
    }
    /* The table's own bytes are shared by all of its keys alike. */
    const struct table *table = &exec->keyspace->db[exec->db];
    uint64_t share = table->table_bytes / (table->count ? table->count : 1);
    reply_int(exec->reply, (int64_t)(item_footprint(item) + share));
}
