/*
 * schedule.h - when requests should be sent in the open loop: one clock that replies cannot delay.
 *
 * A closed loop asks less of a slow server and so hides its pauses; here every request has an
 * intended time, and what it waits for a free connection counts as latency. Thread: owner.
 */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include "shoal/base/random.h"

#include <stdbool.h>

struct schedule {
    double _gap_ns, _next_ns; /* since the start */
    bool _poisson;
};

/* `rate` requests/s for this worker; `phase` 0..1 sets workers with uniform gaps apart. */
void schedule_init(struct schedule *schedule, double rate, bool poisson, double phase);

/* The next intended time, in ns since the start. */
static inline uint64_t schedule_next(const struct schedule *schedule)
{
    return (uint64_t)schedule->_next_ns;
}

/* Moves on to the one after. */
void schedule_advance(struct schedule *schedule, struct random *rng);

#endif
