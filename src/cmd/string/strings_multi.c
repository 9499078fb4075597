/*
 * strings_multi.c - strings of several keys: MGET, MSET, MSETNX.
 *
 * MSET and MSETNX are given their shard's share of the pairs, all of them when there is one shard;
 * the arity check has made sure that the pairs are whole.
 */
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"
#include "shoal/store/keyspace/undo.h"

static int64_t mget_each(struct exec *exec, uint32_t key_index)
{
    struct bytes name = exec_arg(exec, key_index);
    struct key key = { .name = name, .hash = exec->hash, .db = exec->db };
    const struct item *item = keyspace_read(exec->keyspace, key);
    bool string = item != NULL && item_type(item) == TYPE_STRING;
    value_reply(exec, string ? item : NULL); /* another type is nil, as in Redis */
    return 0;
}

/* False: the error is replied, and the pairs before the one that failed stay set. */
static bool set_each(struct exec *exec)
{
    for (uint32_t i = 1; i + 1 < exec->args.count; i += 2) {
        if (!value_store(exec, exec_key_at(exec, i), exec_arg(exec, i + 1), 0))
            return false;
    }
    return true;
}

/* All pairs or none. False: the error is replied. In a transaction others undo it. */
static bool set_pairs(struct exec *exec)
{
    struct keyspace *keyspace = exec->keyspace;
    if (exec->args.count <= 3 || keyspace->observed & OBSERVE_UNDO)
        return set_each(exec);
    struct undo *undo = undo_new(keyspace);
    if (undo == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return false;
    }
    undo_open(keyspace, undo);
    bool done = set_each(exec);
    undo_close(keyspace);
    if (done)
        undo_commit(keyspace, &undo);
    else
        undo_revert(keyspace, &undo);
    return done;
}

static void mset_command(struct exec *exec)
{
    if (set_pairs(exec))
        reply_ok(exec->reply);
}

static bool msetnx_check(struct exec *exec)
{
    for (uint32_t i = 1; i + 1 < exec->args.count; i += 2) {
        if (keyspace_find(exec->keyspace, exec_key_at(exec, i)) != NULL)
            return false;
    }
    return true;
}

static void msetnx_command(struct exec *exec)
{
    if (!msetnx_check(exec))
        reply_int(exec->reply, 0);
    else if (set_pairs(exec))
        reply_int(exec->reply, 1);
}

/* clang-format off */
const struct command strings_multi_commands[] = {
    { .name = "mget", .arity = -2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_EACH_ARRAY, KEYS(1, -1, 1), .each = mget_each,
      .group = "string", .since = "1.0.0", .complexity = "O(N) where N is the number of keys",
      .syntax = "key [key ...]",
      .summary = "Returns the values of several keys." },
    { .name = "mset", .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_ATOMIC, KEYS(1, -1, 2), .shard = mset_command,
      .group = "string", .since = "1.0.1", .complexity = "O(N) where N is the number of keys",
      .syntax = "key value [key value ...]",
      .summary = "Sets several keys at once." },
    { .name = "msetnx", .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_ATOMIC, KEYS(1, -1, 2), .shard = msetnx_command,
      .check = msetnx_check,
      .group = "string", .since = "1.0.1", .complexity = "O(N) where N is the number of keys",
      .syntax = "key value [key value ...]",
      .summary = "Sets several keys at once, none if any of them exists." },
    { 0 },
};
/* clang-format on */
