/*
 * blob.c - reference-counted large values.
 *
 * The room up to the allocator's size class is part of the capacity: it has been paid for.
 */
#include "shoal/store/value/blob.h"
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
    blob->owners = 1;
    blob->readers = 0;
    return blob;
}

void blob_disown(struct blob *blob)
{
    must(blob->owners > 0);
    if (--blob->owners > 0)
        return;
    if (blob->readers > 0)
        arena_linger(blob->arena, (int64_t)blob_footprint(blob));
    else
        arena_free(blob->arena, blob, blob_footprint(blob));
}

void blob_unread(struct blob *blob)
{
    must(blob->readers > 0);
    if (--blob->readers > 0 || blob->owners > 0)
        return;
    arena_linger(blob->arena, -(int64_t)blob_footprint(blob));
    arena_free(blob->arena, blob, blob_footprint(blob));
}

size_t blob_footprint(const struct blob *blob)
{
    return sizeof(*blob) + blob->capacity;
}
