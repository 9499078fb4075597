/*
 * keyspace.c - commands about a whole database: DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL,
 * SWAPDB.
 */
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

static void dbsize_command(struct exec *exec)
{
    reply_int(exec->reply, (int64_t)exec->keyspace->db[exec->db].count);
}

static void randomkey_command(struct exec *exec)
{
    struct keyspace *keyspace = exec->keyspace;
    const struct item *item =
        table_random(&keyspace->db[exec->db], exec_random(exec), keyspace->now_ms);
    if (item != NULL)
        reply_str(exec->reply, item_key(item));
    else
        reply_nil(exec->reply);
}

/* Both modes are alike: the table is swapped at once and freed in slices. */
static void flush(struct exec *exec, int db)
{
    uint32_t count = exec->args.count;
    if (count > 2 || (count == 2 && !bytes_is(exec_arg(exec, 1), "async") &&
                      !bytes_is(exec_arg(exec, 1), "sync"))) {
        reply_error(exec->reply, ERR_SYNTAX);
        return;
    }
    keyspace_flush(exec->keyspace, db);
    reply_ok(exec->reply);
}

static void flushdb_command(struct exec *exec)
{
    flush(exec, exec->db);
}

static void flushall_command(struct exec *exec)
{
    flush(exec, -1);
}

/* An argument of SWAPDB; `error` when it is no number. */
static bool database_parse(struct exec *exec, uint32_t at, int64_t *db, const char *error)
{
    if (number_parse_i64(exec_arg(exec, at), db) && *db >= INT32_MIN && *db <= INT32_MAX)
        return true;
    reply_error(exec->reply, error);
    return false;
}

static void swapdb_command(struct exec *exec)
{
    int64_t databases = exec_limits(exec)->databases, a, b;
    if (!database_parse(exec, 1, &a, "ERR invalid first DB index") ||
        !database_parse(exec, 2, &b, "ERR invalid second DB index"))
        return;
    if (a < 0 || a >= databases || b < 0 || b >= databases) {
        reply_error(exec->reply, ERR_NO_DATABASE);
        return;
    }
    keyspace_swap(exec->keyspace, (uint8_t)a, (uint8_t)b);
    reply_ok(exec->reply);
}

/* clang-format off */
const struct command keyspace_commands[] = {
    { .name = "dbsize", .arity = 1, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_ALL_SUM, .shard = dbsize_command,
      .group = "server", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Returns the number of keys in the database." },
    { .name = "randomkey", .arity = 1, .flags = CMD_READONLY,
      .route = ROUTE_ANY, .shard = randomkey_command,
      .group = "generic", .since = "1.0.0",
      .complexity = "O(1); O(N) while nearly all keys have just expired",
      .syntax = "",
      .summary = "Returns the name of a random key, nil when there is none." },
    { .name = "flushdb", .arity = -1, .flags = CMD_WRITE,
      .route = ROUTE_ALL_ATOMIC, .shard = flushdb_command,
      .group = "server", .since = "1.0.0", .complexity = "O(1); memory is given back later",
      .syntax = "[ASYNC | SYNC]",
      .summary = "Deletes every key of the database." },
    { .name = "flushall", .arity = -1, .flags = CMD_WRITE,
      .route = ROUTE_ALL_ATOMIC, .shard = flushall_command,
      .group = "server", .since = "1.0.0", .complexity = "O(1); memory is given back later",
      .syntax = "[ASYNC | SYNC]",
      .summary = "Deletes every key of every database." },
    { .name = "swapdb", .arity = 3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_ALL_ATOMIC, .shard = swapdb_command,
      .group = "server", .since = "4.0.0", .complexity = "O(1), and the number of watched keys",
      .syntax = "index1 index2",
      .summary = "Exchanges the keys of two databases." },
    { 0 },
};
/* clang-format on */
