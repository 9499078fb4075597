/*
 * lanes.h - which peers of a reactor there is something to do for, so that a turn looks at no other.
 *
 * A set is a bit for each reactor, and its owner's alone. The arrivals of a reactor are such bits
 * that its peers set when they have published requests or responses for it. They are what the
 * reactor looks at, instead of every queue:
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
    uint32_t i = lane / 64;
    if (lane >= LANES_MAX)
        return LANES_NONE;
    uint64_t left = set->_word[i] & ~(uint64_t)0 << lane % 64;
    while (left == 0) {
        if (++i == LANE_WORDS)
            return LANES_NONE;
        left = set->_word[i];
    }
    return i * 64 + (uint32_t)__builtin_ctzll(left);
}

/* Removes the first one and returns it; LANES_NONE: it was empty. */
static inline uint32_t lane_set_take(struct lane_set *set)
{
    for (uint32_t i = 0; i < LANE_WORDS; i++) {
        uint64_t word = set->_word[i];
        if (word == 0)
            continue;
        set->_word[i] = word & (word - 1);
        return i * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return LANES_NONE;
}

enum arrival { ARRIVAL_REQUESTS, ARRIVAL_RESPONSES, ARRIVALS };

/* A reactor's; begins with zeros. */
struct arrivals {
    _Atomic uint64_t _word[ARRIVALS][LANE_WORDS];
};

/* Reactor `from` has published something. Thread: producer. */
static inline void arrivals_note(struct arrivals *arrivals, enum arrival kind, uint32_t from)
{
    /* release: what was published before it becomes visible to the acquire in arrivals_take() */
    atomic_fetch_or_explicit(&arrivals->_word[kind][from / 64], (uint64_t)1 << from % 64,
                             memory_order_release);
}

static inline bool arrivals_any_of(struct arrivals *arrivals, enum arrival kind)
{
    /* relaxed: no data is read by it */
    return (atomic_load_explicit(&arrivals->_word[kind][0], memory_order_relaxed) |
            atomic_load_explicit(&arrivals->_word[kind][1], memory_order_relaxed)) != 0;
}

/* Thread: consumer; before it sleeps, after sleep_begin(), whose fence orders it. */
static inline bool arrivals_any(struct arrivals *arrivals)
{
    return arrivals_any_of(arrivals, ARRIVAL_REQUESTS) ||
           arrivals_any_of(arrivals, ARRIVAL_RESPONSES);
}

/* Adds those who have published since the last call. Thread: consumer. */
static inline void arrivals_take(struct arrivals *arrivals, enum arrival kind, struct lane_set *to)
{
    if (!arrivals_any_of(arrivals, kind)) /* mostly */
        return;
    for (uint32_t i = 0; i < LANE_WORDS; i++)
        /* acquire: pairs with the release in arrivals_note(). An exchange, since a bit may be set
         * between a load and a store of 0. */
        to->_word[i] |=
            atomic_exchange_explicit(&arrivals->_word[kind][i], 0, memory_order_acquire);
}

#endif
