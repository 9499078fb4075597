/*
 * combine.c - values between shards: written by the source's, read and used by the destination's.
 *
 * A value is a nil, or three in a row: its deadline, its type, and the string (an empty one of a
 * type that is no string). Large strings are pinned and stay where they are.
 */
#include "shoal/cmd/combine.h"

#include "shoal/cmd/value.h"
#include "shoal/proto/value_read.h"

enum { FETCHED_RESIZED = 1 << 8 }; /* beside the type */

/* RENAME is no read of its source. */
static const struct item *look_up(struct exec *exec, uint32_t index)
{
    struct key key = exec_key_at(exec, index);
    return exec->command->combine->drops ? keyspace_find(exec->keyspace, key)
                                         : keyspace_read(exec->keyspace, key);
}

static void operand_init(struct operand *operand, const struct item *item)
{
    operand->value = bytes_of("", 0);
    if (item == NULL)
        return;
    operand->exists = true;
    operand->type = (uint8_t)item_type(item);
    operand->resized = item_resized(item);
    operand->expire_ms = item_expire_ms(item);
    if (operand->type == TYPE_STRING)
        operand->value = item_value(item, operand->scratch);
}

void combine_fetch(struct exec *exec, uint32_t index)
{
    struct reply *reply = exec->reply;
    uint8_t proto = reply->proto;
    const struct item *item = look_up(exec, index);
    reply->proto = PROTO_NATIVE;
    if (item == NULL) {
        reply_nil(reply);
    } else {
        reply_int(reply, item_expire_ms(item));
        reply_int(reply, item_type(item) | (item_resized(item) ? FETCHED_RESIZED : 0));
        if (item_type(item) == TYPE_STRING)
            value_reply(exec, item);
        else
            reply_str(reply, bytes_of("", 0));
    }
    reply->proto = proto;
}

size_t combine_read(const struct reply *reply, size_t at, struct operand *operand)
{
    struct native_value value = native_read(reply, at);
    operand->shipped = true;
    operand->value = bytes_of("", 0);
    if (value.type == NATIVE_NIL)
        return value.end;
    operand->exists = true;
    operand->expire_ms = value.integer;
    value = native_read(reply, value.end);
    operand->type = (uint8_t)(value.integer & ~(int64_t)FETCHED_RESIZED);
    operand->resized = value.integer & FETCHED_RESIZED;
    value = native_read(reply, value.end);
    operand->value = value.text;
    return value.end;
}

bool combine_store(struct exec *exec, struct operand *operands, uint32_t count)
{
    const struct combine *combine = exec->command->combine;
    for (uint32_t i = 0; i < count; i++)
        if (!operands[i].shipped)
            operand_init(&operands[i], look_up(exec, (uint32_t)combine->first_source + i));
    return combine->store(exec, operands, count);
}

void combine_drop(struct exec *exec, uint32_t index)
{
    if (exec->command->combine->drops)
        keyspace_delete(exec->keyspace, exec_key_at(exec, index));
}
