/*
 * ghost.h - what a bucket remembers of items that were evicted: a key that comes back soon is worth
 * keeping.
 *
 * A ghost is the word of a free slot, whose tag is 0, so look-ups never see it and it costs no
 * memory:
 *
 *   | 1 | evict epoch:15 | bits 6..53 of the key's hash:48 |        a free slot without one: 0
 *
 * Any insert may take the slot, empty ones first, then the oldest. The hash bits begin where the
 * smallest table's index ends, so that a split knows where a ghost goes. An epoch is 1/256 of a
 * turnover: of as many evictions as there are items. A ghost hit by an insert not later than one
 * turnover sends the item to main, and tells what more memory would have given.
 */
#ifndef SHOAL_STORE_TABLE_GHOST_H
#define SHOAL_STORE_TABLE_GHOST_H

#include "shoal/store/table/bucket.h"

enum {
    GHOST_EPOCH_BITS = 15,
    GHOST_EPOCH_SHIFT = 48,
    GHOST_HASH_SHIFT = 6,
    GHOST_HASH_BITS = 48,
    GHOST_TURNOVER_PARTS = 256, /* epochs in a turnover; up to twice as many in a small shard */
    GHOST_AGES = 2,             /* halves of a turnover that hits are counted by */
};

/* Of one shard. Thread: owner. */
struct ghost_book {
    uint32_t epoch;                /* its low 15 bits stand in new ghosts */
    uint32_t turnover;             /* epochs; 0 before the first eviction */
    uint64_t left;                 /* ghosts until the next epoch */
    uint64_t hits;                 /* inserts that found their ghost in time */
    double would_hit[GHOST_AGES];  /* by age, each weighted for the ghosts that were overwritten */
    double left_behind, came_back; /* ghosts made and hit of late: fade with the turnover */
    double expected[GHOST_AGES], found[GHOST_AGES]; /* by samples of the buckets, fading */
};

static inline uint64_t ghost_word(uint64_t hash, uint32_t epoch)
{
    const uint64_t bits = ((uint64_t)1 << GHOST_HASH_BITS) - 1;
    return (uint64_t)1 << WORD_GHOST_SHIFT |
           (uint64_t)(epoch & ((1 << GHOST_EPOCH_BITS) - 1)) << GHOST_EPOCH_SHIFT |
           (hash >> GHOST_HASH_SHIFT & bits);
}

/* Of the word of a free slot. */
static inline bool word_is_ghost(uint64_t word)
{
    return word >> WORD_GHOST_SHIFT & 1;
}

/* The bits of the hash it has, in their places. */
static inline uint64_t ghost_hash(uint64_t ghost)
{
    return (ghost & (((uint64_t)1 << GHOST_HASH_BITS) - 1)) << GHOST_HASH_SHIFT;
}

/* Epochs between two ghosts' deaths, modulo 2^15; above half of that when `b` died later. */
static inline uint32_t ghost_epochs(uint64_t a, uint64_t b)
{
    return (uint32_t)((a - (b & ~(((uint64_t)1 << GHOST_EPOCH_SHIFT) - 1))) >> GHOST_EPOCH_SHIFT) &
           ((1 << GHOST_EPOCH_BITS) - 1);
}

static inline bool ghost_is_older(uint64_t a, uint64_t b)
{
    return ghost_epochs(b, a) - 1 < (1 << (GHOST_EPOCH_BITS - 1)) - 1;
}

/* The word to leave behind for an evicted key; `items` is what the shard holds. */
uint64_t ghost_of(struct ghost_book *book, uint64_t hash, uint64_t items);

/*
 * Takes the ghost of `hash` out of the chain at `head`, if there is one.
 *   returns  true when it is not older than one turnover
 */
bool ghost_recall(struct ghost_book *book, struct bucket *head, uint64_t hash);

/* Counts a chain for the estimate of how many ghosts survive; call it for any sample of them. */
void ghost_census(struct ghost_book *book, const struct bucket *head);

/* Moves the ghosts of `low` that belong to `high`, `half` buckets on, as far as there is room. */
void ghost_split(struct bucket *low, struct bucket *high, uint64_t half);

#endif
