/*
 * bucket.h - one 64-byte line of the key table: seven tags and seven words.
 *
 *   tag    top byte of the hash, 1 instead of 0; 0 = free, and the word is 0 or a ghost (ghost.h)
 *   hdr    bit 7: slot[6] is the address of a child bucket and tag[6] is 0
 *   word   | ghost:1 | unused:1 | TTL code:10 | seen:1 | main:1 | freq:2 | item pointer:48 |
 *
 * In a chain every bucket but the last is full, and a last one that is not the first holds two or
 * more. All tags of a bucket are compared at once in one 64-bit register. Private to the table's
 * files.
 */
#ifndef SHOAL_STORE_TABLE_BUCKET_H
#define SHOAL_STORE_TABLE_BUCKET_H

#include "shoal/base/must.h"
#include "shoal/store/value/item.h"

#include <assert.h>
#include <stdint.h>

enum { BUCKET_SLOTS = 7, BUCKET_LINK_SLOT = 6, BUCKET_LINKED = 0x80 };

struct bucket {
    uint8_t tag[BUCKET_SLOTS];
    uint8_t hdr;
    uint64_t slot[BUCKET_SLOTS];
};

static_assert(sizeof(struct bucket) == 64, "a bucket is one cache line");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "bucket_match() numbers tags from the low byte");

/* ---- words --------------------------------------------------------------- */

enum {
    WORD_POINTER_BITS = 48,
    WORD_FREQ_SHIFT = 48,
    WORD_FREQ_MAX = 3,
    WORD_MAIN_SHIFT = 50,
    WORD_SEEN_SHIFT = 51,
    WORD_TTL_SHIFT = 52,
    WORD_TTL_MAX = 1023,
    WORD_GHOST_SHIFT = 63,
};

#define WORD_POINTER_MASK (((uint64_t)1 << WORD_POINTER_BITS) - 1)
#define WORD_TTL_MASK ((uint64_t)WORD_TTL_MAX << WORD_TTL_SHIFT)
#define WORD_FREQ_MASK ((uint64_t)WORD_FREQ_MAX << WORD_FREQ_SHIFT)
#define WORD_FREQ_ONE ((uint64_t)1 << WORD_FREQ_SHIFT)
#define WORD_MAIN ((uint64_t)1 << WORD_MAIN_SHIFT)
#define WORD_SEEN ((uint64_t)1 << WORD_SEEN_SHIFT)

static inline struct item *word_item(uint64_t word)
{
    return (struct item *)(uintptr_t)(word & WORD_POINTER_MASK);
}

static inline uint64_t word_of(const void *pointer)
{
    dcheck((uintptr_t)pointer >> WORD_POINTER_BITS == 0);
    return (uintptr_t)pointer;
}

static inline unsigned word_freq(uint64_t word)
{
    return word >> WORD_FREQ_SHIFT & WORD_FREQ_MAX;
}

static inline unsigned word_ttl(uint64_t word)
{
    return word >> WORD_TTL_SHIFT & WORD_TTL_MAX;
}

static inline uint64_t word_with_item(uint64_t word, const struct item *item)
{
    return (word & ~WORD_POINTER_MASK) | word_of(item);
}

static inline uint64_t word_with_ttl(uint64_t word, unsigned code)
{
    return (word & ~WORD_TTL_MASK) | (uint64_t)code << WORD_TTL_SHIFT;
}

/* A hit counts up to 3; the line is only written while it changes. */
static inline void word_hit(uint64_t *word)
{
    if (word_freq(*word) < WORD_FREQ_MAX)
        *word += WORD_FREQ_ONE;
}

/* ---- tags: masks have bit 7 of byte k set for slot k --------------------- */

#define TAG_TOPS ((uint64_t)0x0080808080808080)

static inline uint8_t bucket_tag(uint64_t hash)
{
    uint8_t tag = hash >> 56;
    return tag != 0 ? tag : 1;
}

static inline uint64_t bucket_tags(const struct bucket *bucket)
{
    uint64_t tags;
    memcpy(&tags, bucket, sizeof(tags));
    return tags;
}

/* Exact: a borrow never makes the byte above a match look like one, as in the shorter formula. */
static inline uint64_t bucket_nonzero(uint64_t tags)
{
    const uint64_t low = 0x007f7f7f7f7f7f7f;
    return (((tags & low) + low) | tags) & TAG_TOPS;
}

static inline uint64_t bucket_match(const struct bucket *bucket, uint8_t tag)
{
    return bucket_nonzero(bucket_tags(bucket) ^ (uint64_t)tag * 0x0101010101010101) ^ TAG_TOPS;
}

/* Slots that hold an item; never a link's. */
static inline uint64_t bucket_used(const struct bucket *bucket)
{
    return bucket_nonzero(bucket_tags(bucket));
}

static inline bool bucket_linked(const struct bucket *bucket)
{
    return (bucket->hdr & BUCKET_LINKED) != 0;
}

static inline uint64_t bucket_free(const struct bucket *bucket)
{
    uint64_t link = bucket_linked(bucket) ? (uint64_t)0x80 << (8 * BUCKET_LINK_SLOT) : 0;
    return bucket_used(bucket) ^ TAG_TOPS ^ link;
}

static inline unsigned mask_first(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask) / 8;
}

static inline unsigned mask_count(uint64_t mask)
{
    return (unsigned)__builtin_popcountll(mask);
}

static inline struct bucket *bucket_child(const struct bucket *bucket)
{
    return bucket_linked(bucket) ? (struct bucket *)(uintptr_t)bucket->slot[BUCKET_LINK_SLOT]
                                 : NULL;
}

static inline void bucket_clear(struct bucket *bucket)
{
    memset(bucket, 0, sizeof(*bucket));
}

/* `word` is 0 or a ghost. */
static inline void bucket_release(struct bucket *bucket, unsigned slot, uint64_t word)
{
    bucket->tag[slot] = 0;
    bucket->slot[slot] = word;
}

/* ---- chains -------------------------------------------------------------- */

/* Items of the whole chain. */
unsigned chain_count(const struct bucket *head);

/* Puts a word into a free slot, best one without a ghost, else that of the oldest, adding a child
 * bucket if there is none: *bytes counts it. False, nothing changed, when memory is out; never
 * while the chain has a hole. */
bool chain_insert(struct arena *arena, struct bucket *head, uint8_t tag, uint64_t word,
                  uint64_t *bytes);
/* The same without an allocation. False: the word is in a hole, and `child` still is the
 * caller's. */
bool chain_insert_child(struct bucket *head, struct bucket *child, uint8_t tag, uint64_t word,
                        uint64_t *bytes);
/* For chain_insert_child(). NULL when memory is out. */
struct bucket *chain_child_new(struct arena *arena);
void chain_child_free(struct arena *arena, struct bucket *child);

/* Restores the chain's form after slots were released anywhere in it. */
void chain_compact(struct arena *arena, struct bucket *head, uint64_t *bytes);

/* Frees the children and clears the head; the items are the caller's affair. */
void chain_clear(struct arena *arena, struct bucket *head, uint64_t *bytes);

#endif
