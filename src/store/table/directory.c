/*
 * directory.c - chunks of buckets.
 *
 * A chunk is not cleared when it is allocated: each bucket is, when it comes into use, so that 2
 * MiB of page faults are spread over 32,768 splits. Nor is it charged before: the system has given
 * nothing yet, and a small shard at its limit need not make room for a chunk all at once.
 */
#include "shoal/store/table/directory.h"

enum { ENTRIES_MIN = 16 };

static uint64_t chunk_first(uint64_t chunk)
{
    uint64_t smalls = CHUNK_LAST_LOG2 - CHUNK_FIRST_LOG2 + 1;
    if (chunk >= smalls)
        return (chunk - smalls + 1) << CHUNK_LAST_LOG2;
    return chunk == 0 ? 0 : (uint64_t)BUCKETS_MIN << (chunk - 1);
}

static size_t chunk_bytes(uint64_t chunk)
{
    return (size_t)(chunk_first(chunk + 1) - chunk_first(chunk)) * sizeof(struct bucket);
}

static bool grow_entries(struct directory *directory, struct arena *arena, uint64_t *bytes)
{
    uint64_t capacity = directory->_capacity == 0 ? ENTRIES_MIN : directory->_capacity * 2;
    size_t old_size = directory->_capacity * sizeof(uintptr_t), size = capacity * sizeof(uintptr_t);
    uintptr_t *entries = arena_alloc(arena, size);
    if (entries == NULL)
        return false;
    if (old_size > 0) {
        memcpy(entries, directory->_chunk, old_size);
        arena_free(arena, directory->_chunk, old_size);
    }
    directory->_chunk = entries;
    directory->_capacity = capacity;
    *bytes += size - old_size;
    return true;
}

static struct bucket *add_chunk(struct directory *directory, struct arena *arena, uint64_t chunk,
                                uint64_t *bytes)
{
    if (chunk == directory->_capacity && !grow_entries(directory, arena, bytes))
        return NULL;
    struct bucket *first = arena_alloc_aligned(arena, chunk_bytes(chunk), sizeof(struct bucket));
    if (first == NULL)
        return NULL;
    directory->_chunk[chunk] = (uintptr_t)first - chunk_first(chunk) * sizeof(struct bucket);
    return first;
}

static void drop_chunk(struct directory *directory, struct arena *arena, uint64_t chunk)
{
    struct bucket *first = directory_at(directory, chunk_first(chunk));
    arena_free_aligned(arena, first, chunk_bytes(chunk), sizeof(struct bucket));
}

bool directory_open(struct directory *directory, struct arena *arena, uint64_t *bytes)
{
    must(directory->count == 0);
    struct bucket *first = add_chunk(directory, arena, 0, bytes);
    if (first == NULL) { /* a table that is not open is not closed either */
        if (directory->_capacity > 0)
            directory_close(directory, arena, bytes);
        return false;
    }
    memset(first, 0, chunk_bytes(0));
    directory->count = BUCKETS_MIN;
    directory->mask = 2 * BUCKETS_MIN - 1;
    *bytes += BUCKETS_MIN * sizeof(struct bucket);
    return true;
}

void directory_close(struct directory *directory, struct arena *arena, uint64_t *bytes)
{
    if (directory->count > 0)
        for (uint64_t chunk = directory_chunk_of(directory->count - 1) + 1; chunk-- > 0;)
            drop_chunk(directory, arena, chunk);
    arena_free(arena, directory->_chunk, directory->_capacity * sizeof(uintptr_t));
    *bytes -= directory_bytes(directory);
    *directory = (struct directory){ 0 };
}

struct bucket *directory_push(struct directory *directory, struct arena *arena, uint64_t *bytes)
{
    uint64_t index = directory->count, chunk = directory_chunk_of(index);
    if (index == chunk_first(chunk) && add_chunk(directory, arena, chunk, bytes) == NULL)
        return NULL;
    struct bucket *bucket = directory_at(directory, index);
    bucket_clear(bucket);
    *bytes += sizeof(*bucket);
    directory->count++;
    if (directory->count > directory->mask)
        directory->mask = directory->mask * 2 + 1;
    return bucket;
}

void directory_pop(struct directory *directory, struct arena *arena, uint64_t *bytes)
{
    must(directory->count > BUCKETS_MIN);
    uint64_t index = directory->count - 1, chunk = directory_chunk_of(index);
    if (index == chunk_first(chunk))
        drop_chunk(directory, arena, chunk);
    *bytes -= sizeof(struct bucket);
    directory->count = index;
    if (index <= directory->mask >> 1)
        directory->mask >>= 1;
}

uint64_t directory_bytes(const struct directory *directory)
{
    return directory->_capacity * sizeof(uintptr_t) + directory->count * sizeof(struct bucket);
}
