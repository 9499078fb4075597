/*
 * decode_resp.c - RESP requests: "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".
 *
 * Two readers of the same grammar. take_bulks() runs over complete, ordinary arguments with a few
 * compares each; whatever it does not like (a split, an odd number, an error) is left, at an
 * argument's border, to the careful one, which keeps its state in the decoder and knows every
 * error.
 */
#include "decode_steps.h"
#include "shoal/base/minmax.h"
#include "shoal/base/number.h"

#include <stdio.h>

/* What take_length() accepts; longer numbers are for the careful reader. */
enum { EASY_LENGTH_MAX = 99999999 };

static bool before_auth(const struct decode_limits *limits)
{
    return limits->args_max < DECODE_ARGS_MAX;
}

/* "<digits>\r\n" at `at`: returns what is behind it, NULL when it is not that simple. */
static inline const char *take_length(const char *at, const char *end, uint32_t *length)
{
    const char *start = at;
    uint32_t value = 0;
    for (; at < end; at++) {
        uint32_t digit = (uint32_t)(unsigned char)*at - '0';
        if (digit > 9)
            break;
        value = value * 10 + digit;
        if (unlikely(value > EASY_LENGTH_MAX))
            return NULL;
    }
    if (unlikely(end - at < 2 || memcmp(at, "\r\n", 2) != 0))
        return NULL;
    if (unlikely(at == start || (*start == '0' && at - start > 1)))
        return NULL;
    *length = value;
    return at + 2;
}

/* By one store: it is read in one piece a moment later, which two stores would hold up by 15 cycles
 * (they cannot be forwarded to it). x86-64 is little-endian. */
static inline void put_span(struct span *span, uint32_t offset, uint32_t size)
{
    uint64_t both = offset | (uint64_t)size << 32;
    memcpy(span, &both, sizeof(both));
}

/* Takes complete arguments while they are easy; moves _at, argc and _args_left. */
static inline void take_bulks(struct decoder *decoder, const struct decode_limits *limits,
                              const char *data, size_t size)
{
    const char *at = data + decoder->_at, *end = data + size;
    uint32_t left = decoder->_args_left, argc = decoder->argc, capacity = decoder->_capacity;
    struct span *args = decoder->args;

    while (left > 0 && argc < capacity) {
        uint32_t length;
        if (unlikely(at >= end || *at != '$'))
            break;
        const char *text = take_length(at + 1, end, &length);
        if (unlikely(text == NULL || length > limits->bulk_bytes_max))
            break;
        if (unlikely((size_t)(end - text) < (size_t)length + 2))
            break;
        if (unlikely(memcmp(text + length, "\r\n", 2) != 0))
            break;
        put_span(&args[argc++], (uint32_t)(text - data), length);
        at = text + length + 2;
        left--;
    }
    decoder->_at = (uint32_t)(at - data);
    decoder->argc = argc;
    decoder->_args_left = left;
}

/*
 * The line at _at, without its end; on success _at is behind it. A CR must be followed by LF: Redis
 * takes any byte there, which lets two parsers disagree about where a request ends.
 */
static enum decode_status read_line(struct decoder *decoder, const char *data, size_t size,
                                    const char *too_long, struct bytes *line)
{
    size_t at = decoder->_at, from = max(decoder->_scan, at);
    const char *cr = from < size ? memchr(data + from, '\r', size - from) : NULL;
    size_t length = (cr != NULL ? (size_t)(cr - data) : size) - at;
    if (length > DECODE_INLINE_MAX)
        return decoder_fail(decoder, too_long);
    if (cr == NULL || at + length + 1 == size) {
        decoder->_scan = (uint32_t)(at + length);
        return decoder_more(decoder, size + 1);
    }
    *line = bytes_of(data + at, length);
    decoder->_at = (uint32_t)(at + length + 2);
    return DECODE_OK;
}

/* The number behind the line's first byte. `line` is in the request, so the byte behind its CR can
 * be read. */
static bool line_number(struct bytes line, int64_t *number)
{
    return line.data[line.size + 1] == '\n' &&
           number_parse_i64(bytes_of(line.data + 1, line.size - 1), number);
}

static enum decode_status read_count(struct decoder *decoder, const struct decode_limits *limits,
                                     const char *data, size_t size)
{
    struct bytes line;
    int64_t count;
    enum decode_status status = read_line(decoder, data, size, "too big mbulk count string", &line);
    if (status != DECODE_OK)
        return status;
    if (!line_number(line, &count) || count > DECODE_ARGS_MAX)
        return decoder_fail(decoder, "invalid multibulk length");
    if (count > limits->args_max)
        return decoder_fail(decoder, "unauthenticated multibulk length");
    decoder->_args_left = count > 0 ? (uint32_t)count : 0;
    decoder->_bulk = -1;
    decoder->_state = DECODE_STATE_BULKS;
    return DECODE_OK;
}

static enum decode_status expected_dollar(struct decoder *decoder, char got)
{
    char text[32];
    snprintf(text, sizeof(text), "expected '$', got '%c'", got);
    return decoder_fail(decoder, text);
}

static enum decode_status read_bulk_length(struct decoder *decoder,
                                           const struct decode_limits *limits, const char *data,
                                           size_t size)
{
    struct bytes line;
    enum decode_status status = read_line(decoder, data, size, "too big bulk count string", &line);
    if (status != DECODE_OK)
        return status;
    if (line.data[0] != '$')
        return expected_dollar(decoder, line.data[0]);
    if (!line_number(line, &decoder->_bulk) || decoder->_bulk < 0)
        return decoder_fail(decoder, "invalid bulk length");
    if (decoder->_bulk > limits->bulk_bytes_max)
        return decoder_fail(decoder, before_auth(limits) ? "unauthenticated bulk length"
                                                         : "invalid bulk length");
    if (decoder->_bulk + 2 > (int64_t)UINT32_MAX - decoder->_at)
        return decoder_fail(decoder, "too big request");
    return DECODE_OK;
}

static enum decode_status read_bulk(struct decoder *decoder, const struct decode_limits *limits,
                                    const char *data, size_t size)
{
    if (decoder->_bulk < 0) {
        enum decode_status status = read_bulk_length(decoder, limits, data, size);
        if (status != DECODE_OK)
            return status;
    }
    size_t at = decoder->_at, end = at + (size_t)decoder->_bulk;
    if (size < end + 2)
        return decoder_more(decoder, end + 2);
    if (memcmp(data + end, "\r\n", 2) != 0)
        return decoder_fail(decoder, "bulk string is not followed by CRLF");
    if (!decoder_push(decoder, at, (size_t)decoder->_bulk))
        return DECODE_NO_MEMORY;
    decoder->_at = (uint32_t)(end + 2);
    decoder->_bulk = -1;
    decoder->_args_left--;
    return DECODE_OK;
}

/* "*<count>\r\n" of a request that begins here, when it is easy. */
static inline bool take_count(struct decoder *decoder, const struct decode_limits *limits,
                              const char *data, size_t size)
{
    uint32_t count;
    const char *behind = take_length(data + 1, data + size, &count);
    if (unlikely(behind == NULL || count > limits->args_max))
        return false;
    decoder->_at = (uint32_t)(behind - data);
    decoder->_args_left = count;
    decoder->_bulk = -1;
    decoder->_state = DECODE_STATE_BULKS;
    return true;
}

/*
 * A request that begins as the last one: its count and first argument are not read again. One
 * comparison of 16 bytes in place of two lengths, a name and a look-up costs 7 ns less a request.
 */
static inline bool take_same_head(struct decoder *decoder, const struct decode_limits *limits,
                                  const char *data, size_t size)
{
    const struct decode_head *head = &decoder->_head;
    uint64_t text[2];
    if (unlikely(size < sizeof(text) || head->size == 0))
        return false;
    memcpy(text, data, sizeof(text));
    if (((text[0] ^ head->text[0]) & head->mask[0]) != 0 ||
        ((text[1] ^ head->text[1]) & head->mask[1]) != 0 ||
        unlikely(head->count > limits->args_max))
        return false;
    decoder->args[0] = head->name;
    decoder->argc = 1;
    decoder->_at = head->size;
    decoder->_args_left = head->count - 1;
    decoder->_bulk = -1;
    decoder->_state = DECODE_STATE_BULKS;
    return true;
}

/* Remembers how this request began, unless that was long. */
static void keep_head(struct decoder *decoder, const char *data, size_t size)
{
    struct decode_head *head = &decoder->_head;
    if (decoder->argc == 0 || size < sizeof(head->text))
        return;
    uint32_t end = decoder->args[0].offset + decoder->args[0].size + 2;
    if (end > sizeof(head->text))
        return;
    char mask[sizeof(head->text)];
    for (uint32_t i = 0; i < sizeof(mask); i++)
        mask[i] = i < end ? -1 : 0;
    memcpy(head->mask, mask, sizeof(mask));
    memcpy(head->text, data, sizeof(head->text));
    head->size = end;
    head->count = decoder->argc;
    head->name = decoder->args[0];
}

enum decode_status decode_resp(struct decoder *decoder, const struct decode_limits *limits,
                               const char *data, size_t size)
{
    if (likely(decoder->_state == DECODE_STATE_START) &&
        !likely(take_same_head(decoder, limits, data, size))) {
        decoder_forget(decoder);
        if (size == 0)
            return decoder_more(decoder, 1);
        if (unlikely(data[0] != '*'))
            decoder->_state = DECODE_STATE_INLINE;
        else if (unlikely(!take_count(decoder, limits, data, size)))
            decoder->_state = DECODE_STATE_COUNT;
    }
    if (unlikely(decoder->_state == DECODE_STATE_INLINE))
        return decode_inline(decoder, data, size);
    if (unlikely(decoder->_state == DECODE_STATE_COUNT)) {
        enum decode_status status = read_count(decoder, limits, data, size);
        if (status != DECODE_OK)
            return status;
    }
    if (likely(decoder->_bulk < 0))
        take_bulks(decoder, limits, data, size);
    while (unlikely(decoder->_args_left > 0)) {
        enum decode_status status = read_bulk(decoder, limits, data, size);
        if (status != DECODE_OK)
            return status;
        take_bulks(decoder, limits, data, size);
    }
    if (unlikely(decoder->known == NULL))
        keep_head(decoder, data, size);
    return decoder_done(decoder, data, decoder->_at);
}
