/*
 * decode_inline.c - commands as a person types them: "SET greeting \"hello\\n\"".
 *
 * Words are separated by blanks; a word may hold "..." with C escapes and \xHH, or '...' in which
 * only \' is special. A line without quotes is used where it is; one with quotes is copied without them.
 *
 * source   quoting rules as redis-server 7.0 applies them, asked by example
 */
#include "decode_steps.h"
#include "shoal/base/escape.h"
#include "shoal/proto/resize.h"

#include <stdlib.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* \v and \f separate words but do not end one, as in Redis. */
static bool ends_word(char c)
{
    return is_blank(c) && c != '\v' && c != '\f';
}

/* `at` is behind the opening `quote`. Returns what is behind the closing one, NULL if there is none
 * or a word goes on behind it. */
static const char *unquote(const char *at, const char *end, char quote, char **out)
{
    while (at < end && *at != quote) {
        bool backslash = *at == '\\' && end - at >= 2;
        if (backslash && quote == '"') {
            at = escape_read(at + 1, end, (*out)++);
        } else if (backslash && at[1] == '\'') {
            *(*out)++ = '\'';
            at += 2;
        } else {
            *(*out)++ = *at++;
        }
    }
    if (at == end || (at + 1 < end && !is_blank(at[1])))
        return NULL;
    return at + 1;
}

/* One word, unquoted into `out`; a closing quote ends it too. */
static const char *unquote_word(const char *at, const char *end, char **out)
{
    while (at < end && !ends_word(*at)) {
        if (*at == '"' || *at == '\'')
            return unquote(at + 1, end, *at, out);
        *(*out)++ = *at++;
    }
    return at;
}

static enum decode_status split_quoted(struct decoder *decoder, const char *line, size_t length)
{
    /* Never longer than the line: quotes and escapes only shrink. */
    char *unquoted = proto_resize(decoder->_unquoted, length);
    if (unquoted == NULL)
        return DECODE_NO_MEMORY;
    decoder->_unquoted = unquoted;
    const char *at = line, *end = line + length;
    char *out = unquoted;
    for (;;) {
        while (at < end && is_blank(*at))
            at++;
        if (at == end)
            return DECODE_OK;
        char *word = out;
        at = unquote_word(at, end, &out);
        if (at == NULL)
            return decoder_fail(decoder, "unbalanced quotes in request");
        if (!decoder_push(decoder, (size_t)(word - unquoted), (size_t)(out - word)))
            return DECODE_NO_MEMORY;
    }
}

static enum decode_status split_plain(struct decoder *decoder, const char *line, size_t length)
{
    size_t at = 0;
    for (;;) {
        while (at < length && is_blank(line[at]))
            at++;
        if (at == length)
            return DECODE_OK;
        size_t word = at;
        while (at < length && !ends_word(line[at]))
            at++;
        if (!decoder_push(decoder, word, at - word))
            return DECODE_NO_MEMORY;
    }
}

/* The first line of an HTTP request that a browser was talked into, or one of its headers. */
static bool from_browser(const struct decoder *decoder, const char *base)
{
    if (decoder->argc == 0)
        return false;
    struct bytes word = bytes_of(base + decoder->args[0].offset, decoder->args[0].size);
    return bytes_is(word, "post") || bytes_is(word, "host:");
}

enum decode_status decode_inline(struct decoder *decoder, const char *data, size_t size)
{
    size_t from = decoder->_scan;
    const char *lf = from < size ? memchr(data + from, '\n', size - from) : NULL;
    size_t length = lf != NULL ? (size_t)(lf - data) : size;
    if (length > DECODE_INLINE_MAX)
        return decoder_fail(decoder, "too big inline request");
    if (lf == NULL) {
        decoder->_scan = (uint32_t)size;
        return decoder_more(decoder, size + 1);
    }
    bool quoted = memchr(data, '"', length) != NULL || memchr(data, '\'', length) != NULL;
    decoder->argc = 0; /* a second try, after memory was out */
    enum decode_status status =
        quoted ? split_quoted(decoder, data, length) : split_plain(decoder, data, length);
    if (status != DECODE_OK)
        return status;
    const char *base = quoted ? decoder->_unquoted : data;
    if (from_browser(decoder, base))
        return decoder_fail(decoder, NULL);
    return decoder_done(decoder, base, length + 1);
}
