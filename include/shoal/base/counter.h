/*
 * counter.h - a counter with one writer and any number of readers.
 *
 * Relaxed loads and stores: a reader may see a value that is a moment old, never a torn one, and
 * nothing else is ordered by it. The writer pays a plain add. The exception is a counter of things
 * that the writer has made ready, see counter_publish().
 */
#ifndef SHOAL_BASE_COUNTER_H
#define SHOAL_BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
    _Atomic uint64_t _value;
};

/* Thread: the one writer. */
static inline void counter_add(struct counter *counter, uint64_t n)
{
    uint64_t v = atomic_load_explicit(&counter->_value, memory_order_relaxed);
    atomic_store_explicit(&counter->_value, v + n, memory_order_relaxed);
}

static inline void counter_set(struct counter *counter, uint64_t value)
{
    atomic_store_explicit(&counter->_value, value, memory_order_relaxed);
}

/* Sets it, and shows with it what was written before. Thread: the one writer. */
static inline void counter_publish(struct counter *counter, uint64_t value)
{
    /* release: what was written above becomes visible to the acquire in counter_published() */
    atomic_store_explicit(&counter->_value, value, memory_order_release);
}

/* Reads it, and may then read what was written before counter_publish(). Thread: any. */
static inline uint64_t counter_published(const struct counter *counter)
{
    /* acquire: pairs with the release in counter_publish() */
    return atomic_load_explicit(&counter->_value, memory_order_acquire);
}

/* Thread: any. */
static inline uint64_t counter_get(const struct counter *counter)
{
    return atomic_load_explicit(&counter->_value, memory_order_relaxed);
}

#endif
