/*
 * protocol.c - the list of protocols and what they share: building a request's layout.
 */
#include "protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shoal/base/must.h"

static const struct protocol *const PROTOCOLS[] = {
    &PROTOCOL_RESP,
    &PROTOCOL_NATIVE,
    &PROTOCOL_MEMCACHE,
};

const struct protocol *protocol_find(const char *name)
{
    for (size_t i = 0; i < sizeof(PROTOCOLS) / sizeof(PROTOCOLS[0]); i++) {
        if (strcmp(PROTOCOLS[i]->name, name) == 0)
            return PROTOCOLS[i];
    }
    return NULL;
}

static char *layout_room(struct layout *layout, size_t size)
{
    if (layout->size + size > layout->capacity) {
        layout->capacity = (uint32_t)(layout->size + size) * 2 + 256;
        layout->bytes = realloc(layout->bytes, layout->capacity);
        must(layout->bytes != NULL);
    }
    char *at = layout->bytes + layout->size;
    layout->size += (uint32_t)size;
    return at;
}

void layout_bytes(struct layout *layout, const void *data, size_t size)
{
    memcpy(layout_room(layout, size), data, size);
}

void layout_text(struct layout *layout, const char *text)
{
    layout_bytes(layout, text, strlen(text));
}

static int ttl_text(char out[24], const struct fill *fill)
{
    return snprintf(out, 24, "%" PRIu64, fill->ttl_ms);
}

/* Printable filler that does not compress to nothing: servers and links should not profit. */
static void filler(char *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (char)('a' + (i * 7 + i / 26) % 26);
}

void layout_part(struct layout *layout, enum part part, const struct fill *fill)
{
    char ttl[24];
    must(layout->patches < COMMAND_ARGS_MAX);
    if (part != PART_TEXT && part != PART_TTL)
        layout->patch[layout->patches++] = (struct patch){ .offset = layout->size, .part = part };
    if (part == PART_KEY)
        layout_bytes(layout, fill->key->zero, fill->key->size);
    else if (part == PART_DATA)
        filler(layout_room(layout, fill->data_size), fill->data_size);
    else if (part == PART_RAND)
        layout_text(layout, "000000000000");
    else if (part == PART_TTL)
        layout_bytes(layout, ttl, (size_t)ttl_text(ttl, fill));
}

void layout_arg(struct layout *layout, const struct arg *arg, const struct fill *fill)
{
    layout_text(layout, arg->before);
    layout_part(layout, arg->part, fill);
    layout_text(layout, arg->after);
}

uint32_t layout_arg_size(const struct arg *arg, const struct fill *fill)
{
    char ttl[24];
    uint32_t size = (uint32_t)(strlen(arg->before) + strlen(arg->after));
    switch (arg->part) {
    case PART_KEY:
        return size + fill->key->size;
    case PART_DATA:
        return size + fill->data_size;
    case PART_RAND:
        return size + RAND_DIGITS;
    case PART_TTL:
        return size + (uint32_t)ttl_text(ttl, fill);
    default:
        return size;
    }
}

void layout_fini(struct layout *layout)
{
    free(layout->bytes);
    layout->bytes = NULL;
    layout->size = layout->capacity = 0;
}
