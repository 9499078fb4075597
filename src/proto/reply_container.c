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
