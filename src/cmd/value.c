/*
 * value.c - what every handler of strings needs from an item.
 */
#include "shoal/cmd/value.h"

#include "shoal/cmd/errors.h"

bool value_live(const struct keyspace *keyspace, const struct item *item)
{
    int64_t expire_ms = item_expire_ms(item);
    return expire_ms == 0 || expire_ms > keyspace->now_ms;
}

void value_reply(struct exec *exec, const struct item *item)
{
    char scratch[INT64_TEXT_MAX];
    if (item == NULL)
        reply_nil(exec->reply);
    else
        value_reply_part(exec, item, item_value(item, scratch));
}

void value_reply_part(struct exec *exec, const struct item *item, struct bytes part)
{
    struct reply *reply = exec->reply;
    if (part.size < REPLY_PIN_BYTES_MIN || item_encoding(item) != ITEM_BLOB) {
        reply_str(reply, part);
        return;
    }
    /* the reference goes with the pin */
    struct blob *blob = item_blob(item);
    blob_read(blob);
    if (!reply_str_pinned(reply, part, blob))
        blob_unread(blob);
}

struct value_mark value_mark(const struct exec *exec)
{
    return (struct value_mark){ .size = exec->reply->size, .pins = exec->reply->pin_count };
}

void value_rollback(struct exec *exec, struct value_mark mark)
{
    for (uint32_t i = mark.pins; i < exec->reply->pin_count; i++)
        blob_unread(exec->reply->pins[i].pin);
    reply_rollback(exec->reply, mark.size);
}

bool value_int(const struct item *item, int64_t *out)
{
    char scratch[INT64_TEXT_MAX];
    if (item_encoding(item) != ITEM_INT)
        return number_parse_i64(item_value(item, scratch), out);
    *out = item_int(item);
    return true;
}

size_t value_size(const struct item *item)
{
    return item == NULL ? 0 : item_value_size(item);
}

struct bytes value_or_empty(const struct item *item, char scratch[INT64_TEXT_MAX])
{
    return item == NULL ? bytes_of("", 0) : item_value(item, scratch);
}

bool value_size_ok(struct exec *exec, uint64_t size)
{
    if (likely(size <= exec_limits(exec)->value_bytes_max))
        return true;
    reply_error(exec->reply, ERR_STRING_TOO_LONG);
    return false;
}

bool value_reserve(struct exec *exec, struct item **item, uint64_t size)
{
    struct key key = exec_key(exec);
    uint64_t cost = keyspace_resize_cost(*item, key.name.size, size);
    if (cost == 0)
        return true;
    if (!exec_reserve(exec, cost, keyspace_cost(key.name.size, size)))
        return false;
    *item = keyspace_find(exec->keyspace, key);
    return true;
}

bool value_store(struct exec *exec, struct key key, struct bytes value, int64_t expire_ms)
{
    if (unlikely(value.size > VALUE_BYTES_MAX)) {
        reply_error(exec->reply, ERR_STRING_TOO_LONG);
        return false;
    }
    if (likely(keyspace_set(exec->keyspace, key, value, expire_ms)))
        return true;
    reply_error(exec->reply, ERR_NO_MEMORY);
    return false;
}

const char *value_type_name(const struct item *item)
{
    return value_types[item_type(item)]->name;
}
