/*
 * bucket.c - chains of bucket lines: growing by a child, closing holes.
 *
 * At five items a bucket most chains are one line long; nothing here is on the path of a lookup.
 */
#include "shoal/store/table/ghost.h"

struct bucket *chain_child_new(struct arena *arena)
{
    struct bucket *child = arena_alloc_aligned(arena, sizeof(*child), sizeof(*child));
    if (child != NULL)
        bucket_clear(child);
    return child;
}

void chain_child_free(struct arena *arena, struct bucket *child)
{
    arena_free_aligned(arena, child, sizeof(*child), sizeof(*child));
}

static void child_free(struct arena *arena, struct bucket *child, uint64_t *bytes)
{
    chain_child_free(arena, child);
    *bytes -= sizeof(*child);
}

static void put_word(struct bucket *bucket, unsigned slot, uint8_t tag, uint64_t word)
{
    bucket->tag[slot] = tag;
    bucket->slot[slot] = word;
}

unsigned chain_count(const struct bucket *head)
{
    unsigned count = 0;
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b))
        count += mask_count(bucket_used(b));
    return count;
}

/* Of the free slots `holes`: an empty one, or that of the oldest ghost. */
static unsigned best_hole(const struct bucket *bucket, uint64_t holes)
{
    unsigned best = mask_first(holes);
    for (; holes != 0 && bucket->slot[best] != 0; holes &= holes - 1) {
        unsigned k = mask_first(holes);
        if (bucket->slot[k] == 0 || ghost_is_older(bucket->slot[k], bucket->slot[best]))
            best = k;
    }
    return best;
}

/* Puts the word into a hole of the chain; NULL, or its last bucket when it has none. */
static struct bucket *fill_chain(struct bucket *head, uint8_t tag, uint64_t word)
{
    struct bucket *last = head;
    for (struct bucket *b = head; b != NULL; b = bucket_child(b)) {
        uint64_t holes = bucket_free(b);
        if (holes != 0) {
            put_word(b, best_hole(b, holes), tag, word);
            return NULL;
        }
        last = b;
    }
    return last;
}

/* The word goes into the child, and so does the one in whose slot the link is. */
static void link_child(struct bucket *last, struct bucket *child, uint8_t tag, uint64_t word,
                       uint64_t *bytes)
{
    put_word(child, 0, last->tag[BUCKET_LINK_SLOT], last->slot[BUCKET_LINK_SLOT]);
    put_word(child, 1, tag, word);
    put_word(last, BUCKET_LINK_SLOT, 0, word_of(child));
    last->hdr |= BUCKET_LINKED;
    *bytes += sizeof(*child);
}

bool chain_insert(struct arena *arena, struct bucket *head, uint8_t tag, uint64_t word,
                  uint64_t *bytes)
{
    struct bucket *last = fill_chain(head, tag, word);
    if (last == NULL)
        return true;
    struct bucket *child = chain_child_new(arena);
    if (child == NULL)
        return false;
    link_child(last, child, tag, word, bytes);
    return true;
}

bool chain_insert_child(struct bucket *head, struct bucket *child, uint8_t tag, uint64_t word,
                        uint64_t *bytes)
{
    struct bucket *last = fill_chain(head, tag, word);
    if (last != NULL)
        link_child(last, child, tag, word, bytes);
    return last != NULL;
}

/* Drops `last`, which holds at most one item and follows `parent`, giving that item the link's
 * place. */
static void fold_child(struct arena *arena, struct bucket *parent, struct bucket *last,
                       uint64_t *bytes)
{
    uint64_t used = bucket_used(last);
    parent->hdr &= (uint8_t)~BUCKET_LINKED;
    bucket_release(parent, BUCKET_LINK_SLOT, 0);
    if (used != 0) {
        unsigned k = mask_first(used);
        put_word(parent, BUCKET_LINK_SLOT, last->tag[k], last->slot[k]);
    }
    child_free(arena, last, bytes);
}

/* Moves one word of `last` into a hole before it; a ghost there changes places with it. */
static void fill_hole(struct bucket *hole, struct bucket *last)
{
    unsigned from = mask_first(bucket_used(last)), to = mask_first(bucket_free(hole));
    uint64_t ghost = hole->slot[to];
    put_word(hole, to, last->tag[from], last->slot[from]);
    bucket_release(last, from, ghost);
}

void chain_compact(struct arena *arena, struct bucket *head, uint64_t *bytes)
{
    struct bucket *hole = head;
    while (bucket_linked(head)) {
        struct bucket *parent = head, *last = bucket_child(head);
        for (; bucket_linked(last); last = bucket_child(last))
            parent = last;
        while (hole != last && bucket_free(hole) == 0)
            hole = bucket_child(hole);
        unsigned used = mask_count(bucket_used(last));
        if (hole != last && used > 0) {
            fill_hole(hole, last);
            continue;
        }
        if (hole == last && used > 1)
            return;
        fold_child(arena, parent, last, bytes);
        hole = hole == last ? parent : hole;
    }
}

void chain_clear(struct arena *arena, struct bucket *head, uint64_t *bytes)
{
    struct bucket *child = bucket_child(head);
    while (child != NULL) {
        struct bucket *next = bucket_child(child);
        child_free(arena, child, bytes);
        child = next;
    }
    bucket_clear(head);
}
