/*
 * bits.h - single bits of a string, for the bitmap commands. Bit 0 is the highest of the first
 * byte.
 *
 * Thread: owner of the keyspace the string lies in.
 */
#ifndef SHOAL_CMD_BITMAP_BITS_H
#define SHOAL_CMD_BITMAP_BITS_H

#include "shoal/cmd/command.h"

#define ERR_BIT_OFFSET "ERR bit offset is not an integer or out of range"

/* The longest string that the options allow has the bit. */
bool bits_offset_ok(const struct exec *exec, int64_t offset);

/* Reads one that is so. False: the error is replied. */
bool bits_offset_parse(struct exec *exec, struct bytes text, int64_t *offset);

/* Bytes of the shortest string that has the bit. */
static inline size_t bits_size(int64_t offset)
{
    return (size_t)offset / 8 + 1;
}

/* False beyond the end. */
static inline bool bits_at(struct bytes text, int64_t offset)
{
    size_t byte = (size_t)offset / 8;
    return byte < text.size && ((unsigned char)text.data[byte] >> (7 - offset % 8) & 1);
}

/* The byte must be there. */
static inline void bits_put(char *data, int64_t offset, bool bit)
{
    unsigned char mask = (unsigned char)(1 << (7 - offset % 8));
    unsigned char *byte = (unsigned char *)data + offset / 8;
    *byte = (unsigned char)(bit ? *byte | mask : *byte & ~mask);
}

#endif
