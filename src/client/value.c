/*
 * value.c - reply frames of the native protocol to struct shoal_reply.
 */
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum {
    LENGTH_BYTES = 4,
    TYPE_BYTES = 1,
    HEAD_BYTES = TYPE_BYTES + 4,
    INTEGER_BYTES = TYPE_BYTES + 8
};

struct cursor {
    const char *at, *end;
};

static uint32_t load_u32(const char *from)
{
    const unsigned char *b = (const unsigned char *)from;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Two's complement, whatever the machine's byte order. */
static int64_t load_i64(const char *from)
{
    return (int64_t)((uint64_t)load_u32(from + 4) << 32 | load_u32(from));
}

/*
 * Whether the first bytes can be a frame at all. Asked before the frame is complete: another
 * server's greeting read as a length would have us wait for a gigabyte.
 */
static bool may_be_frame(const char *data, size_t size)
{
    if (size < LENGTH_BYTES + TYPE_BYTES)
        return true;
    uint32_t length = load_u32(data);
    switch ((unsigned char)data[LENGTH_BYTES]) {
    case SHOAL_NIL:
        return length == TYPE_BYTES;
    case SHOAL_INTEGER:
        return length == INTEGER_BYTES;
    case SHOAL_ERROR:
    case SHOAL_STRING:
        return length >= HEAD_BYTES &&
               (size < LENGTH_BYTES + HEAD_BYTES ||
                load_u32(data + LENGTH_BYTES + TYPE_BYTES) == length - HEAD_BYTES);
    case SHOAL_ARRAY:
    case SHOAL_PUSH:
        return length >= HEAD_BYTES &&
               (size < LENGTH_BYTES + HEAD_BYTES ||
                load_u32(data + LENGTH_BYTES + TYPE_BYTES) <= length - HEAD_BYTES);
    default:
        return false;
    }
}

static enum value_status read_text(struct cursor *cursor, uint32_t size, struct shoal_reply *reply)
{
    if ((size_t)(cursor->end - cursor->at) < size)
        return VALUE_BAD;
    reply->text = malloc((size_t)size + 1);
    if (reply->text == NULL)
        return VALUE_NO_MEMORY;
    memcpy(reply->text, cursor->at, size);
    reply->text[size] = '\0';
    reply->size = size;
    cursor->at += size;
    return VALUE_OK;
}

static enum value_status read_value(struct cursor *cursor, int depth, struct shoal_reply *reply);

static enum value_status read_elements(struct cursor *cursor, uint32_t count, int depth,
                                       struct shoal_reply *reply)
{
    /* an element takes at least a byte, so memory follows what was received */
    if ((size_t)(cursor->end - cursor->at) < count || depth == REPLY_DEPTH_MAX)
        return VALUE_BAD;
    reply->elements = calloc(count > 0 ? count : 1, sizeof(*reply->elements));
    if (reply->elements == NULL)
        return VALUE_NO_MEMORY;
    reply->count = count;
    enum value_status status = VALUE_OK;
    for (uint32_t i = 0; i < count && status == VALUE_OK; i++)
        status = read_value(cursor, depth + 1, &reply->elements[i]);
    return status;
}

static enum value_status read_value(struct cursor *cursor, int depth, struct shoal_reply *reply)
{
    size_t left = (size_t)(cursor->end - cursor->at);
    if (left == 0 || (unsigned char)*cursor->at > (depth == 0 ? SHOAL_PUSH : SHOAL_ARRAY))
        return VALUE_BAD; /* a push is never part of another value */
    reply->type = (enum shoal_type) * cursor->at;
    if (reply->type == SHOAL_NIL) {
        cursor->at += TYPE_BYTES;
        return VALUE_OK;
    }
    if (left < (reply->type == SHOAL_INTEGER ? INTEGER_BYTES : HEAD_BYTES))
        return VALUE_BAD;
    if (reply->type == SHOAL_INTEGER) {
        reply->integer = load_i64(cursor->at + TYPE_BYTES);
        cursor->at += INTEGER_BYTES;
        return VALUE_OK;
    }
    uint32_t size = load_u32(cursor->at + TYPE_BYTES);
    cursor->at += HEAD_BYTES;
    if (reply->type == SHOAL_ARRAY || reply->type == SHOAL_PUSH)
        return read_elements(cursor, size, depth, reply);
    return read_text(cursor, size, reply);
}

enum value_status shoal_value_read(const char *data, size_t size, struct shoal_reply *reply,
                                   size_t *taken)
{
    memset(reply, 0, sizeof(*reply));
    if (!may_be_frame(data, size))
        return VALUE_BAD;
    if (size < LENGTH_BYTES || size - LENGTH_BYTES < load_u32(data))
        return VALUE_INCOMPLETE;
    struct cursor cursor = { data + LENGTH_BYTES, data + LENGTH_BYTES + load_u32(data) };
    enum value_status status = read_value(&cursor, 0, reply);
    if (status == VALUE_OK && cursor.at != cursor.end)
        status = VALUE_BAD;
    if (status != VALUE_OK)
        shoal_reply_free(reply);
    *taken = LENGTH_BYTES + load_u32(data);
    return status;
}

void shoal_reply_free(struct shoal_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        shoal_reply_free(&reply->elements[i]);
    free(reply->elements);
    free(reply->text);
    memset(reply, 0, sizeof(*reply));
}
