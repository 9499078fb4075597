/*
 * reply_value.c - one value, in the words of each protocol.
 *
 *              RESP2           RESP3           native
 *   string     $3 abc          $3 abc          STR
 *   simple     +OK             +OK             STR
 *   error      -ERR ...        -ERR ...        ERR
 *   integer    :1              :1              INT
 *   nil        $-1 (or *-1)    _               NIL
 *   double     $3 1.5          ,1.5            STR
 *   boolean    :1              #t              INT
 *   verbatim   $4 text         =8 txt:text     STR
 */
#include "shoal/proto/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "encode.h"

enum { COPY_INLINE_MAX = 32 };

/* memcpy() without the call for the sizes that most values have. */
static inline void copy_text(char *to, const char *from, size_t size)
{
    if (size > COPY_INLINE_MAX) {
        memcpy(to, from, size);
    } else if (size >= 16) {
        char head[16], tail[16];
        memcpy(head, from, 16);
        memcpy(tail, from + size - 16, 16);
        memcpy(to, head, 16);
        memcpy(to + size - 16, tail, 16);
    } else if (size >= 8) {
        uint64_t head, tail;
        memcpy(&head, from, 8);
        memcpy(&tail, from + size - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + size - 8, &tail, 8);
    } else {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    }
}

static void put_native_str(struct reply *reply, enum native_type type, struct bytes text)
{
    char *out = reply_reserve(reply, NATIVE_HEAD_BYTES + text.size);
    if (unlikely(out == NULL))
        return;
    put_native_head(out, type, (uint32_t)text.size);
    copy_text(out + NATIVE_HEAD_BYTES, text.data, text.size);
    reply_commit(reply, NATIVE_HEAD_BYTES + text.size);
}

/* "<head>\r\n<text>\r\n". */
static inline void put_resp_str(struct reply *reply, struct bytes text)
{
    char local[REPLY_NEED_MAX];
    size_t room = reply->capacity - reply->size;
    if (likely(room >= RESP_HEAD_MAX + 2 && room - RESP_HEAD_MAX - 2 >= text.size)) {
        char *out = reply->base + reply->size,
             *at = out + put_resp_head(out, '$', (int64_t)text.size);
        copy_text(at, text.data, text.size);
        memcpy(at + text.size, "\r\n", 2);
        reply_commit(reply, (size_t)(at - out) + text.size + 2);
        return;
    }
    size_t head = put_resp_head(local, '$', (int64_t)text.size);
    char *out = reply_reserve(reply, head + text.size + 2);
    if (out == NULL)
        return;
    memcpy(out, local, head);
    copy_text(out + head, text.data, text.size);
    memcpy(out + head + text.size, "\r\n", 2);
    reply_commit(reply, head + text.size + 2);
}

void reply_str(struct reply *reply, struct bytes text)
{
    if (likely(!is_native(reply)))
        put_resp_str(reply, text);
    else
        put_native_str(reply, NATIVE_STR, text);
}

void reply_cstr(struct reply *reply, const char *text)
{
    reply_str(reply, bytes_str(text));
}

void reply_int(struct reply *reply, int64_t value)
{
    char local[REPLY_NEED_MAX], *out = reply_place(reply, local);
    size_t size =
        likely(!is_native(reply)) ? put_resp_head(out, ':', value) : put_native_int(out, value);
    reply_place_end(reply, out, size);
}

static inline void put_literal(struct reply *reply, const char *text, size_t size)
{
    char *out = reply_reserve(reply, size);
    if (unlikely(out == NULL))
        return;
    memcpy(out, text, size);
    reply_commit(reply, size);
}

void reply_nil(struct reply *reply)
{
    if (likely(!is_native(reply) && !is_resp3(reply)))
        put_literal(reply, "$-1\r\n", 5);
    else if (is_resp3(reply))
        put_literal(reply, "_\r\n", 3);
    else
        put_literal(reply, "\0", 1); /* NATIVE_NIL */
}

void reply_nil_array(struct reply *reply)
{
    if (is_native(reply) || is_resp3(reply))
        reply_nil(reply);
    else
        put_literal(reply, "*-1\r\n", 5);
}

void reply_ok(struct reply *reply)
{
    if (likely(!is_native(reply)))
        put_literal(reply, "+OK\r\n", 5);
    else
        put_native_str(reply, NATIVE_STR, bytes_of("OK", 2));
}

/* One line of RESP: what would end it early becomes a space. */
static void put_line(struct reply *reply, char type, const char *text, size_t size)
{
    char *out = reply_reserve(reply, size + 3);
    if (out == NULL)
        return;
    out[0] = type;
    for (size_t i = 0; i < size; i++)
        out[i + 1] = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    memcpy(out + size + 1, "\r\n", 2);
    reply_commit(reply, size + 3);
}

void reply_simple(struct reply *reply, const char *text)
{
    if (is_native(reply))
        put_native_str(reply, NATIVE_STR, bytes_str(text));
    else
        put_line(reply, '+', text, strlen(text));
}

static void keep_error_code(struct reply *reply, const char *text)
{
    size_t size = strcspn(text, " \r\n");
    if (size >= sizeof(reply->error_code))
        size = sizeof(reply->error_code) - 1;
    memcpy(reply->error_code, text, size);
    reply->error_code[size] = '\0';
    reply->errors++;
}

void reply_error(struct reply *reply, const char *text)
{
    keep_error_code(reply, text);
    size_t from = reply->size, size = strlen(text);
    if (!is_native(reply)) {
        put_line(reply, '-', text, size);
        return;
    }
    put_native_str(reply, NATIVE_ERR, bytes_of(text, size));
    for (size_t i = from + NATIVE_HEAD_BYTES; i < reply->size; i++) {
        if (reply->base[i] == '\r' || reply->base[i] == '\n')
            reply->base[i] = ' ';
    }
}

void reply_errorf(struct reply *reply, const char *format, ...)
{
    char text[REPLY_ERROR_TEXT_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* of a client's word at the end its newlines go, as in Redis; others become spaces */
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\n'))
        text[--size] = '\0';
    reply_error(reply, text);
}

void reply_double(struct reply *reply, double value)
{
    char text[DOUBLE_TEXT_MAX];
    size_t size = number_format_double(text, value);
    if (is_resp3(reply))
        put_line(reply, ',', text, size);
    else
        reply_str(reply, bytes_of(text, size));
}

void reply_bool(struct reply *reply, bool value)
{
    if (is_resp3(reply))
        put_literal(reply, value ? "#t\r\n" : "#f\r\n", 4);
    else
        reply_int(reply, value);
}

void reply_verbatim(struct reply *reply, struct bytes text, const char *format)
{
    if (!is_resp3(reply)) {
        reply_str(reply, text);
        return;
    }
    char local[REPLY_NEED_MAX], *out = reply_place(reply, local);
    size_t head = put_resp_head(out, '=', (int64_t)text.size + 4);
    memcpy(out + head, format, 3);
    out[head + 3] = ':';
    reply_place_end(reply, out, head + 4);
    reply_raw(reply, text);
    reply_raw(reply, bytes_of("\r\n", 2));
}
