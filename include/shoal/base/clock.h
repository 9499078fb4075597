/*
 * clock.h - the two times of the server.
 *
 * clock_now_ms() is what expiry uses: Unix milliseconds that advance with CLOCK_BOOTTIME, so that a
 * step of the wall clock neither expires keys early nor keeps them longer. Absolute times that
 * clients give or ask for (EXPIREAT, EXPIRETIME) pass through clock_from_wall() and
 * clock_to_wall(), whose offset follows the wall clock when that has been stepped by more than a
 * second.
 *
 * Nothing else in the server reads a clock of the system. So clock_use() makes all of its time: a
 * simulator decides when it is.
 */
#ifndef SHOAL_BASE_CLOCK_H
#define SHOAL_BASE_CLOCK_H

#include "shoal/base/must.h"

#include <stdint.h>
#include <time.h>

/* What says the time in place of the system. */
struct clock {
    /* The time of CLOCK_BOOTTIME, CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_THREAD_CPUTIME_ID. Thread:
     * any that asks for the time. */
    int64_t (*read_ns)(struct clock *clock, clockid_t id);
};

/* Reads `clock` from now on; NULL: the system's clocks, as at first. Before clock_init(). Thread:
 * startup. */
void clock_use(struct clock *clock);

/* Fixes the start and measures the cycle counter. Thread: startup. */
void clock_init(void);

int64_t clock_now_ms(void);               /* thread: any */
int64_t clock_wall_us(void);              /* CLOCK_REALTIME, for TIME; thread: any */
int64_t clock_from_wall(int64_t wall_ms); /* saturates; thread: any */
int64_t clock_to_wall(int64_t now_ms);    /* thread: any */
uint64_t clock_mono_ns(void);             /* CLOCK_MONOTONIC; thread: any */
uint64_t clock_thread_cpu_ns(void);       /* CPU time of the caller; thread: any */

/* In use; NULL: the system's. clock_use() alone writes it. */
extern struct clock *_clock_in_use;

static inline uint64_t clock_cycles(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return clock_mono_ns();
#endif
}

/* The cycle counter, for what is measured once a command, and its conversion. Thread: any. */
static inline uint64_t clock_ticks(void)
{
    return likely(_clock_in_use == NULL) ? clock_cycles() : clock_mono_ns();
}
/* Since an earlier clock_ticks(). Thread: any. */
static inline uint64_t ticks_since(uint64_t start)
{
    return clock_ticks() - start;
}
uint64_t clock_ticks_to_ns(uint64_t ticks);
uint64_t clock_ns_to_ticks(uint64_t ns);

#endif
