/*
 * value_read.c - the native encoding read back.
 */
#include "shoal/proto/value_read.h"

#include "shoal/base/must.h"

enum { INTEGER_BYTES = 9, HEADER_BYTES = 5 };

struct native_value native_read_bytes(struct bytes bytes)
{
    struct native_value value = { .type = (enum native_type)bytes.data[0], .end = 1 };
    uint32_t size;
    switch (value.type) {
    case NATIVE_NIL:
        return value;
    case NATIVE_INTEGER:
        memcpy(&value.integer, bytes.data + 1, sizeof(value.integer));
        value.end = INTEGER_BYTES;
        return value;
    case NATIVE_ERROR:
    case NATIVE_TEXT:
        memcpy(&size, bytes.data + 1, sizeof(size));
        value.text = bytes_of(bytes.data + HEADER_BYTES, size);
        value.end = HEADER_BYTES + (size_t)size;
        return value;
    }
    must_failed("a value that shards give each other", __FILE__, __LINE__);
}

/* A text that stands outside: its header is the last before the pin. */
static const struct reply_pin *pin_at(const struct reply *reply, size_t at)
{
    for (uint32_t i = 0; i < reply->pin_count; i++)
        if (reply->pins[i].offset == at)
            return &reply->pins[i];
    return NULL;
}

struct native_value native_read(const struct reply *reply, size_t at)
{
    struct native_value value = native_read_bytes(bytes_of(reply->base + at, reply->size - at));
    const struct reply_pin *pin = NULL;
    if (value.type == NATIVE_TEXT && value.text.size > 0)
        pin = pin_at(reply, at + HEADER_BYTES);
    if (pin != NULL) {
        value.text = pin->text;
        value.end = HEADER_BYTES;
    }
    value.end += at;
    return value;
}
