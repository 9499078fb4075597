/*
 * fuzz_inline.c - one inline command against a splitter that was written from redis's rules alone.
 * See run.sh. (fuzz_resp.c feeds streams of them, in splits.)
 *
 * sources  src/proto/decode.c src/proto/decode_inline.c src/proto/decode_native.c
 * sources  src/proto/decode_resp.c src/proto/resize.c src/base/escape.c src/base/number.c
 * options  -max_len=512
 */
#include "shoal/proto/decode.h"

#include <ctype.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_JUDGED = 512 };

struct judged {
    bool unbalanced;
    size_t count;
    size_t sizes[LINE_MAX_JUDGED];
    size_t used;
    char text[LINE_MAX_JUDGED]; /* of all words, one behind the other */
};

static bool blank(const uint8_t *p, const uint8_t *end)
{
    return p < end && (*p == ' ' || (*p >= 9 && *p <= 13));
}

static int nibble(const uint8_t *p, const uint8_t *end)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = p < end && *p != '\0' ? strchr(digits, tolower(*p)) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* A character between double quotes; `p` is at it. */
static const uint8_t *take_double(struct judged *to, const uint8_t *p, const uint8_t *end)
{
    static const char names[] = "nrtba", values[] = "\n\r\t\b\a";
    uint8_t c = *p++;
    if (c == '\\' && end - p >= 3 && *p == 'x' && nibble(p + 1, end) >= 0 &&
        nibble(p + 2, end) >= 0) {
        c = (uint8_t)(nibble(p + 1, end) * 16 + nibble(p + 2, end));
        p += 3;
    } else if (c == '\\' && p < end) {
        const char *at = *p != '\0' ? strchr(names, *p) : NULL;
        c = at != NULL ? (uint8_t)values[at - names] : *p;
        p++;
    }
    to->text[to->used++] = (char)c;
    return p;
}

static const uint8_t *take_single(struct judged *to, const uint8_t *p, const uint8_t *end)
{
    if (*p == '\\' && end - p >= 2 && p[1] == '\'')
        p++;
    to->text[to->used++] = (char)*p;
    return p + 1;
}

/* A word goes on until a blank that is not \v or \f, or a closing quote; only a blank may follow
 * that. NULL: unbalanced. */
static const uint8_t *take_word(struct judged *to, const uint8_t *p, const uint8_t *end)
{
    char quote = '\0';
    for (;;) {
        bool over = p == end;
        if (quote == '\0' && (over || (blank(p, end) && *p != '\v' && *p != '\f')))
            return p;
        if (over)
            return NULL;
        if (quote == '\0' && (*p == '"' || *p == '\'')) {
            quote = (char)*p++;
        } else if (quote != '\0' && *p == (uint8_t)quote) {
            p++;
            return p == end || blank(p, end) ? p : NULL;
        } else if (quote == '"') {
            p = take_double(to, p, end);
        } else if (quote == '\'') {
            p = take_single(to, p, end);
        } else {
            to->text[to->used++] = (char)*p++;
        }
    }
}

static void judge(struct judged *to, const uint8_t *p, const uint8_t *end)
{
    to->count = to->used = 0;
    for (to->unbalanced = false;;) {
        while (blank(p, end))
            p++;
        if (p == end)
            return;
        size_t from = to->used;
        p = take_word(to, p, end);
        to->unbalanced = p == NULL;
        if (to->unbalanced)
            return;
        to->sizes[to->count++] = to->used - from;
    }
}

/* An HTTP request: closed without a word. */
static bool from_browser(const struct judged *judged)
{
    struct bytes first = bytes_of(judged->text, judged->count > 0 ? judged->sizes[0] : 0);
    return bytes_is(first, "post") || bytes_is(first, "host:");
}

static void check(const struct judged *judged, const struct decoder *decoder)
{
    size_t at = 0;
    if (decoder->argc != judged->count)
        abort();
    for (uint32_t i = 0; i < decoder->argc; at += judged->sizes[i++]) {
        struct bytes word =
            bytes_of(decoder->base + decoder->args[i].offset, decoder->args[i].size);
        if (!bytes_equal(word, bytes_of(judged->text + at, judged->sizes[i])))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct judged judged;
    static const struct decode_limits limits = { 512 << 20, DECODE_ARGS_MAX };
    if (size == 0 || size > LINE_MAX_JUDGED || data[0] == '*' || memchr(data, '\n', size) != NULL)
        return 0;
    judge(&judged, data, data + size);
    char *line = malloc(size + 1);
    memcpy(line, data, size);
    line[size] = '\n';
    struct decoder decoder;
    decoder_init(&decoder);
    enum decode_status status = decode(&decoder, PROTO_RESP2, &limits, line, size + 1);
    bool refused = judged.unbalanced || from_browser(&judged);
    if (status != (refused ? DECODE_BAD : DECODE_OK))
        abort();
    if (!refused)
        check(&judged, &decoder);
    decoder_reset(&decoder);
    free(line);
    return 0;
}
