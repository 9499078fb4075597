/*
 * bytes.h - borrowed memory: a pointer and a size.
 *
 * A struct bytes never owns what it points at. The lender says for how long it is valid.
 */
#ifndef SHOAL_BASE_BYTES_H
#define SHOAL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){ .data = data, .size = size };
}

static inline struct bytes bytes_str(const char *text)
{
    return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* ASCII case is ignored; `word` is a lower- or upper-case literal. */
static inline bool bytes_is(struct bytes a, const char *word)
{
    size_t i = 0;
    for (; i < a.size && word[i] != '\0'; i++) {
        char x = a.data[i], y = word[i];
        x = (x >= 'A' && x <= 'Z') ? (char)(x + 32) : x;
        y = (y >= 'A' && y <= 'Z') ? (char)(y + 32) : y;
        if (x != y)
            return false;
    }
    return i == a.size && word[i] == '\0';
}

/* A part of a larger piece of memory, relative to its start: 8 bytes where a struct bytes takes
 * 16. */
struct span {
    uint32_t offset;
    uint32_t size;
};

#endif
