/*
 * fuzz_glob.c - glob patterns against a matcher that tries everything. See run.sh.
 *
 * The input is one byte whose lowest bit ignores case, the pattern, a zero byte, the text. The
 * judge turns the pattern into sets of bytes and stars, and fills a table of which beginnings of
 * pattern and text match each other: no backtracking, no budget.
 *
 * sources  src/base/glob.c
 * options  -max_len=512
 */
#include "shoal/base/glob.h"

#include <stdlib.h>

#include "planted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_JUDGED = 512 };
_Static_assert(SIZE_MAX_JUDGED / 2 * (SIZE_MAX_JUDGED / 2) * 2 < GLOB_STEPS_MAX,
               "glob_match() never gives up on what is judged here");

struct element {
    bool star;
    bool takes[256];
};

static unsigned char lower(unsigned char c, bool ignore_case)
{
    return ignore_case && c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static void take_range(struct element *e, unsigned char a, unsigned char b, bool ignore_case)
{
    a = lower(a, ignore_case);
    b = lower(b, ignore_case);
    for (int c = 0; c < 256; c++) {
        unsigned char folded = lower((unsigned char)c, ignore_case);
        if ((a <= folded && folded <= b) || (b <= folded && folded <= a))
            e->takes[c] = true;
    }
}

/* `p` is behind the '['; returns what is behind the ']'. */
static const uint8_t *read_class(struct element *e, const uint8_t *p, const uint8_t *end, bool ic)
{
    bool negated = p < end && *p == '^';
    for (p += negated; p < end && *p != ']';) {
        if (end - p >= 2 && p[0] == '\\') {
            take_range(e, p[1], p[1], ic);
            p += 2;
        } else if (end - p >= 3 && p[1] == '-') {
            take_range(e, p[0], p[2], ic);
            p += 3;
        } else {
            take_range(e, p[0], p[0], ic);
            p++;
        }
    }
    for (int c = 0; negated && c < 256; c++)
        e->takes[c] = !e->takes[c];
    return p < end ? p + 1 : end;
}

static const uint8_t *read_element(struct element *e, const uint8_t *p, const uint8_t *end, bool ic)
{
    memset(e, 0, sizeof(*e));
    uint8_t c = *p++;
    if (c == '*') {
        e->star = true;
    } else if (c == '?') {
        memset(e->takes, 1, sizeof(e->takes));
    } else if (c == '[') {
        return read_class(e, p, end, ic);
    } else {
        if (c == '\\' && p < end)
            c = *p++;
        take_range(e, c, c, ic);
    }
    return p;
}

static bool judge(struct bytes pattern, struct bytes text, bool ignore_case)
{
    static bool matched[SIZE_MAX_JUDGED + 1]; /* text[0, i) by the elements so far */
    const uint8_t *p = (const uint8_t *)pattern.data, *end = p + pattern.size;
    memset(matched, 0, sizeof(matched));
    matched[0] = true;
    while (p < end) {
        struct element e;
        p = read_element(&e, p, end, ignore_case);
        if (e.star) {
            for (size_t i = 1; i <= text.size; i++)
                matched[i] = matched[i] || matched[i - 1];
        } else {
            for (size_t i = text.size; i > 0; i--)
                matched[i] = matched[i - 1] && e.takes[(unsigned char)text.data[i - 1]];
            matched[0] = false;
        }
    }
    return matched[text.size];
}

/* In a block of exactly its size, so that AddressSanitizer sees a read beyond it. */
static struct bytes copy_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    return bytes_of(copy, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    planted(data, size);
    if (size < 1 || size > SIZE_MAX_JUDGED)
        return 0;
    const uint8_t *from = data + 1, *end = data + size;
    const uint8_t *zero = memchr(from, '\0', size - 1);
    struct bytes pattern = copy_of(from, (size_t)((zero ? zero : end) - from));
    struct bytes text = copy_of(zero ? zero + 1 : end, zero ? (size_t)(end - zero) - 1 : 0);
    bool ignore_case = data[0] & 1;
    if (glob_match(pattern, text, ignore_case) != judge(pattern, text, ignore_case))
        abort();
    free((void *)pattern.data);
    free((void *)text.data);
    return 0;
}
