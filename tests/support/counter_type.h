/*
 * counter_type.h - a second type of value, for tests of what every type goes through.
 *
 * A program that includes this is linked with the list of types below instead of the server's. A
 * counter is an object of as many blocks as it counts:
 *
 *   COUNTER.SET key count    OK; overwrites whatever is there
 *   COUNTER.GET key          the count, nil without a key
 */
#ifndef SHOAL_TESTS_COUNTER_TYPE_H
#define SHOAL_TESTS_COUNTER_TYPE_H

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/store/keyspace/defrag.h"

enum { TYPE_COUNTER = 1, COUNTER_BLOCK_BYTES = 64 };

struct counter_block {
    struct counter_block *next;
    char filler[COUNTER_BLOCK_BYTES - sizeof(struct counter_block *)];
};

struct counter_object {
    struct value_object head;
    uint64_t count;
    struct counter_block *first;
};

static int64_t counter_objects;    /* how many there are */
static bool counter_out_of_memory; /* the next one cannot be made */

static inline const char *counter_encoding(const struct value_object *object)
{
    (void)object;
    return "tally";
}

static inline size_t counter_footprint(const struct value_object *object)
{
    const struct counter_object *counter = (const struct counter_object *)object;
    return sizeof(*counter) + counter->count * COUNTER_BLOCK_BYTES;
}

static inline void counter_free(struct arena *arena, struct value_object *object)
{
    struct counter_object *counter = (struct counter_object *)object;
    while (counter->first != NULL) {
        struct counter_block *block = counter->first;
        counter->first = block->next;
        arena_free(arena, block, sizeof(*block));
    }
    arena_free(arena, counter, sizeof(*counter));
    counter_objects--;
}

static inline struct value_object *counter_make(struct arena *arena, uint64_t count)
{
    if (counter_out_of_memory)
        return NULL;
    struct counter_object *counter = arena_alloc(arena, sizeof(*counter));
    *counter = (struct counter_object){ .head = { .owners = 1 }, .count = count };
    for (uint64_t i = 0; i < count; i++) {
        struct counter_block *block = arena_alloc(arena, sizeof(*block));
        block->next = counter->first;
        counter->first = block;
    }
    counter_objects++;
    return &counter->head;
}

static inline struct value_object *counter_copy(struct arena *arena,
                                                const struct value_object *object)
{
    return counter_make(arena, ((const struct counter_object *)object)->count);
}

static inline struct value_object *counter_move(struct defrag *defrag, struct value_object *object)
{
    struct counter_object *counter = defrag_block(defrag, object);
    for (struct counter_block **at = &counter->first; *at != NULL; at = &(*at)->next)
        *at = defrag_block(defrag, *at);
    return &counter->head;
}

static const struct value_ops counter_string_ops = { .name = "string" };
static const struct value_ops counter_ops = {
    .name = "counter",
    .encoding = counter_encoding,
    .footprint = counter_footprint,
    .copy = counter_copy,
    .free = counter_free,
    .move = counter_move,
};

const struct value_ops *const value_types[VALUE_TYPES_MAX] = {
    [TYPE_STRING] = &counter_string_ops,
    [TYPE_COUNTER] = &counter_ops,
};

static inline void counter_set_command(struct exec *exec)
{
    int64_t count;
    if (!number_parse_i64(exec_arg(exec, 2), &count) || count < 0) {
        reply_error(exec->reply, ERR_NOT_INTEGER);
        return;
    }
    struct value_object *object = counter_make(exec->keyspace->arena, (uint64_t)count);
    if (object != NULL && keyspace_set_object(exec->keyspace, exec_key(exec),
                                              (enum value_type)TYPE_COUNTER, object, 0))
        reply_ok(exec->reply);
    else
        reply_error(exec->reply, ERR_NO_MEMORY);
}

static inline void counter_get_command(struct exec *exec)
{
    struct item *item;
    if (!exec_read(exec, (enum value_type)TYPE_COUNTER, &item))
        return;
    const struct counter_object *counter =
        item == NULL ? NULL : (const struct counter_object *)item_object(item);
    uint64_t blocks = 0;
    for (const struct counter_block *block = counter == NULL ? NULL : counter->first; block != NULL;
         block = block->next)
        blocks++;
    if (counter == NULL)
        reply_nil(exec->reply);
    else if (blocks == counter->count)
        reply_int(exec->reply, (int64_t)counter->count);
    else
        reply_error(exec->reply, "ERR the counter has lost blocks");
}

/* clang-format off */
static const struct command counter_commands[] = {
    { .name = "counter.set", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = counter_set_command,
      .group = "test", .since = "0.0.0", .complexity = "O(N)", .syntax = "key count", .summary = "" },
    { .name = "counter.get", .arity = 2, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = counter_get_command,
      .group = "test", .since = "0.0.0", .complexity = "O(N)", .syntax = "key", .summary = "" },
    { 0 },
};
/* clang-format on */

#endif
