/*
 * total.h - a sum that every thread adds its own part to, and that may have an end.
 *
 * A thread that wants the sum of what all have reads one line instead of one for each of them. No
 * data travels by it, so that everything is relaxed; the sum is exact at any moment, but for the
 * changes that threads have not made yet.
 */
#ifndef SHOAL_BASE_TOTAL_H
#define SHOAL_BASE_TOTAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Begins with zeros. Parts are taken modulo 2^64: one of them may be below 0. */
struct total {
    _Atomic uint64_t _sum;
};

static inline uint64_t total_get(const struct total *total)
{
    /* relaxed: a figure */
    return atomic_load_explicit(&total->_sum, memory_order_relaxed);
}

/* The caller's part, *part until now, is `value` from now on. Thread: the part's owner. */
static inline void total_set_part(struct total *total, uint64_t *part, uint64_t value)
{
    if (*part == value)
        return;
    /* relaxed: nothing else is read by it */
    atomic_fetch_add_explicit(&total->_sum, value - *part, memory_order_relaxed);
    *part = value;
}

/* Adds `more` to the caller's part unless the sum would exceed `most`: of several threads that want
 * the last piece one gets it. Thread: the part's owner. */
static inline bool total_take(struct total *total, uint64_t *part, uint64_t more, uint64_t most)
{
    uint64_t sum = total_get(total);
    do {
        if (sum > most || more > most - sum)
            return false;
        /* relaxed: only the sum is agreed upon */
    } while (!atomic_compare_exchange_weak_explicit(&total->_sum, &sum, sum + more,
                                                    memory_order_relaxed, memory_order_relaxed));
    *part += more;
    return true;
}

#endif
