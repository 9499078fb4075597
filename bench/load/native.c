/*
 * native.c - shoal's binary protocol: length-prefixed frames, so a reply's end needs no search.
 *
 *   request   u32 size | u8 strings | strings x { u32 size, bytes }
 *   reply     u32 size | u8 type    | what the type says         (integers little-endian)
 */
#include "protocol.h"

#include <string.h>

enum {
    HEAD_BYTES = 4,
    VALUE_HEAD_BYTES = 5, /* type and u32 */
    FRAME_BYTES_MAX = 1 << 27,
};
enum native_type { NATIVE_NIL, NATIVE_ERR, NATIVE_STR, NATIVE_INT, NATIVE_ARR };

static void layout_u32(struct layout *layout, uint32_t value)
{
    layout_bytes(layout, &value, sizeof(value)); /* little-endian hosts only, as the server */
}

static bool native_lay_out(const struct command *command, const struct fill *fill,
                           struct layout *layout)
{
    uint32_t size = 1;
    uint8_t strings = (uint8_t)command->argc;
    for (uint32_t i = 0; i < command->argc; i++)
        size += HEAD_BYTES + layout_arg_size(&command->args[i], fill);
    layout->size = layout->patches = 0;
    layout_u32(layout, size);
    layout_bytes(layout, &strings, 1);
    for (uint32_t i = 0; i < command->argc; i++) {
        layout_u32(layout, layout_arg_size(&command->args[i], fill));
        layout_arg(layout, &command->args[i], fill);
    }
    return true;
}

static uint32_t read_u32(const char *data)
{
    uint32_t value;
    memcpy(&value, data, sizeof(value));
    return value;
}

/* An array's elements are walked one level deep to tell values from nils; nested arrays count as
 * one value each, and the walk ends at the first. */
static void count_elements(const char *data, const char *end, struct reply *reply)
{
    uint32_t count = read_u32(data + 1);
    data += VALUE_HEAD_BYTES;
    for (uint32_t i = 0; i < count && data < end; i++) {
        uint8_t type = (uint8_t)*data;
        reply->nils += type == NATIVE_NIL;
        reply->values += type != NATIVE_NIL;
        if (type == NATIVE_ARR)
            return;
        if (type == NATIVE_NIL)
            data += 1;
        else if (type == NATIVE_INT)
            data += 9;
        else if (end - data < VALUE_HEAD_BYTES)
            return;
        else
            data += VALUE_HEAD_BYTES + read_u32(data + 1);
    }
}

static ptrdiff_t native_scan(const char *data, size_t size, struct reply *reply)
{
    static const enum reply_kind KINDS[] = {
        [NATIVE_NIL] = REPLY_NIL, [NATIVE_ERR] = REPLY_ERROR, [NATIVE_STR] = REPLY_VALUE,
        [NATIVE_INT] = REPLY_INT, [NATIVE_ARR] = REPLY_ARRAY,
    };
    if (size < HEAD_BYTES)
        return REPLY_MORE;
    uint32_t frame = read_u32(data);
    if (frame < 1 || frame >= FRAME_BYTES_MAX)
        return REPLY_BAD;
    if (size < HEAD_BYTES + (size_t)frame)
        return REPLY_MORE;
    const char *value = data + HEAD_BYTES;
    uint8_t type = (uint8_t)*value;
    if (type > NATIVE_ARR || (type != NATIVE_NIL && frame < VALUE_HEAD_BYTES))
        return REPLY_BAD;
    reply->kind = KINDS[type];
    reply->values = type == NATIVE_STR;
    reply->nils = type == NATIVE_NIL;
    reply->data = value + VALUE_HEAD_BYTES;
    reply->size = frame > VALUE_HEAD_BYTES ? frame - VALUE_HEAD_BYTES : 0;
    if (type == NATIVE_ARR)
        count_elements(value, value + frame, reply);
    return HEAD_BYTES + (ptrdiff_t)frame;
}

const struct protocol PROTOCOL_NATIVE = {
    .name = "native",
    .resp = true,
    .lay_out = native_lay_out,
    .scan = native_scan,
};
