/*
 * blob.c - reference-counted large values.
 *
 * The room up to the allocator's size class is part of the capacity: it has been paid for.
 */
#include "shoal/store/blob.h"
#include "shoal/base/must.h"

struct blob *blob_new(struct arena *arena, size_t size, size_t capacity)
{
    must(capacity >= size);
    size_t total = mem_class_size(sizeof(struct blob) + capacity);
    struct blob *blob = arena_alloc(arena, total);
    if (blob == NULL)
        return NULL;
    blob->arena = arena;
    blob->size = size;
    blob->capacity = total - sizeof(struct blob);
    blob->refs = 1;
    return blob;
}

void blob_unref(struct blob *blob)
{
    must(blob->refs > 0);
    if (--blob->refs == 0)
        arena_free(blob->arena, blob, blob_footprint(blob));
}

size_t blob_footprint(const struct blob *blob)
{
    return sizeof(*blob) + blob->capacity;
}
