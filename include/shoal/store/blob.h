/*
 * blob.h - a large value, outside its item, that can be read while the item is already gone.
 *
 * Values from BLOB_BYTES_MIN up live in a blob. The table holds one reference; each reply that is
 * sent straight from it holds another, so neither overwriting nor deleting the key pulls the bytes
 * away. All references are counted by the owning reactor: another reactor gives its own back by
 * message.
 */
#ifndef SHOAL_STORE_BLOB_H
#define SHOAL_STORE_BLOB_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"

enum { BLOB_BYTES_MIN = 16 * 1024 };

struct blob {
    struct arena *arena;
    size_t size;
    size_t capacity; /* bytes of data[] allocated: APPEND and SETRANGE grow in place while nobody
                        reads */
    uint32_t refs;
    char data[];
};

/* One reference, the caller's; `capacity` >= size; data[] is not filled. NULL when memory is out.
 * Thread: owner. */
struct blob *blob_new(struct arena *arena, size_t size, size_t capacity);
/* Thread: owner. */
static inline void blob_ref(struct blob *blob)
{
    blob->refs++;
}
void blob_unref(struct blob *blob);
/* True when a reply still reads it: values are never changed in place then. */
static inline bool blob_shared(const struct blob *blob)
{
    return blob->refs > 1;
}
/* What it takes from the allocator. */
size_t blob_footprint(const struct blob *blob);

#endif
