/*
 * resp.c - RESP2 and RESP3 as the harness needs them.
 */
#include "protocol.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 32 }; /* deeper nesting is taken for nonsense */

static bool resp_lay_out(const struct command *command, const struct fill *fill,
                         struct layout *layout)
{
    char head[32];
    layout->size = layout->patches = 0;
    snprintf(head, sizeof(head), "*%u\r\n", command->argc);
    layout_text(layout, head);
    for (uint32_t i = 0; i < command->argc; i++) {
        snprintf(head, sizeof(head), "$%u\r\n", layout_arg_size(&command->args[i], fill));
        layout_text(layout, head);
        layout_arg(layout, &command->args[i], fill);
        layout_text(layout, "\r\n");
    }
    return true;
}

/* The number after the type byte, and the bytes of its line; REPLY_MORE, REPLY_BAD. */
static inline ptrdiff_t scan_number(const char *data, size_t size, int64_t *out)
{
    size_t at = 1;
    bool negative = size > 1 && data[1] == '-';
    uint64_t value = 0;
    for (at += negative; at < size && data[at] >= '0' && data[at] <= '9' && at < 21; at++)
        value = value * 10 + (uint64_t)(data[at] - '0');
    if (at + 1 >= size)
        return REPLY_MORE;
    if (data[at] != '\r' || data[at + 1] != '\n')
        return REPLY_BAD;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return (ptrdiff_t)at + 2;
}

static ptrdiff_t scan_line(const char *data, size_t size, struct reply *reply)
{
    const char *end = memchr(data, '\n', size);
    if (end == NULL)
        return REPLY_MORE;
    reply->data = data + 1;
    reply->size = end - data >= 2 ? (size_t)(end - data) - 2 : 0;
    return end - data + 1;
}

static ptrdiff_t scan_bulk(const char *data, size_t size, struct reply *reply)
{
    int64_t bytes = 0;
    ptrdiff_t head = scan_number(data, size, &bytes);
    if (head <= 0)
        return head;
    reply->kind = bytes < 0 ? REPLY_NIL : REPLY_VALUE;
    reply->values = bytes >= 0;
    reply->nils = bytes < 0;
    if (bytes < 0)
        return head;
    if ((size_t)head + (size_t)bytes + 2 > size)
        return REPLY_MORE;
    reply->data = data + head;
    reply->size = (size_t)bytes;
    return head + bytes + 2;
}

static ptrdiff_t scan_value(const char *data, size_t size, struct reply *reply, int depth);

static ptrdiff_t scan_elements(const char *data, size_t size, struct reply *reply, int depth)
{
    int64_t count = 0;
    ptrdiff_t at = scan_number(data, size, &count);
    if (at <= 0)
        return at;
    if (depth == DEPTH_MAX)
        return REPLY_BAD;
    reply->kind = count < 0 ? REPLY_NIL : REPLY_ARRAY;
    reply->nils = count < 0;
    reply->values = 0;
    count *= *data == '%' || *data == '|' ? 2 : 1;
    for (int64_t i = 0; i < count; i++) {
        struct reply element;
        ptrdiff_t used = scan_value(data + at, size - (size_t)at, &element, depth + 1);
        if (used <= 0)
            return used;
        reply->values += element.kind != REPLY_NIL;
        reply->nils += element.kind == REPLY_NIL;
        at += used;
    }
    return at;
}

static ptrdiff_t scan_value(const char *data, size_t size, struct reply *reply, int depth)
{
    ptrdiff_t used;
    if (size == 0)
        return REPLY_MORE;
    if (*data == '$')
        return scan_bulk(data, size, reply);
    reply->values = reply->nils = 0;
    switch (*data) {
    case '+':
        reply->kind = REPLY_OK;
        return scan_line(data, size, reply);
    case '-':
        reply->kind = REPLY_ERROR;
        return scan_line(data, size, reply);
    case ':':
    case ',':
    case '#':
    case '(':
        reply->kind = REPLY_INT;
        return scan_line(data, size, reply);
    case '_':
        reply->kind = REPLY_NIL;
        reply->nils = 1;
        return scan_line(data, size, reply);
    case '=':
    case '!':
        used = scan_bulk(data, size, reply);
        reply->kind = *data == '!' ? REPLY_ERROR : REPLY_VALUE;
        return used;
    case '>':
    case '|':
        used = scan_elements(data, size, reply, depth);
        reply->kind = REPLY_PUSH;
        return used;
    case '*':
    case '%':
    case '~':
        return scan_elements(data, size, reply, depth);
    default:
        return REPLY_BAD;
    }
}

static ptrdiff_t resp_scan(const char *data, size_t size, struct reply *reply)
{
    return scan_value(data, size, reply, 0);
}

const struct protocol PROTOCOL_RESP = {
    .name = "resp",
    .resp = true,
    .lay_out = resp_lay_out,
    .scan = resp_scan,
};
