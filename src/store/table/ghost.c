/*
 * ghost.c - leaving, finding and counting ghosts.
 *
 * They lie in the last bucket of a chain, the only one with free slots.
 */
#include "shoal/store/table/ghost.h"
#include "shoal/base/minmax.h"

enum {
    CENSUS_FADE = 64 * 1024, /* items seen before the sample counts half */
    WEIGHT_MAX = 16,         /* of one hit */
};

#define EPOCH_MASK ((uint64_t)((1 << GHOST_EPOCH_BITS) - 1) << GHOST_EPOCH_SHIFT)

static struct bucket *last_of(struct bucket *head)
{
    while (bucket_linked(head))
        head = bucket_child(head);
    return head;
}

static uint32_t age_of(const struct ghost_book *book, uint64_t ghost)
{
    return ghost_epochs(ghost_word(0, book->epoch), ghost & EPOCH_MASK);
}

static void next_epoch(struct ghost_book *book, uint64_t items)
{
    book->left = max(items / GHOST_TURNOVER_PARTS, 1);
    book->turnover = (uint32_t)(items / book->left) + 1;
    book->epoch++;
    double keep = 1 - 1.0 / book->turnover;
    book->left_behind *= keep;
    book->came_back *= keep;
}

uint64_t ghost_of(struct ghost_book *book, uint64_t hash, uint64_t items)
{
    if (book->left == 0)
        next_epoch(book, items);
    book->left--;
    book->left_behind++;
    return ghost_word(hash, book->epoch);
}

/* How many ghosts there would be for each that is found, had none been overwritten. */
static double weight_of(const struct ghost_book *book, unsigned half)
{
    double all = book->expected[half], found = book->found[half];
    return found * WEIGHT_MAX < all ? WEIGHT_MAX : all > found ? all / found : 1;
}

static bool count_hit(struct ghost_book *book, uint64_t ghost)
{
    uint32_t age = age_of(book, ghost);
    if (age > book->turnover)
        return false;
    unsigned half = age * GHOST_AGES > book->turnover;
    book->hits++;
    book->came_back++;
    book->would_hit[half] += weight_of(book, half);
    return true;
}

bool ghost_recall(struct ghost_book *book, struct bucket *head, uint64_t hash)
{
    struct bucket *last = last_of(head);
    uint64_t wanted = ghost_word(hash, 0);
    for (uint64_t holes = bucket_free(last); holes != 0; holes &= holes - 1) {
        uint64_t *word = &last->slot[mask_first(holes)];
        if (likely((*word & ~EPOCH_MASK) != wanted))
            continue;
        bool in_time = count_hit(book, *word);
        *word = 0;
        return in_time;
    }
    return false;
}

/*
 * As many ghosts as items would lie in the buckets after a turnover, less those that came back. In
 * the first turnover the older half, then the younger, has not all been evicted yet.
 */
static void expect_ghosts(struct ghost_book *book, unsigned items)
{
    double gone = book->left_behind > 0 ? book->came_back / book->left_behind : 0;
    double turnovers = book->turnover > 0 ? (double)book->epoch / book->turnover : 0;
    for (unsigned half = 0; half < GHOST_AGES; half++) {
        double part = turnovers - (double)half / GHOST_AGES;
        part = part < 0 ? 0 : part * GHOST_AGES > 1 ? 1.0 / GHOST_AGES : part;
        book->expected[half] += part * items * (1 - gone);
    }
}

static void count_ghosts(struct ghost_book *book, const struct bucket *bucket)
{
    for (uint64_t holes = bucket_free(bucket); holes != 0; holes &= holes - 1) {
        uint64_t word = bucket->slot[mask_first(holes)];
        uint32_t age = age_of(book, word);
        if (word_is_ghost(word) && age <= book->turnover)
            book->found[age * GHOST_AGES > book->turnover]++;
    }
}

void ghost_census(struct ghost_book *book, const struct bucket *head)
{
    for (const struct bucket *b = head; b != NULL; b = bucket_child(b)) {
        expect_ghosts(book, mask_count(bucket_used(b)));
        count_ghosts(book, b);
    }
    if (book->expected[0] < CENSUS_FADE)
        return;
    for (unsigned half = 0; half < GHOST_AGES; half++) {
        book->expected[half] /= 2;
        book->found[half] /= 2;
    }
}

/* A free slot of `bucket` without a ghost, or NULL. */
static uint64_t *empty_word(struct bucket *bucket)
{
    for (uint64_t holes = bucket_free(bucket); holes != 0; holes &= holes - 1)
        if (bucket->slot[mask_first(holes)] == 0)
            return &bucket->slot[mask_first(holes)];
    return NULL;
}

void ghost_split(struct bucket *low, struct bucket *high, uint64_t half)
{
    struct bucket *from = last_of(low), *to = last_of(high);
    for (uint64_t holes = bucket_free(from); holes != 0; holes &= holes - 1) {
        uint64_t *word = &from->slot[mask_first(holes)];
        if (!word_is_ghost(*word) || !(ghost_hash(*word) & half))
            continue;
        uint64_t *place = empty_word(to);
        if (place != NULL)
            *place = *word;
        *word = 0;
    }
}
