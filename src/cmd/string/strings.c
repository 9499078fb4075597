/*
 * strings.c - commands that set or read one whole string: SET, GET and their relatives.
 */
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/string/string_options.h"
#include "shoal/cmd/value.h"

static void get_command(struct exec *exec)
{
    struct item *item;
    if (exec_read(exec, TYPE_STRING, &item))
        value_reply(exec, item);
}

/* The condition of SET, given the item that is there (or NULL). */
static bool condition_holds(const struct string_options *options, const struct item *old)
{
    char scratch[INT64_TEXT_MAX];
    switch (options->condition) {
    case STRING_NX:
        return old == NULL;
    case STRING_XX:
        return old != NULL;
    case STRING_IFEQ:
        return old != NULL && bytes_equal(item_value(old, scratch), options->expected);
    default:
        return true;
    }
}

/* 0, KEYSPACE_KEEP_TTL or a time. False: the error is replied. */
static bool options_expire_ms(struct exec *exec, const struct string_options *options,
                              int64_t *expire_ms)
{
    *expire_ms = options->ttl == STRING_TTL_KEEP ? KEYSPACE_KEEP_TTL : 0;
    if (options->ttl != STRING_TTL_SET)
        return true;
    return expire_parse_positive(exec, options->time, options->unit, expire_ms);
}

/*
 * Replies the old value, then stores: the other way round it would be gone. When storing fails the
 * error is the whole reply.
 */
static void replace_and_reply_old(struct exec *exec, const struct item *old, struct bytes value,
                                  int64_t expire_ms)
{
    if (!value_size_ok(exec, value.size))
        return;
    struct value_mark mark = value_mark(exec);
    value_reply(exec, old);
    if (!keyspace_set(exec->keyspace, exec_key(exec), value, expire_ms)) {
        value_rollback(exec, mark);
        reply_error(exec->reply, ERR_NO_MEMORY);
    }
}

/* SET with options: those that look at the old value first. */
static void set_conditionally(struct exec *exec, const struct string_options *options,
                              int64_t expire_ms)
{
    struct key key = exec_key(exec);
    const struct item *old =
        options->get ? keyspace_read(exec->keyspace, key) : keyspace_find(exec->keyspace, key);
    bool needs_string = options->get || options->condition == STRING_IFEQ;
    if (needs_string && old != NULL && item_type(old) != TYPE_STRING) {
        exec_refuse_type(exec);
        return;
    }
    bool holds = condition_holds(options, old);
    if (holds && options->get)
        replace_and_reply_old(exec, old, exec_arg(exec, 2), expire_ms);
    else if (options->get)
        value_reply(exec, old);
    else if (!holds)
        reply_nil(exec->reply);
    else if (value_store(exec, key, exec_arg(exec, 2), expire_ms))
        reply_ok(exec->reply);
}

static void set_command(struct exec *exec)
{
    struct string_options options;
    int64_t expire_ms;
    if (!string_options_parse(exec, 3, STRING_SET, &options) ||
        !options_expire_ms(exec, &options, &expire_ms))
        return;
    if (unlikely(options.get || options.condition != STRING_ALWAYS))
        set_conditionally(exec, &options, expire_ms);
    else if (value_store(exec, exec_key(exec), exec_arg(exec, 2), expire_ms))
        reply_ok(exec->reply);
}

static void setnx_command(struct exec *exec)
{
    struct key key = exec_key(exec);
    if (keyspace_find(exec->keyspace, key) != NULL)
        reply_int(exec->reply, 0);
    else if (value_store(exec, key, exec_arg(exec, 2), 0))
        reply_int(exec->reply, 1);
}

static void set_for(struct exec *exec, enum expire_unit unit)
{
    int64_t expire_ms;
    if (expire_parse_positive(exec, exec_arg(exec, 2), unit, &expire_ms) &&
        value_store(exec, exec_key(exec), exec_arg(exec, 3), expire_ms))
        reply_ok(exec->reply);
}

static void setex_command(struct exec *exec)
{
    set_for(exec, EXPIRE_S);
}

static void psetex_command(struct exec *exec)
{
    set_for(exec, EXPIRE_MS);
}

static void getset_command(struct exec *exec)
{
    struct item *old;
    if (exec_read(exec, TYPE_STRING, &old))
        replace_and_reply_old(exec, old, exec_arg(exec, 2), 0);
}

static void getdel_command(struct exec *exec)
{
    struct item *item;
    if (!exec_read(exec, TYPE_STRING, &item))
        return;
    value_reply(exec, item);
    if (item != NULL)
        keyspace_delete(exec->keyspace, exec_key(exec));
}

/* The value has been replied. A wall-clock time that has passed deletes the key at once. */
static bool getex_apply(struct exec *exec, const struct string_options *options, int64_t expire_ms)
{
    struct key key = exec_key(exec);
    if (options->ttl == STRING_TTL_NONE)
        return true;
    if (options->ttl == STRING_TTL_PERSIST)
        return item_expire_ms(keyspace_find(exec->keyspace, key)) == 0 ||
               keyspace_expire(exec->keyspace, key, keyspace_explicit_expire(exec->keyspace, 0));
    if (expire_ms > exec->keyspace->now_ms)
        return keyspace_expire(exec->keyspace, key, expire_ms);
    keyspace_delete(exec->keyspace, key);
    return true;
}

static void getex_command(struct exec *exec)
{
    struct string_options options;
    int64_t expire_ms;
    struct item *item;
    if (!string_options_parse(exec, 2, STRING_GETEX, &options) ||
        !exec_read(exec, TYPE_STRING, &item))
        return;
    if (item == NULL) {
        reply_nil(exec->reply);
        return;
    }
    if (!options_expire_ms(exec, &options, &expire_ms))
        return;
    struct value_mark mark = value_mark(exec);
    value_reply(exec, item);
    if (!getex_apply(exec, &options, expire_ms)) {
        value_rollback(exec, mark);
        reply_error(exec->reply, ERR_NO_MEMORY);
    }
}

/* clang-format off */
const struct command strings_commands[] = {
    { .name = "get", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = get_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the value of a key." },
    { .name = "set", .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_QUICK,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = set_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | "
                "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
      .summary = "Sets a key to a string, on a condition and with a TTL if asked to." },
    { .name = "setnx", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = setnx_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key value",
      .summary = "Sets a key to a string unless it exists." },
    { .name = "setex", .arity = 4, .flags = CMD_WRITE | CMD_DENYOOM | CMD_QUICK,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = setex_command,
      .group = "string", .since = "2.0.0", .complexity = "O(1)",
      .syntax = "key seconds value",
      .summary = "Sets a key to a string with a TTL in seconds." },
    { .name = "psetex", .arity = 4, .flags = CMD_WRITE | CMD_DENYOOM | CMD_QUICK,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = psetex_command,
      .group = "string", .since = "2.6.0", .complexity = "O(1)",
      .syntax = "key milliseconds value",
      .summary = "Sets a key to a string with a TTL in milliseconds." },
    { .name = "getset", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getset_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key value",
      .summary = "Sets a key to a string and returns the old one." },
    { .name = "getdel", .arity = 2, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getdel_command,
      .group = "string", .since = "6.2.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the value of a key and deletes the key." },
    { .name = "getex", .arity = -2, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getex_command,
      .group = "string", .since = "6.2.0", .complexity = "O(1)",
      .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
                "PXAT unix-time-milliseconds | PERSIST]",
      .summary = "Returns the value of a key and changes its TTL." },
    { 0 },
};
/* clang-format on */
