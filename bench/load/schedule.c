/*
 * schedule.c - uniform and Poisson arrivals.
 */
#include "schedule.h"

#include <math.h>

void schedule_init(struct schedule *schedule, double rate, bool poisson, double phase)
{
    schedule->_gap_ns = 1e9 / rate;
    schedule->_next_ns = schedule->_gap_ns * phase;
    schedule->_poisson = poisson;
}

void schedule_advance(struct schedule *schedule, struct random *rng)
{
    double gaps = schedule->_poisson ? -log1p(-random_unit(rng)) : 1;
    schedule->_next_ns += gaps * schedule->_gap_ns;
}
