/*
 * encode.h - the few byte patterns that replies are made of. Private to src/proto.
 */
#ifndef SHOAL_SRC_PROTO_ENCODE_H
#define SHOAL_SRC_PROTO_ENCODE_H

#include "shoal/base/number.h"
#include "shoal/proto/reply.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "native integers are stored as they lie");

enum native_type { NATIVE_NIL, NATIVE_ERR, NATIVE_STR, NATIVE_INT, NATIVE_ARR, NATIVE_PUSH };

enum {
    RESP_HEAD_MAX = 1 + INT64_TEXT_MAX + 2, /* ":-9223372036854775808\r\n" */
    NATIVE_HEAD_BYTES = 1 + 4,
    NATIVE_INT_BYTES = 1 + 8,
};
_Static_assert((int)RESP_HEAD_MAX <= (int)REPLY_NEED_MAX, "a header is a small element");

/* "$12\r\n", ":7\r\n", "*2\r\n". Returns its size. */
static inline size_t put_resp_head(char *out, char type, int64_t number)
{
    out[0] = type;
    if ((uint64_t)number < 10) {
        out[1] = (char)('0' + number);
        memcpy(out + 2, "\r\n", 2);
        return 4;
    }
    size_t size = 1 + number_format_i64(out + 1, number);
    memcpy(out + size, "\r\n", 2);
    return size + 2;
}

static inline size_t put_native_head(char *out, enum native_type type, uint32_t number)
{
    out[0] = (char)type;
    memcpy(out + 1, &number, sizeof(number));
    return NATIVE_HEAD_BYTES;
}

static inline size_t put_native_int(char *out, int64_t number)
{
    out[0] = NATIVE_INT;
    memcpy(out + 1, &number, sizeof(number));
    return NATIVE_INT_BYTES;
}

static inline bool is_native(const struct reply *reply)
{
    return reply->proto == PROTO_NATIVE;
}

static inline bool is_resp3(const struct reply *reply)
{
    return reply->proto == PROTO_RESP3;
}

/*
 * A place for a small element: in the reply when there is plenty of room, otherwise in `local`, so
 * that an almost full lent buffer is used to its last byte. reply_place_end() takes what was
 * written.
 */
static inline char *reply_place(struct reply *reply, char local[REPLY_NEED_MAX])
{
    if (likely(reply->capacity - reply->size >= REPLY_NEED_MAX))
        return reply->base + reply->size;
    return local;
}

static inline void reply_place_end(struct reply *reply, const char *place, size_t size)
{
    if (likely(place == reply->base + reply->size))
        reply_commit(reply, size);
    else
        reply_raw(reply, bytes_of(place, size));
}

#endif
