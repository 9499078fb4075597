/*
 * reply_container.c - headers of values that hold values.
 *
 * RESP2 and the native protocol have only arrays: a map is then a flat one of keys and values.
 */
#include "encode.h"

static void put_head(struct reply *reply, char resp_type, uint32_t count)
{
    char local[REPLY_NEED_MAX], *out = reply_place(reply, local);
    size_t size = likely(!is_native(reply)) ? put_resp_head(out, resp_type, count)
                                            : put_native_head(out, NATIVE_ARR, count);
    reply_place_end(reply, out, size);
}

void reply_array(struct reply *reply, uint32_t count)
{
    put_head(reply, '*', count);
}

void reply_map(struct reply *reply, uint32_t pairs)
{
    if (is_resp3(reply))
        put_head(reply, '%', pairs);
    else
        put_head(reply, '*', pairs * 2);
}

void reply_push(struct reply *reply, uint32_t count)
{
    char local[REPLY_NEED_MAX], *out = reply_place(reply, local);
    size_t size = is_native(reply) ? put_native_head(out, NATIVE_PUSH, count)
                                   : put_resp_head(out, is_resp3(reply) ? '>' : '*', count);
    reply_place_end(reply, out, size);
}

void reply_set(struct reply *reply, uint32_t count)
{
    put_head(reply, is_resp3(reply) ? '~' : '*', count);
}

void reply_prepend(struct reply *reply, struct reply_opened opened, struct bytes encoded)
{
    if (reply->no_memory || reply_reserve(reply, encoded.size) == NULL)
        return;
    char *at = reply->base + opened.at;
    memmove(at + encoded.size, at, reply->size - opened.at);
    memcpy(at, encoded.data, encoded.size);
    reply_commit(reply, encoded.size);
    for (uint32_t i = opened.pins; i < reply->pin_count; i++)
        reply->pins[i].offset += (uint32_t)encoded.size;
    for (uint32_t i = opened.marks; i < reply->mark_count; i++)
        reply->marks[i] += (uint32_t)encoded.size;
}

void reply_close(struct reply *reply, struct reply_opened opened, enum reply_container container,
                 uint32_t count)
{
    char bytes[REPLY_NEED_MAX];
    struct reply head;
    reply_init(&head, reply->proto, bytes, sizeof(bytes), NULL, 0);
    if (container == REPLY_MAP)
        reply_map(&head, count);
    else if (container == REPLY_SET)
        reply_set(&head, count);
    else
        reply_array(&head, count);
    reply_prepend(reply, opened, bytes_of(head.base, head.size));
}
