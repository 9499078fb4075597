/*
 * keys.c - commands about keys whatever they hold: DEL, UNLINK, EXISTS, TOUCH, TYPE.
 */
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

static struct key each_key(const struct exec *exec, uint32_t key_index)
{
    struct bytes name = exec_arg(exec, key_index);
    return (struct key){ .name = name, .hash = exec->hash, .db = exec->db };
}

/* UNLINK too: what is large is freed in slices in any case. */
static int64_t del_each(struct exec *exec, uint32_t key_index)
{
    return keyspace_delete(exec->keyspace, each_key(exec, key_index));
}

/* TOUCH too: to be read is to be touched. */
static int64_t exists_each(struct exec *exec, uint32_t key_index)
{
    return keyspace_read(exec->keyspace, each_key(exec, key_index)) != NULL;
}

static void type_command(struct exec *exec)
{
    const struct item *item = keyspace_read(exec->keyspace, exec_key(exec));
    reply_simple(exec->reply, item == NULL ? "none" : value_type_name(item));
}

/* clang-format off */
const struct command keys_commands[] = {
    { .name = "del", .arity = -2, .flags = CMD_WRITE,
      .route = ROUTE_EACH_SUM, KEYS(1, -1, 1), .each = del_each,
      .group = "generic", .since = "1.0.0", .complexity = "O(N) where N is the number of keys",
      .syntax = "key [key ...]",
      .summary = "Deletes keys; returns how many there were." },
    { .name = "unlink", .arity = -2, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_EACH_SUM, KEYS(1, -1, 1), .each = del_each,
      .group = "generic", .since = "4.0.0", .complexity = "O(N) where N is the number of keys",
      .syntax = "key [key ...]",
      .summary = "Deletes keys; the same as DEL here." },
    { .name = "exists", .arity = -2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_EACH_SUM, KEYS(1, -1, 1), .each = exists_each,
      .group = "generic", .since = "1.0.0", .complexity = "O(N) where N is the number of keys",
      .syntax = "key [key ...]",
      .summary = "Returns how many of the keys exist; one named twice counts twice." },
    { .name = "touch", .arity = -2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_EACH_SUM, KEYS(1, -1, 1), .each = exists_each,
      .group = "generic", .since = "3.2.1", .complexity = "O(N) where N is the number of keys",
      .syntax = "key [key ...]",
      .summary = "Marks keys as used; returns how many exist." },
    { .name = "type", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = type_command,
      .group = "generic", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the type of a value, \"none\" for a missing key." },
    { 0 },
};
/* clang-format on */
