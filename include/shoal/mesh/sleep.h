/*
 * sleep.h - how a reactor goes to sleep without missing a message, and how it is woken.
 *
 * Dekker's protocol on top of the arrivals (mesh/lanes.h):
 *
 *   consumer                                producer
 *     sleeping = 1                            tail = ... (release, spsc_publish)
 *     fence (seq_cst)                         arrivals |= its bit (release)
 *     read the arrivals again                 fence (seq_cst), one for the whole turn
 *     nothing? block                          read sleeping
 *                                             1? exchange(sleeping, 0) == 1 -> wake it
 *
 * The two fences are in one total order. If the consumer's is first, the producer reads sleeping ==
 * 1 and wakes it; if the producer's is first, the consumer sees the new bit and does not block.
 * Either way no reactor sleeps on a message. The exchange (never a load and a later store) makes
 * one producer the one who wakes, and cannot wipe out a flag that the consumer has set again since.
 */
#ifndef SHOAL_MESH_SLEEP_H
#define SHOAL_MESH_SLEEP_H

#include "shoal/mesh/lanes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A reactor's; what its peers write and read together is in one line. */
struct sleeper {
    _Alignas(64) _Atomic uint32_t _sleeping;
    struct arrivals arrivals;
};

/* Announces sleep. Afterwards look at the arrivals once more; found something: sleep_end(). Thread:
 * consumer. */
static inline void sleep_begin(struct sleeper *sleeper)
{
    /* relaxed: the fence below orders it before the arrivals are read again */
    atomic_store_explicit(&sleeper->_sleeping, 1, memory_order_relaxed);
    /* seq_cst: pairs with the fence in sleep_fence() */
    atomic_thread_fence(memory_order_seq_cst);
}

/* Awake: no more wake-ups wanted. Thread: consumer. */
static inline void sleep_end(struct sleeper *sleeper)
{
    /* relaxed: a wake-up that comes all the same is harmless */
    atomic_store_explicit(&sleeper->_sleeping, 0, memory_order_relaxed);
}

/* Between noting arrivals and reading the sleeping flags, once a turn. Thread: producer. */
static inline void sleep_fence(void)
{
    /* seq_cst: pairs with the fence in sleep_begin() */
    atomic_thread_fence(memory_order_seq_cst);
}

/* True when the caller has to wake it. Thread: producer, after sleep_fence(). */
static inline bool sleep_wake_claim(struct sleeper *sleeper)
{
    /* relaxed: ordered after our bits by sleep_fence() */
    if (atomic_load_explicit(&sleeper->_sleeping, memory_order_relaxed) == 0)
        return false;
    /* relaxed: it only decides which producer wakes, no data travels by it */
    return atomic_exchange_explicit(&sleeper->_sleeping, 0, memory_order_relaxed) == 1;
}

#endif
