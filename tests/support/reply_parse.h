/*
 * reply_parse.h - an independent reader of RESP2, RESP3 and native replies, the judge of our
 * encoders.
 *
 * Written from the protocols' descriptions alone; shares no code with src/proto. Header-only,
 * because each test is a program of one file. A reply is rendered as text that is the same for
 * every protocol where the values are: "abc", 42, nil, !ERR text, +OK, [1 "a" [..]], {..} map,
 * ~[..] set, >[..] push, ,1.5 double, #t, =txt:.. verbatim.
 */
#ifndef SHOAL_TESTS_SUPPORT_REPLY_PARSE_H
#define SHOAL_TESTS_SUPPORT_REPLY_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum reply_dialect { DIALECT_RESP2, DIALECT_RESP3, DIALECT_NATIVE };

enum { REPLY_INCOMPLETE = 0, REPLY_MALFORMED = -1, REPLY_DEPTH_MAX = 64 };

struct reply_reader {
    const unsigned char *at, *end;
    enum reply_dialect dialect;
    char *text; /* rendered here, NULL: nowhere */
    size_t text_size, text_capacity;
    int status; /* 1 while all is well, else REPLY_INCOMPLETE or REPLY_MALFORMED */
};

__attribute__((unused)) static void reply_render(struct reply_reader *r, const void *data,
                                                 size_t size)
{
    if (r->text == NULL)
        return;
    for (size_t i = 0; i < size && r->text_size + 1 < r->text_capacity; i++)
        r->text[r->text_size++] = ((const char *)data)[i];
    r->text[r->text_size] = '\0';
}

static void reply_render_text(struct reply_reader *r, const char *text)
{
    reply_render(r, text, strlen(text));
}

static bool reply_stop(struct reply_reader *r, int status)
{
    if (r->status == 1)
        r->status = status;
    return false;
}

static bool reply_take(struct reply_reader *r, uint64_t size, const unsigned char **bytes)
{
    if ((uint64_t)(r->end - r->at) < size)
        return reply_stop(r, REPLY_INCOMPLETE);
    *bytes = r->at;
    r->at += size;
    return true;
}

static bool reply_take_line(struct reply_reader *r, const unsigned char **line, size_t *size)
{
    const unsigned char *at = r->at;
    while (at < r->end && *at != '\r' && *at != '\n')
        at++;
    if (at == r->end || (*at == '\r' && at + 1 == r->end))
        return reply_stop(r, REPLY_INCOMPLETE);
    if (at[0] != '\r' || at[1] != '\n')
        return reply_stop(r, REPLY_MALFORMED);
    *line = r->at;
    *size = (size_t)(at - r->at);
    r->at = at + 2;
    return true;
}

/* A canonical decimal number, the whole line. */
static bool reply_take_number(struct reply_reader *r, int64_t *number)
{
    const unsigned char *line;
    size_t size;
    char copy[24] = "", back[32];
    long long value;
    if (!reply_take_line(r, &line, &size))
        return false;
    if (size > 20)
        return reply_stop(r, REPLY_MALFORMED);
    memcpy(copy, line, size);
    if (sscanf(copy, "%lld", &value) != 1)
        return reply_stop(r, REPLY_MALFORMED);
    if ((size_t)sprintf(back, "%lld", value) != size || memcmp(back, line, size) != 0)
        return reply_stop(r, REPLY_MALFORMED);
    *number = value;
    return true;
}

static bool reply_take_value(struct reply_reader *r, int depth);

static bool reply_take_values(struct reply_reader *r, uint64_t count, const char *open,
                              const char *close, int depth)
{
    reply_render_text(r, open);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0)
            reply_render_text(r, " ");
        if (!reply_take_value(r, depth + 1))
            return false;
    }
    reply_render_text(r, close);
    return true;
}

static bool reply_take_quoted(struct reply_reader *r, uint64_t size)
{
    const unsigned char *bytes;
    if (!reply_take(r, size, &bytes))
        return false;
    reply_render_text(r, "\"");
    reply_render(r, bytes, size);
    reply_render_text(r, "\"");
    return true;
}

static bool reply_take_crlf(struct reply_reader *r)
{
    const unsigned char *bytes;
    if (!reply_take(r, 2, &bytes))
        return false;
    return memcmp(bytes, "\r\n", 2) == 0 || reply_stop(r, REPLY_MALFORMED);
}

static bool reply_take_native(struct reply_reader *r, int depth)
{
    const unsigned char *bytes;
    uint32_t size = 0;
    int64_t number;
    char text[32];
    if (!reply_take(r, 1, &bytes))
        return false;
    unsigned type = bytes[0];
    if (type == 1 || type == 2 || type == 4 || type == 5) {
        if (!reply_take(r, 4, &bytes))
            return false;
        size = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
               (uint32_t)bytes[3] << 24;
    }
    switch (type) {
    case 0:
        reply_render_text(r, "nil");
        return true;
    case 1:
        if (!reply_take(r, size, &bytes))
            return false;
        reply_render_text(r, "!");
        reply_render(r, bytes, size);
        return true;
    case 2:
        return reply_take_quoted(r, size);
    case 3:
        if (!reply_take(r, 8, &bytes))
            return false;
        memcpy(&number, bytes, 8);
        sprintf(text, "%lld", (long long)number);
        reply_render_text(r, text);
        return true;
    case 4:
        return reply_take_values(r, size, "[", "]", depth);
    case 5: /* a push: never inside another value */
        return depth == 0 ? reply_take_values(r, size, ">[", "]", depth)
                          : reply_stop(r, REPLY_MALFORMED);
    default:
        return reply_stop(r, REPLY_MALFORMED);
    }
}

static bool reply_take_resp(struct reply_reader *r, int depth)
{
    const unsigned char *line, *type;
    size_t size;
    int64_t n;
    char text[32];
    if (!reply_take(r, 1, &type))
        return false;
    if (r->dialect == DIALECT_RESP2 && strchr("+-:$*", *type) == NULL)
        return reply_stop(r, REPLY_MALFORMED);
    switch (*type) {
    case '+':
    case '-':
    case ',':
    case '#':
    case '_':
        if (!reply_take_line(r, &line, &size))
            return false;
        if ((*type == '_' && size != 0) || (*type == '#' && (size != 1 || !strchr("tf", line[0]))))
            return reply_stop(r, REPLY_MALFORMED);
        if (*type == '_')
            reply_render_text(r, "nil");
        else
            reply_render(r, *type == '-' ? (const unsigned char *)"!" : type, 1);
        reply_render(r, line, size);
        return true;
    case ':':
        if (!reply_take_number(r, &n))
            return false;
        sprintf(text, "%lld", (long long)n);
        reply_render_text(r, text);
        return true;
    case '$':
    case '=':
        if (!reply_take_number(r, &n))
            return false;
        if (n == -1 && *type == '$' && r->dialect == DIALECT_RESP2) {
            reply_render_text(r, "nil");
            return true;
        }
        if (n < 0 || (*type == '=' && n < 4))
            return reply_stop(r, REPLY_MALFORMED);
        if (*type == '=')
            reply_render_text(r, "=");
        return reply_take_quoted(r, (uint64_t)n) && reply_take_crlf(r);
    case '*':
    case '~':
    case '>':
    case '%':
        if (!reply_take_number(r, &n))
            return false;
        if (n == -1 && *type == '*' && r->dialect == DIALECT_RESP2) {
            reply_render_text(r, "nil");
            return true;
        }
        if (n < 0)
            return reply_stop(r, REPLY_MALFORMED);
        if (*type == '%')
            return reply_take_values(r, 2 * (uint64_t)n, "{", "}", depth);
        if (*type != '*')
            reply_render(r, type, 1);
        return reply_take_values(r, (uint64_t)n, "[", "]", depth);
    default:
        return reply_stop(r, REPLY_MALFORMED);
    }
}

static bool reply_take_value(struct reply_reader *r, int depth)
{
    if (depth > REPLY_DEPTH_MAX)
        return reply_stop(r, REPLY_MALFORMED);
    return r->dialect == DIALECT_NATIVE ? reply_take_native(r, depth) : reply_take_resp(r, depth);
}

/*
 * Reads one reply (a native one with its frame).
 *
 *   text     gets the rendering, cut at `capacity`; NULL: none
 *   returns  bytes it took; REPLY_INCOMPLETE; REPLY_MALFORMED
 */
__attribute__((unused)) static long reply_parse(enum reply_dialect dialect, const void *data,
                                                size_t size, char *text, size_t capacity)
{
    const unsigned char *start = data, *frame_end = NULL, *head;
    struct reply_reader r = { start, start + size, dialect, text, 0, capacity, 1 };
    if (text != NULL)
        text[0] = '\0';
    if (dialect == DIALECT_NATIVE) {
        uint32_t length;
        if (!reply_take(&r, 4, &head))
            return r.status;
        memcpy(&length, head, 4);
        if ((uint64_t)(r.end - r.at) < length)
            return REPLY_INCOMPLETE;
        frame_end = r.end = r.at + length;
    }
    if (!reply_take_value(&r, 0))
        return frame_end != NULL ? REPLY_MALFORMED : r.status;
    if (frame_end != NULL && r.at != frame_end)
        return REPLY_MALFORMED;
    return r.at - start;
}

/* Complete replies in `data`, REPLY_MALFORMED when it is anything but whole, good replies. */
__attribute__((unused)) static long reply_count(enum reply_dialect dialect, const void *data,
                                                size_t size)
{
    const char *at = data, *end = at + size;
    long count = 0;
    for (; at < end; count++) {
        long taken = reply_parse(dialect, at, (size_t)(end - at), NULL, 0);
        if (taken <= 0)
            return REPLY_MALFORMED;
        at += taken;
    }
    return count;
}

#endif
