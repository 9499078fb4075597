/*
 * ttl.c - when keys expire: the EXPIRE family sets it, the TTL family tells it, PERSIST removes it.
 */
#include "shoal/base/clock.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/generic/expire.h"

enum expire_condition { EXPIRE_NX = 1, EXPIRE_XX = 2, EXPIRE_GT = 4, EXPIRE_LT = 8 };

/* How the TTL family answers where there is no time. */
enum { TTL_NO_KEY = -2, TTL_NEVER = -1 };

static unsigned condition_of(struct bytes word)
{
    return bytes_is(word, "nx")   ? EXPIRE_NX
           : bytes_is(word, "xx") ? EXPIRE_XX
           : bytes_is(word, "gt") ? EXPIRE_GT
           : bytes_is(word, "lt") ? EXPIRE_LT
                                  : 0;
}

static bool conditions_parse(struct exec *exec, unsigned *conditions)
{
    *conditions = 0;
    for (uint32_t i = 3; i < exec->args.count; i++) {
        struct bytes word = exec_arg(exec, i);
        unsigned condition = condition_of(word);
        if (condition == 0) {
            reply_errorf(exec->reply, "ERR Unsupported option %.*s", error_text_size(word),
                         word.data);
            return false;
        }
        *conditions |= condition;
    }
    if ((*conditions & EXPIRE_NX) && *conditions != EXPIRE_NX) {
        reply_error(exec->reply,
                    "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if ((*conditions & EXPIRE_GT) && (*conditions & EXPIRE_LT)) {
        reply_error(exec->reply, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

/* No TTL counts as an infinite one. */
static bool conditions_hold(unsigned conditions, int64_t present_ms, int64_t expire_ms)
{
    bool has = present_ms != 0;
    if ((conditions & EXPIRE_NX) && has)
        return false;
    if ((conditions & EXPIRE_XX) && !has)
        return false;
    if ((conditions & EXPIRE_GT) && (!has || expire_ms <= present_ms))
        return false;
    return !(conditions & EXPIRE_LT) || !has || expire_ms < present_ms;
}

/* A time that has passed deletes the key. */
static void apply(struct exec *exec, struct key key, int64_t expire_ms)
{
    if (expire_ms <= exec->keyspace->now_ms)
        keyspace_delete(exec->keyspace, key);
    else if (!keyspace_expire(exec->keyspace, key, expire_ms)) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    reply_int(exec->reply, 1);
}

static void expire(struct exec *exec, enum expire_unit unit)
{
    unsigned conditions;
    int64_t expire_ms;
    if (!conditions_parse(exec, &conditions) ||
        !expire_parse(exec, exec_arg(exec, 2), unit, &expire_ms))
        return;
    struct key key = exec_key(exec);
    const struct item *item = keyspace_find(exec->keyspace, key);
    if (item == NULL || !conditions_hold(conditions, item_expire_ms(item), expire_ms))
        reply_int(exec->reply, 0);
    else
        apply(exec, key, expire_ms);
}

static void expire_command(struct exec *exec)
{
    expire(exec, EXPIRE_S);
}

static void pexpire_command(struct exec *exec)
{
    expire(exec, EXPIRE_MS);
}

static void expireat_command(struct exec *exec)
{
    expire(exec, EXPIRE_WALL_S);
}

static void pexpireat_command(struct exec *exec)
{
    expire(exec, EXPIRE_WALL_MS);
}

/* The time in milliseconds; false when there is none, which is replied. */
static bool expire_ms_of_key(struct exec *exec, int64_t *expire_ms)
{
    const struct item *item = keyspace_read(exec->keyspace, exec_key(exec));
    *expire_ms = item == NULL ? 0 : item_expire_ms(item);
    if (*expire_ms != 0)
        return true;
    reply_int(exec->reply, item == NULL ? TTL_NO_KEY : TTL_NEVER);
    return false;
}

/* Rounded to the nearest; written so that the largest time does not overflow. */
static int64_t to_seconds(int64_t ms)
{
    return ms / 1000 + (ms % 1000 >= 500);
}

static void ttl_command(struct exec *exec)
{
    int64_t expire_ms;
    if (expire_ms_of_key(exec, &expire_ms))
        reply_int(exec->reply, to_seconds(expire_ms - exec->keyspace->now_ms));
}

static void pttl_command(struct exec *exec)
{
    int64_t expire_ms;
    if (expire_ms_of_key(exec, &expire_ms))
        reply_int(exec->reply, expire_ms - exec->keyspace->now_ms);
}

static void expiretime_command(struct exec *exec)
{
    int64_t expire_ms;
    if (expire_ms_of_key(exec, &expire_ms))
        reply_int(exec->reply, to_seconds(clock_to_wall(expire_ms)));
}

static void pexpiretime_command(struct exec *exec)
{
    int64_t expire_ms;
    if (expire_ms_of_key(exec, &expire_ms))
        reply_int(exec->reply, clock_to_wall(expire_ms));
}

static void persist_command(struct exec *exec)
{
    struct key key = exec_key(exec);
    const struct item *item = keyspace_find(exec->keyspace, key);
    if (item == NULL || item_expire_ms(item) == 0)
        reply_int(exec->reply, 0);
    else if (keyspace_expire(exec->keyspace, key, keyspace_explicit_expire(exec->keyspace, 0)))
        reply_int(exec->reply, 1);
    else
        reply_error(exec->reply, ERR_NO_MEMORY);
}

/* clang-format off */
const struct command ttl_commands[] = {
    { .name = "expire", .arity = -3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = expire_command,
      .group = "generic", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key seconds [NX | XX | GT | LT]",
      .summary = "Sets a key's TTL in seconds." },
    { .name = "pexpire", .arity = -3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = pexpire_command,
      .group = "generic", .since = "2.6.0", .complexity = "O(1)",
      .syntax = "key milliseconds [NX | XX | GT | LT]",
      .summary = "Sets a key's TTL in milliseconds." },
    { .name = "expireat", .arity = -3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = expireat_command,
      .group = "generic", .since = "1.2.0", .complexity = "O(1)",
      .syntax = "key unix-time-seconds [NX | XX | GT | LT]",
      .summary = "Sets the Unix time in seconds at which a key expires." },
    { .name = "pexpireat", .arity = -3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = pexpireat_command,
      .group = "generic", .since = "2.6.0", .complexity = "O(1)",
      .syntax = "key unix-time-milliseconds [NX | XX | GT | LT]",
      .summary = "Sets the Unix time in milliseconds at which a key expires." },
    { .name = "ttl", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = ttl_command,
      .group = "generic", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns a key's TTL in seconds; -1 without one, -2 without the key." },
    { .name = "pttl", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = pttl_command,
      .group = "generic", .since = "2.6.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns a key's TTL in milliseconds; -1 without one, -2 without the key." },
    { .name = "persist", .arity = 2, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = persist_command,
      .group = "generic", .since = "2.2.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Removes a key's TTL." },
    { .name = "expiretime", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = expiretime_command,
      .group = "generic", .since = "7.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the Unix time in seconds at which a key expires." },
    { .name = "pexpiretime", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = pexpiretime_command,
      .group = "generic", .since = "7.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the Unix time in milliseconds at which a key expires." },
    { 0 },
};
/* clang-format on */
