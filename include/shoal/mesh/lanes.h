/*
 * lanes.h - which peers of a reactor there is something to do for, so that a turn looks at no other.
 *
 * A set is a bit for each reactor, and its owner's alone. The arrivals of a reactor are such bits
 * that its peers set when they have published something for it. They are what the reactor looks at,
 * instead of every queue:
 *
 *   producer                                consumer
 *     tail = ... (release, spsc_publish)      bits = exchange(arrivals, 0) (acquire)
 *     arrivals |= its bit (release)           for each bit: read that tail, take all or keep the bit
 *
 * A bit that is set before the exchange brings the tail with it; one that is set after it is found
 * the next time. Setting it is never left out because it seems to be set: the consumer may just be
 * taking it. Sleep (mesh/sleep.h) looks at the arrivals alone.
 */
#ifndef SHOAL_MESH_LANES_H
#define SHOAL_MESH_LANES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LANES_MAX = 128, LANES_NONE = LANES_MAX, LANE_WORDS = LANES_MAX / 64 };

struct lane_set {
    uint64_t _word[LANE_WORDS];
};

static inline void lane_set_add(struct lane_set *set, uint32_t lane)
{
    set->_word[lane / 64] |= (uint64_t)1 << lane % 64;
}

static inline void lane_set_remove(struct lane_set *set, uint32_t lane)
{
    set->_word[lane / 64] &= ~((uint64_t)1 << lane % 64);
}

static inline bool lane_set_empty(const struct lane_set *set)
{
    return (set->_word[0] | set->_word[1]) == 0;
}

/* The first one from `lane` <= LANES_MAX on, or LANES_NONE. */
static inline uint32_t lane_set_next(const struct lane_set *set, uint32_t lane)
{
    for (uint32_t i = lane / 64; i < LANE_WORDS; i++) {
        uint64_t left = set->_word[i] & (i == lane / 64 ? ~(uint64_t)0 << lane % 64 : ~(uint64_t)0);
        if (left != 0)
            return i * 64 + (uint32_t)__builtin_ctzll(left);
    }
    return LANES_NONE;
}

/* A reactor's; begins with zeros. */
struct arrivals {
    _Atomic uint64_t _word[LANE_WORDS];
};

/* Reactor `from` has published something. Thread: producer. */
static inline void arrivals_note(struct arrivals *arrivals, uint32_t from)
{
    /* release: what was published before it becomes visible to the acquire in arrivals_take() */
    atomic_fetch_or_explicit(&arrivals->_word[from / 64], (uint64_t)1 << from % 64,
                             memory_order_release);
}

/* Thread: consumer; before it sleeps, after sleep_begin(). */
static inline bool arrivals_any(struct arrivals *arrivals)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < LANE_WORDS; i++)
        /* relaxed: the fence in sleep_begin() orders it; no data is read by it */
        any |= atomic_load_explicit(&arrivals->_word[i], memory_order_relaxed);
    return any != 0;
}

/* Adds those who have published since the last call to both sets. Thread: consumer. */
static inline void arrivals_take(struct arrivals *arrivals, struct lane_set *to,
                                 struct lane_set *and_to)
{
    for (uint32_t i = 0; i < LANE_WORDS; i++) {
        /* relaxed: whether the exchange is worth it */
        if (atomic_load_explicit(&arrivals->_word[i], memory_order_relaxed) == 0)
            continue;
        /* acquire: pairs with the release in arrivals_note(). An exchange, since a bit may be set
         * between a load and a store of 0. */
        uint64_t bits = atomic_exchange_explicit(&arrivals->_word[i], 0, memory_order_acquire);
        to->_word[i] |= bits;
        and_to->_word[i] |= bits;
    }
}

#endif
