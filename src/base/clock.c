/*
 * clock.c - server time that advances with CLOCK_BOOTTIME, and its distance from the wall clock.
 */
#include "shoal/base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    WALL_STEP_MS = 1000,        /* the wall clock is followed when it is off by more than this */
    TICKS_MEASURE_NS = 4000000, /* start-up waits this long; read errors of 50 ns make 0.001 % */
};

struct clock *_clock_in_use;

/* Written by clock_init() only. */
static int64_t start_offset_ns; /* server time = CLOCK_BOOTTIME + this */
static uint64_t ns_per_tick_q32;

/* Wall clock = server time + this. Any thread may renew it; it guards nothing else, so relaxed. */
static _Atomic int64_t wall_offset_ms;

static inline int64_t read_clock(clockid_t id, int64_t units_per_second)
{
    struct timespec time;
    if (unlikely(_clock_in_use != NULL))
        return _clock_in_use->read_ns(_clock_in_use, id) / (1000000000 / units_per_second);
    clock_gettime(id, &time);
    return time.tv_sec * units_per_second + time.tv_nsec / (1000000000 / units_per_second);
}

static uint64_t measure_ticks(void)
{
    uint64_t start_ns = clock_mono_ns(), start_ticks = clock_ticks(), ns;
    if (_clock_in_use != NULL)
        return UINT64_C(1) << 32; /* its ticks are nanoseconds */
    do {
        ns = clock_mono_ns() - start_ns;
    } while (ns < TICKS_MEASURE_NS);
    uint64_t ticks = clock_ticks() - start_ticks;
    return (uint64_t)(((unsigned __int128)ns << 32) / (ticks ? ticks : 1));
}

void clock_use(struct clock *clock)
{
    _clock_in_use = clock;
}

void clock_init(void)
{
    /* In nanoseconds: two times cut to milliseconds can be one apart. The wall clock is read last,
     * so that ours is never behind what a client has just read from it. */
    int64_t boot_ns = read_clock(CLOCK_BOOTTIME, 1000000000);
    start_offset_ns = read_clock(CLOCK_REALTIME, 1000000000) - boot_ns;
    atomic_store_explicit(&wall_offset_ms, 0, memory_order_relaxed);
    ns_per_tick_q32 = measure_ticks();
}

int64_t clock_now_ms(void)
{
    return (read_clock(CLOCK_BOOTTIME, 1000000000) + start_offset_ns) / 1000000;
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME, 1000000);
}

/* The offset in use: it stays as it is, so that times convert to and fro exactly, until a step. */
static int64_t wall_offset(void)
{
    int64_t used = atomic_load_explicit(&wall_offset_ms, memory_order_relaxed);
    int64_t actual = read_clock(CLOCK_REALTIME, 1000) - clock_now_ms();
    if (llabs(actual - used) <= WALL_STEP_MS)
        return used;
    atomic_store_explicit(&wall_offset_ms, actual, memory_order_relaxed);
    return actual;
}

/* The ends of the range stay where they are in both directions: "as late as can be" is a time
 * too. */
static int64_t shift_time(int64_t time_ms, int64_t by)
{
    int64_t sum;
    if (time_ms == INT64_MAX || time_ms == INT64_MIN)
        return time_ms;
    if (__builtin_add_overflow(time_ms, by, &sum))
        return by > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

int64_t clock_from_wall(int64_t wall_ms)
{
    return shift_time(wall_ms, -wall_offset());
}

int64_t clock_to_wall(int64_t now_ms)
{
    return shift_time(now_ms, wall_offset());
}

uint64_t clock_mono_ns(void)
{
    return (uint64_t)read_clock(CLOCK_MONOTONIC, 1000000000);
}

uint64_t clock_thread_cpu_ns(void)
{
    return (uint64_t)read_clock(CLOCK_THREAD_CPUTIME_ID, 1000000000);
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * ns_per_tick_q32) >> 32);
}

uint64_t clock_ns_to_ticks(uint64_t ns)
{
    return (uint64_t)(((unsigned __int128)ns << 32) / (ns_per_tick_q32 ? ns_per_tick_q32 : 1));
}
