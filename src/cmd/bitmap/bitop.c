/*
 * bitop.c - BITOP: AND, OR, XOR and NOT of whole strings.
 *
 * A shorter string counts as if zero bytes followed it; the result is as long as the longest. It is
 * made outside the keyspace, since the destination may be one of the operands.
 */
#include "shoal/cmd/bitmap/bitop.h"

#include "shoal/base/minmax.h"
#include "shoal/cmd/combine.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

#include <stdlib.h>

enum { FIRST_OPERAND = 3, WORD_BYTES = 8 };

enum bitop { BITOP_AND, BITOP_OR, BITOP_XOR, BITOP_NOT };

/* Why the arguments are wrong, or NULL. */
static const char *bitop_why_not(const struct args *args, enum bitop *op)
{
    static const char *const words[] = {
        [BITOP_AND] = "and",
        [BITOP_OR] = "or",
        [BITOP_XOR] = "xor",
        [BITOP_NOT] = "not",
    };
    int at = BITOP_AND;
    while (at <= BITOP_NOT && !bytes_is(args_at(args, 1), words[at]))
        at++;
    *op = (enum bitop)at;
    if (at > BITOP_NOT)
        return ERR_SYNTAX;
    if (at == BITOP_NOT && args->count != FIRST_OPERAND + 1)
        return "ERR BITOP NOT must be called with a single source key.";
    return NULL;
}

/* False: the error is replied. */
static bool bitop_parse(struct exec *exec, enum bitop *op)
{
    const char *why = bitop_why_not(&exec->args, op);
    if (why != NULL)
        reply_error(exec->reply, why);
    return why == NULL;
}

/* ---- bytes --------------------------------------------------------------- */

static inline uint64_t combined(enum bitop op, uint64_t a, uint64_t b)
{
    return op == BITOP_AND ? a & b : op == BITOP_OR ? a | b : op == BITOP_XOR ? a ^ b : ~b;
}

/* to[i] = to[i] op from[i]. Inlined with the operation known, so that the loop has no choice. */
static inline void apply_words(enum bitop op, char *to, const char *from, size_t size)
{
    uint64_t a, b;
    for (; size >= WORD_BYTES; size -= WORD_BYTES, to += WORD_BYTES, from += WORD_BYTES) {
        memcpy(&a, to, WORD_BYTES);
        memcpy(&b, from, WORD_BYTES);
        a = combined(op, a, b);
        memcpy(to, &a, WORD_BYTES);
    }
    for (; size > 0; size--, to++, from++)
        *to = (char)combined(op, (unsigned char)*to, (unsigned char)*from);
}

static void apply(enum bitop op, char *to, size_t size, struct bytes operand)
{
    switch (op) {
    case BITOP_AND:
        apply_words(BITOP_AND, to, operand.data, operand.size);
        memset(to + operand.size, 0, size - operand.size);
        break;
    case BITOP_OR:
        apply_words(BITOP_OR, to, operand.data, operand.size);
        break;
    case BITOP_XOR:
        apply_words(BITOP_XOR, to, operand.data, operand.size);
        break;
    case BITOP_NOT:
        apply_words(BITOP_NOT, to, operand.data, operand.size);
    }
}

/* AND has every bit to begin with, the others have none. */
static void combine(enum bitop op, const struct bytes *operands, uint32_t count, char *to,
                    size_t size)
{
    memset(to, op == BITOP_AND ? 0xff : 0, size);
    for (uint32_t i = 0; i < count; i++)
        apply(op, to, size, operands[i]);
}

static size_t longest(const struct bytes *operands, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size = max(size, operands[i].size);
    return size;
}

/* ---- the command --------------------------------------------------------- */

static void store(struct exec *exec, struct bytes result)
{
    struct key key = exec_key(exec);
    if (!value_store(exec, key, result, 0))
        return;
    keyspace_mark_resized(exec->keyspace, key); /* raw in OBJECT ENCODING, as in Redis */
    reply_int(exec->reply, (int64_t)result.size);
}

void bitop_store(struct exec *exec, const struct bytes *operands, uint32_t count)
{
    enum bitop op;
    size_t size = longest(operands, count);
    if (!bitop_parse(exec, &op))
        return;
    if (size == 0) {
        keyspace_delete(exec->keyspace, exec_key(exec));
        reply_int(exec->reply, 0);
        return;
    }
    char *result = malloc(size);
    if (result == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    combine(op, operands, count, result, size);
    store(exec, bytes_of(result, size));
    free(result);
}

/* The length of the longest operand; false: one is of another type, which is replied. */
static bool operands_size(struct exec *exec, size_t *size)
{
    *size = 0;
    for (uint32_t i = FIRST_OPERAND; i < exec->args.count; i++) {
        const struct item *item = keyspace_find(exec->keyspace, exec_key_at(exec, i));
        if (item != NULL && item_type(item) != TYPE_STRING)
            return exec_refuse_type(exec);
        *size = max(*size, value_size(item));
    }
    return true;
}

/* `scratch` has room for an integer of each. */
static void operands_read(struct exec *exec, struct bytes *operands,
                          char (*scratch)[INT64_TEXT_MAX])
{
    for (uint32_t i = FIRST_OPERAND; i < exec->args.count; i++) {
        const struct item *item = keyspace_read(exec->keyspace, exec_key_at(exec, i));
        operands[i - FIRST_OPERAND] = value_or_empty(item, scratch[i - FIRST_OPERAND]);
    }
}

static void bitop_command(struct exec *exec)
{
    enum bitop op;
    size_t size;
    if (!bitop_parse(exec, &op) || !operands_size(exec, &size))
        return;
    uint64_t cost = size == 0 ? 0 : keyspace_cost(exec_arg(exec, 2).size, size);
    if (!exec_reserve(exec, cost, cost))
        return;
    uint32_t count = exec->args.count - FIRST_OPERAND;
    struct bytes *operands = malloc(count * sizeof(*operands));
    char(*scratch)[INT64_TEXT_MAX] = malloc(count * sizeof(*scratch));
    if (operands == NULL || scratch == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
    } else {
        operands_read(exec, operands, scratch);
        bitop_store(exec, operands, count);
    }
    free(scratch);
    free(operands);
}

/* ---- over several shards --------------------------------------------------- */

/* Wrong arguments are refused by the one shard of the destination. */
static bool bitop_good(const struct command *command, const struct args *args, uint8_t db,
                       const struct limits *limits)
{
    enum bitop op;
    (void)command;
    (void)db;
    (void)limits;
    return bitop_why_not(args, &op) == NULL;
}

static bool bitop_store_operands(struct exec *exec, const struct operand *operands, uint32_t count)
{
    struct bytes *values = malloc(count * sizeof(*values));
    size_t size = 0;
    if (values == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return false;
    }
    bool strings = true;
    for (uint32_t i = 0; i < count; i++) {
        strings &= operands[i].type == TYPE_STRING;
        values[i] = operands[i].value;
        size = max(size, values[i].size);
    }
    uint64_t cost = size == 0 ? 0 : keyspace_cost(exec_arg(exec, 2).size, size);
    if (!strings)
        exec_refuse_type(exec);
    else if (exec_reserve(exec, cost, cost))
        bitop_store(exec, values, count);
    free(values);
    return strings;
}

static const struct combine bitop_combine = { .destination = 2,
                                              .first_source = FIRST_OPERAND,
                                              .last_source = -1,
                                              .good = bitop_good,
                                              .store = bitop_store_operands };

/* clang-format off */
const struct command bitop_commands[] = {
    { .name = "bitop", .arity = -4, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_COMBINE, KEYS(2, -1, 1), .shard = bitop_command, .combine = &bitop_combine,
      .group = "bitmap", .since = "2.6.0", .complexity = "O(N) where N is the length of all strings",
      .syntax = "AND | OR | XOR | NOT destkey key [key ...]",
      .summary = "Combines strings bit by bit and stores the result." },
    { 0 },
};
/* clang-format on */
