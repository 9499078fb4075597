/*
 * records.c - from how many cycles on a command is slow, and what is kept of it then.
 */
#include "shoal/stats/records.h"

#include "shoal/base/clock.h"

enum { QUICK_US_MAX = 100 }; /* a command that is measured with its group takes less */

static uint64_t ticks_of_us(uint64_t us)
{
    return us < UINT64_MAX / 1000 ? clock_ns_to_ticks(us * 1000) : UINT64_MAX;
}

void records_use(struct records *records, int64_t slowlog_us, int event_ms)
{
    uint64_t log_ticks = slowlog_us < 0 ? UINT64_MAX : ticks_of_us((uint64_t)slowlog_us);
    uint64_t event_ticks = event_ms == 0 ? UINT64_MAX : ticks_of_us((uint64_t)event_ms * 1000);
    records->slow_ticks = log_ticks < event_ticks ? log_ticks : event_ticks;
    records->measure_each = slowlog_us >= 0 && slowlog_us < QUICK_US_MAX;
    records->event_ms = event_ms;
}

void records_clear(struct records *records)
{
    slowlog_clear(&records->slowlog);
}

void records_note(struct records *records, enum latency_event event, int64_t us)
{
    if (unlikely(records->event_ms > 0 && us >= (int64_t)records->event_ms * 1000))
        latency_note(&records->events, event, clock_wall_us() / 1000000, us / 1000,
                     records->event_ms);
}
