/*
 * scan.c - walking through the keys of a shard: SCAN a few at a time, KEYS all at once.
 */
#include <stdio.h>

#include "shoal/base/glob.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/generic/cursor.h"
#include "shoal/cmd/value.h"

enum {
    SCAN_COUNT_DEFAULT = 10,
    /* a nearly empty table is left after COUNT x 10 buckets, as in Redis */
    SCAN_STEPS_PER_COUNT = 10,
};

struct scan {
    struct exec *exec;
    struct bytes pattern, type; /* no data: any */
    int64_t count;
    int64_t visited; /* what COUNT counts: items, filtered out or not */
    uint32_t found;
};

static bool scan_option(struct exec *exec, struct scan *scan, struct bytes word, struct bytes value)
{
    if (bytes_is(word, "match")) {
        scan->pattern = value;
    } else if (bytes_is(word, "type")) {
        scan->type = value;
    } else if (!bytes_is(word, "count")) {
        reply_error(exec->reply, ERR_SYNTAX);
        return false;
    } else if (!number_parse_i64(value, &scan->count)) {
        reply_error(exec->reply, ERR_NOT_INTEGER);
        return false;
    } else if (scan->count < 1) {
        reply_error(exec->reply, ERR_SYNTAX);
        return false;
    }
    return true;
}

static bool scan_parse(struct exec *exec, struct scan *scan, uint64_t *cursor)
{
    uint32_t count = exec->args.count;
    if (!cursor_parse(exec_arg(exec, 1), cursor)) {
        reply_error(exec->reply, "ERR invalid cursor");
        return false;
    }
    for (uint32_t i = 2; i < count; i += 2) {
        if (i + 1 == count) {
            reply_error(exec->reply, ERR_SYNTAX);
            return false;
        }
        if (!scan_option(exec, scan, exec_arg(exec, i), exec_arg(exec, i + 1)))
            return false;
    }
    return true;
}

static bool scan_wants(const struct scan *scan, const struct item *item)
{
    if (!value_live(scan->exec->keyspace, item))
        return false;
    if (scan->type.data != NULL && !bytes_is(scan->type, value_type_name(item)))
        return false;
    return scan->pattern.data == NULL || glob_match(scan->pattern, item_key(item), false);
}

static void scan_visit(void *context, struct item *item, uint64_t hash_unused)
{
    struct scan *scan = context;
    (void)hash_unused;
    scan->visited++;
    if (!scan_wants(scan, item))
        return;
    reply_str(scan->exec->reply, item_key(item));
    scan->found++;
}

/* Returns the table's next cursor, 0 at the end. */
static uint64_t scan_run(struct exec *exec, struct scan *scan, uint64_t cursor)
{
    struct table *table = &exec->keyspace->db[exec->db];
    int64_t steps;
    if (__builtin_mul_overflow(scan->count, SCAN_STEPS_PER_COUNT, &steps))
        steps = INT64_MAX;
    do {
        cursor = table_scan(table, cursor, scan_visit, scan);
    } while (cursor != 0 && --steps > 0 && scan->visited < scan->count);
    return cursor;
}

/* Before the keys that have been found: the cursor, known when the walk has ended, and their count. */
static void reply_head(struct reply *reply, struct reply_opened opened, uint64_t cursor,
                       uint32_t found)
{
    char text[24], bytes[3 * REPLY_NEED_MAX];
    struct reply head;
    int size = snprintf(text, sizeof(text), "%llu", (unsigned long long)cursor);
    reply_init(&head, reply->proto, bytes, sizeof(bytes), NULL, 0);
    reply_array(&head, 2);
    reply_str(&head, bytes_of(text, (size_t)size));
    reply_array(&head, found);
    reply_prepend(reply, opened, bytes_of(head.base, head.size));
}

static void scan_command(struct exec *exec)
{
    const struct keyspace *keyspace = exec->keyspace;
    struct scan scan = { .exec = exec, .count = SCAN_COUNT_DEFAULT };
    uint64_t cursor;
    if (!scan_parse(exec, &scan, &cursor))
        return;
    struct reply_opened opened = reply_open(exec->reply);
    cursor = scan_run(exec, &scan, cursor / keyspace->shards);
    reply_head(exec->reply, opened, cursor_next(cursor, keyspace->shard, keyspace->shards),
               scan.found);
}

struct keys_walk {
    struct exec *exec;
    struct bytes pattern;
    bool all; /* "*" */
};

static void keys_visit(void *context, struct item *item, uint64_t hash_unused)
{
    struct keys_walk *walk = context;
    struct bytes key = item_key(item);
    (void)hash_unused;
    if (!value_live(walk->exec->keyspace, item))
        return;
    if (!walk->all && !glob_match(walk->pattern, key, false))
        return;
    reply_str(walk->exec->reply, key);
    reply_mark(walk->exec->reply);
}

static void keys_command(struct exec *exec)
{
    struct keys_walk walk = { .exec = exec, .pattern = exec_arg(exec, 1) };
    walk.all = bytes_is(walk.pattern, "*");
    uint64_t cursor = 0;
    do {
        cursor = table_scan(&exec->keyspace->db[exec->db], cursor, keys_visit, &walk);
    } while (cursor != 0);
}

/* clang-format off */
const struct command scan_commands[] = {
    { .name = "scan", .arity = -2, .flags = CMD_READONLY,
      .route = ROUTE_CURSOR, .shard = scan_command,
      .group = "generic", .since = "2.8.0",
      .complexity = "O(1) for every call; O(N) for a walk through all N keys",
      .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
      .summary = "Walks through the keys of the database, some at every call." },
    { .name = "keys", .arity = 2, .flags = CMD_READONLY,
      .route = ROUTE_ALL_ARRAY, .shard = keys_command,
      .group = "generic", .since = "1.0.0", .complexity = "O(N) where N is the number of keys",
      .syntax = "pattern",
      .summary = "Returns the names of all keys that match a glob pattern." },
    { 0 },
};
/* clang-format on */
