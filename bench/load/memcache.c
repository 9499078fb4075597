/*
 * memcache.c - memcached's text protocol: get, set and delete, for comparisons.
 */
#include "protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool lay_out_get(const struct command *command, const struct fill *fill,
                        struct layout *layout)
{
    layout_text(layout, "get");
    for (uint32_t i = 1; i < command->argc; i++) {
        layout_text(layout, " ");
        layout_arg(layout, &command->args[i], fill);
    }
    layout_text(layout, "\r\n");
    return true;
}

/* SET key value [PX ms]; memcached counts in seconds. */
static bool lay_out_set(const struct command *command, const struct fill *fill,
                        struct layout *layout)
{
    char numbers[64];
    if (command->argc != 3 && command->argc != 5)
        return false;
    uint64_t ttl_s = command->argc == 5 ? (fill->ttl_ms + 999) / 1000 : 0;
    layout_text(layout, "set ");
    layout_arg(layout, &command->args[1], fill);
    snprintf(numbers, sizeof(numbers), " 0 %" PRIu64 " %u\r\n", ttl_s,
             layout_arg_size(&command->args[2], fill));
    layout_text(layout, numbers);
    layout_arg(layout, &command->args[2], fill);
    layout_text(layout, "\r\n");
    return true;
}

static bool memcache_lay_out(const struct command *command, const struct fill *fill,
                             struct layout *layout)
{
    layout->size = layout->patches = 0;
    if (command->op == OP_GET && command->argc >= 2)
        return lay_out_get(command, fill, layout);
    if (command->op == OP_SET)
        return lay_out_set(command, fill, layout);
    if (command->op == OP_DEL && command->argc == 2) {
        layout_text(layout, "delete ");
        layout_arg(layout, &command->args[1], fill);
        layout_text(layout, "\r\n");
        return true;
    }
    if (command->op == OP_OTHER && command->argc == 1) { /* "stats", "flush_all", "version" */
        layout_text(layout, command->args[0].before);
        layout_text(layout, "\r\n");
        return true;
    }
    return false;
}

/* The number of bytes that ends a line "VALUE key flags bytes". */
static size_t value_bytes(const char *line, const char *end)
{
    size_t value = 0, unit = 1;
    for (const char *at = end - 1; at > line && *at >= '0' && *at <= '9'; at--, unit *= 10)
        value += (size_t)(*at - '0') * unit;
    return value;
}

/* Reads lines up to END: VALUE blocks of a get, or STAT lines. */
static ptrdiff_t scan_until_end(const char *data, size_t size, struct reply *reply)
{
    size_t at = 0;
    for (;;) {
        const char *line = data + at;
        const char *end = memchr(line, '\n', size - at);
        if (end == NULL || end == line)
            return end == NULL ? REPLY_MORE : REPLY_BAD;
        at = (size_t)(end - data) + 1;
        if (*line == 'E')
            return (ptrdiff_t)at;
        if (*line == 'S')
            continue;
        if (*line != 'V')
            return REPLY_BAD;
        reply->size = value_bytes(line, end - 1);
        reply->data = end + 1;
        reply->values++;
        at += reply->size + 2;
        if (at >= size)
            return REPLY_MORE;
    }
}

static ptrdiff_t memcache_scan(const char *data, size_t size, struct reply *reply)
{
    if (size < 5)
        return REPLY_MORE;
    *reply = (struct reply){ .data = data };
    bool list = *data == 'V' && data[1] == 'A';
    list |= *data == 'E' && data[1] == 'N';
    list |= *data == 'S' && data[3] == 'T' && data[4] == ' ';
    if (list) {
        ptrdiff_t used = scan_until_end(data, size, reply);
        if (*data == 'S') {
            reply->size = used > 0 ? (size_t)used : 0;
            return used;
        }
        reply->kind = reply->values == 0   ? REPLY_NIL
                      : reply->values == 1 ? REPLY_VALUE
                                           : REPLY_ARRAY;
        reply->nils = reply->values == 0;
        return used;
    }
    const char *end = memchr(data, '\n', size);
    if (end == NULL)
        return REPLY_MORE;
    bool error =
        *data == 'E' || *data == 'C' || (*data == 'S' && data[1] == 'E') ||
        (*data == 'N' && data[4] == 'S'); /* ERROR, CLIENT_ERROR, SERVER_ERROR, NOT_STORED */
    reply->kind = error ? REPLY_ERROR : REPLY_OK;
    reply->size = (size_t)(end - data) - 1;
    return end - data + 1;
}

const struct protocol PROTOCOL_MEMCACHE = {
    .name = "memcached",
    .resp = false,
    .lay_out = memcache_lay_out,
    .scan = memcache_scan,
};
