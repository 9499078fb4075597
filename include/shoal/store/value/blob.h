/*
 * blob.h - a large value, outside its item, that can be read while the item is already gone.
 *
 * Values from BLOB_BYTES_MIN up live in a blob. Its item owns it; each reply that is
 * sent straight from it reads it, so neither overwriting nor deleting the key pulls the bytes
 * away: then they are no longer data, and counted as what lingers (arena_linger()). Both are
 * counted by the owning reactor: another reactor gives its reading back by message.
 */
#ifndef SHOAL_STORE_VALUE_BLOB_H
#define SHOAL_STORE_VALUE_BLOB_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"

enum { BLOB_BYTES_MIN = 16 * 1024 };

struct blob {
    struct arena *arena;
    size_t size;
    /* bytes of data[] allocated: APPEND and SETRANGE grow in place while it is not shared */
    size_t capacity;
    uint32_t owners;  /* items: one, or two for a moment */
    uint32_t readers; /* replies */
    char data[];
};

/* Owned once; `capacity` >= size; data[] is not filled. NULL when memory is out. Thread: owner. */
struct blob *blob_new(struct arena *arena, size_t size, size_t capacity);
/* Thread: owner. */
static inline void blob_own(struct blob *blob)
{
    blob->owners++;
}
static inline void blob_read(struct blob *blob)
{
    blob->readers++;
}
/* Each gives back one; the last of both frees it. */
void blob_disown(struct blob *blob);
void blob_unread(struct blob *blob);
/* True when a reply still reads it: values are never changed in place then. */
static inline bool blob_shared(const struct blob *blob)
{
    return blob->readers > 0;
}
/* What it takes from the allocator. */
size_t blob_footprint(const struct blob *blob);

#endif
