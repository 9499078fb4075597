/*
 * string_parts.c - commands that read or write a part of a string: APPEND, GETRANGE, SETRANGE,
 * STRLEN.
 */
#include "shoal/base/minmax.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

/* Makes the value `size` bytes long and writes `part` at `offset`; replies the new length. */
static void write_part(struct exec *exec, size_t size, size_t offset, struct bytes part)
{
    char *data = keyspace_resize(exec->keyspace, exec_key(exec), size);
    if (data == NULL) {
        reply_error(exec->reply, ERR_NO_MEMORY);
        return;
    }
    memcpy(data + offset, part.data, part.size);
    reply_int(exec->reply, (int64_t)size);
}

static void strlen_command(struct exec *exec)
{
    struct item *item;
    if (exec_read(exec, TYPE_STRING, &item))
        reply_int(exec->reply, (int64_t)value_size(item));
}

static void append_command(struct exec *exec)
{
    struct bytes part = exec_arg(exec, 2);
    struct item *item;
    if (!exec_find(exec, TYPE_STRING, &item))
        return;
    size_t size = value_size(item) + part.size;
    if (item != NULL && !(value_size_ok(exec, size) && value_reserve(exec, &item, size)))
        return;
    if (item != NULL)
        write_part(exec, item_value_size(item) + part.size, item_value_size(item), part);
    else if (value_store(exec, exec_key(exec), part, 0))
        reply_int(exec->reply, (int64_t)part.size);
}

static bool offset_parse(struct exec *exec, int64_t *offset)
{
    if (!number_parse_i64(exec_arg(exec, 2), offset)) {
        reply_error(exec->reply, ERR_NOT_INTEGER);
        return false;
    }
    if (*offset < 0) {
        reply_error(exec->reply, "ERR offset is out of range");
        return false;
    }
    return true;
}

static void setrange_command(struct exec *exec)
{
    int64_t offset;
    struct bytes part = exec_arg(exec, 3);
    struct item *item;
    if (!offset_parse(exec, &offset) || !exec_find(exec, TYPE_STRING, &item))
        return;
    if (part.size == 0) {
        reply_int(exec->reply, (int64_t)value_size(item));
        return;
    }
    /* no overflow: both are below 2^63 */
    size_t end = (size_t)offset + part.size;
    if (value_size_ok(exec, end) && value_reserve(exec, &item, max(end, value_size(item))))
        write_part(exec, max(end, value_size(item)), (size_t)offset, part);
}

/*
 * start and end of GETRANGE: negative ones count from the end and both are inclusive. Empty when
 * they cross; two negative ones that do are refused before they are clamped to 0, as in Redis.
 */
static struct bytes slice(struct bytes text, int64_t start, int64_t end)
{
    int64_t size = (int64_t)text.size;
    if (start < 0 && end < 0 && start > end)
        return bytes_of(text.data, 0);
    start = start < 0 ? start + size : start;
    end = end < 0 ? end + size : end;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end;
    end = end >= size ? size - 1 : end;
    if (start > end)
        return bytes_of(text.data, 0);
    return bytes_of(text.data + start, (size_t)(end - start + 1));
}

static void getrange_command(struct exec *exec)
{
    char scratch[INT64_TEXT_MAX];
    int64_t start, end;
    if (!number_parse_i64(exec_arg(exec, 2), &start) ||
        !number_parse_i64(exec_arg(exec, 3), &end)) {
        reply_error(exec->reply, ERR_NOT_INTEGER);
        return;
    }
    struct item *item;
    if (!exec_read(exec, TYPE_STRING, &item))
        return;
    if (item == NULL)
        reply_str(exec->reply, bytes_of("", 0));
    else
        value_reply_part(exec, item, slice(item_value(item, scratch), start, end));
}

/* clang-format off */
const struct command string_parts_commands[] = {
    { .name = "strlen", .arity = 2, .flags = CMD_READONLY | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = strlen_command,
      .group = "string", .since = "2.2.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the length of a string, 0 for a missing key." },
    { .name = "append", .arity = 3, .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = append_command,
      .group = "string", .since = "2.0.0", .complexity = "O(1), amortized over many appends",
      .syntax = "key value",
      .summary = "Appends to a string, or makes it; returns the new length." },
    { .name = "getrange", .arity = 4, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getrange_command,
      .group = "string", .since = "2.4.0", .complexity = "O(N) where N is the length of the part",
      .syntax = "key start end",
      .summary = "Returns a part of a string; negative offsets count from its end." },
    { .name = "substr", .arity = 4, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = getrange_command,
      .group = "string", .since = "1.0.0", .complexity = "O(N) where N is the length of the part",
      .syntax = "key start end",
      .summary = "The old name of GETRANGE." },
    { .name = "setrange", .arity = 4, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = setrange_command,
      .group = "string", .since = "2.2.0", .complexity = "O(N) where N is the length of the value",
      .syntax = "key offset value",
      .summary = "Overwrites a string from an offset on, zero-filled up to it." },
    { 0 },
};
/* clang-format on */
