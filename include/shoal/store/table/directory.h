/*
 * directory.h - an array of buckets that grows and shrinks at its end without moving.
 *
 *   chunk 0   buckets 0..63 (a page)      chunk 1   64..127      chunk 2   128..255   ...
 *   chunk 9   16384..32767 (1 MiB)        chunk 10  32768..65535 (2 MiB), and 2 MiB each from there
 *
 * The directory holds each chunk's address less that of its first bucket, so that bucket i is one
 * load and one add away: at 8 M keys it has 60 entries, which stay in the first-level cache.
 * Private to the table's files.
 */
#ifndef SHOAL_STORE_TABLE_DIRECTORY_H
#define SHOAL_STORE_TABLE_DIRECTORY_H

#include "shoal/store/table/bucket.h"

enum {
    CHUNK_FIRST_LOG2 = 6, /* buckets of the first chunk: one page */
    CHUNK_LAST_LOG2 = 15, /* of the largest: 2 MiB */
    BUCKETS_MIN = 1 << CHUNK_FIRST_LOG2,
};

struct directory {
    uintptr_t *_chunk;
    uint64_t count;     /* buckets in use; 0 while nothing was ever stored */
    uint64_t mask;      /* 2^(level+1) - 1, where 2^level <= count < 2^(level+1) */
    uint64_t _capacity; /* entries _chunk has room for */
};

static inline uint64_t directory_chunk_of(uint64_t index)
{
    if (likely(index >> CHUNK_LAST_LOG2 != 0))
        return (index >> CHUNK_LAST_LOG2) + CHUNK_LAST_LOG2 - CHUNK_FIRST_LOG2;
    return 63 - (uint64_t)__builtin_clzll(index | (BUCKETS_MIN - 1)) - (CHUNK_FIRST_LOG2 - 1);
}

static inline struct bucket *directory_at(const struct directory *directory, uint64_t index)
{
    uintptr_t base = directory->_chunk[directory_chunk_of(index)];
    return (struct bucket *)(base + index * sizeof(struct bucket));
}

/* Buckets of the present level that have not been split are found under the shorter mask. */
static inline uint64_t directory_index(const struct directory *directory, uint64_t hash)
{
    uint64_t index = hash & directory->mask;
    return index < directory->count ? index : index & (directory->mask >> 1);
}

static inline struct bucket *directory_of(const struct directory *directory, uint64_t hash)
{
    return directory_at(directory, directory_index(directory, hash));
}

/* 2^level: the distance between a bucket and the one it is split into. */
static inline uint64_t directory_half(const struct directory *directory)
{
    return (directory->mask >> 1) + 1;
}

/* Buckets below it have been split at this level. */
static inline uint64_t directory_split(const struct directory *directory)
{
    return directory->count - directory_half(directory);
}

/* Allocates the first chunk, cleared. False when memory is out. `bytes` is added to. */
bool directory_open(struct directory *directory, struct arena *arena, uint64_t *bytes);
void directory_close(struct directory *directory, struct arena *arena, uint64_t *bytes);

/* Adds a cleared bucket, number `count`, and returns it. NULL, nothing changed, when memory is
 * out. */
struct bucket *directory_push(struct directory *directory, struct arena *arena, uint64_t *bytes);
/* Takes the last bucket away; its chunk goes with its first bucket. */
void directory_pop(struct directory *directory, struct arena *arena, uint64_t *bytes);

/* Bytes of the buckets in use and the directory itself: what *bytes counts. */
uint64_t directory_bytes(const struct directory *directory);

#endif
