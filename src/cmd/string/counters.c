/*
 * counters.c - strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT. All keep the TTL.
 */
#include <math.h>

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

static void add(struct exec *exec, int64_t increment)
{
    struct key key = exec_key(exec);
    struct item *item;
    int64_t value = 0;
    if (!exec_find(exec, TYPE_STRING, &item))
        return;
    if (item != NULL && !value_int(item, &value))
        reply_error(exec->reply, ERR_NOT_INTEGER);
    else if (__builtin_add_overflow(value, increment, &value))
        reply_error(exec->reply, ERR_OVERFLOW);
    else if (!keyspace_set_int(exec->keyspace, key, value, KEYSPACE_KEEP_TTL))
        reply_error(exec->reply, ERR_NO_MEMORY);
    else
        reply_int(exec->reply, value);
}

static void incr_command(struct exec *exec)
{
    add(exec, 1);
}

static void decr_command(struct exec *exec)
{
    add(exec, -1);
}

static void incrby_command(struct exec *exec)
{
    int64_t increment;
    if (number_parse_i64(exec_arg(exec, 2), &increment))
        add(exec, increment);
    else
        reply_error(exec->reply, ERR_NOT_INTEGER);
}

static void decrby_command(struct exec *exec)
{
    int64_t decrement;
    if (!number_parse_i64(exec_arg(exec, 2), &decrement))
        reply_error(exec->reply, ERR_NOT_INTEGER);
    else if (decrement == INT64_MIN) /* has no negation */
        reply_error(exec->reply, "ERR decrement would overflow");
    else
        add(exec, -decrement);
}

/* The sum of the value (0 when there is none) and the argument. False: the error is replied. */
static bool float_sum(struct exec *exec, const struct item *item, long double *sum)
{
    char scratch[INT64_TEXT_MAX];
    long double value = 0, increment;
    if ((item != NULL && !number_parse_long_double(item_value(item, scratch), &value)) ||
        !number_parse_long_double(exec_arg(exec, 2), &increment)) {
        reply_error(exec->reply, ERR_NOT_FLOAT);
        return false;
    }
    *sum = value + increment;
    if (isfinite(*sum))
        return true;
    reply_error(exec->reply, ERR_NAN);
    return false;
}

static void incrbyfloat_command(struct exec *exec)
{
    char text[LONG_DOUBLE_TEXT_MAX];
    struct key key = exec_key(exec);
    long double sum;
    struct item *item;
    if (!exec_find(exec, TYPE_STRING, &item) || !float_sum(exec, item, &sum))
        return;
    struct bytes value = bytes_of(text, number_format_long_double(text, sum));
    uint64_t cost = keyspace_cost(key.name.size, value.size);
    if (!exec_reserve(exec, cost, cost))
        return;
    if (item != NULL && keyspace_find(exec->keyspace, key) == NULL)
        incrbyfloat_command(exec); /* the number itself has given way: a new one begins at 0 */
    else if (value_store(exec, key, value, KEYSPACE_KEEP_TTL))
        reply_str(exec->reply, value);
}

/* clang-format off */
const struct command counters_commands[] = {
    { .name = "incr", .arity = 2, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = incr_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Adds one to an integer; a missing key counts as 0." },
    { .name = "decr", .arity = 2, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = decr_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Takes one from an integer; a missing key counts as 0." },
    { .name = "incrby", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = incrby_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key increment",
      .summary = "Adds to an integer; a missing key counts as 0." },
    { .name = "decrby", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = decrby_command,
      .group = "string", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key decrement",
      .summary = "Takes from an integer; a missing key counts as 0." },
    { .name = "incrbyfloat", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = incrbyfloat_command,
      .group = "string", .since = "2.6.0", .complexity = "O(1)",
      .syntax = "key increment",
      .summary = "Adds to a floating-point number; a missing key counts as 0." },
    { 0 },
};
/* clang-format on */
