/*
 * timers.h - what is to be called at a time: a wheel of timers that their owners embed.
 *
 * A timer lives in the object that waits for it, so the wheel allocates nothing and has no bound of
 * its own. Linking and unlinking take the same time however many there are. The wheel has 16 levels
 * of 16 places, one level for each hexadecimal digit of a time: a timer lies at the level of the
 * highest digit in which it differs from the wheel's time, and moves down as that time comes near.
 * Thread: owner, for all of it.
 */
#ifndef SHOAL_BASE_TIMERS_H
#define SHOAL_BASE_TIMERS_H

#include "shoal/base/must.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;

/* `context` is what timers_init() was given. The timer is not linked any more: it may be linked
 * anew, or be freed with what it is in. */
typedef void (*timer_fn)(void *context, struct timer *timer);

struct timer {
    struct timer *_prev, *_next; /* NULL: it is not linked */
    int64_t at_ms;               /* while it is linked */
    timer_fn run;
};

enum {
    TIMERS_DIGIT_BITS = 4,
    TIMERS_PLACES = 1 << TIMERS_DIGIT_BITS,
    TIMERS_LEVELS = 64 / TIMERS_DIGIT_BITS,
    TIMERS_LOOK_MAX = 16, /* timers of one place that timers_next_ms() looks at */
};

struct timers {
    int64_t now_ms;   /* of the last run that had anything to do */
    int64_t _next_ms; /* nothing is due before */
    void *context;
    struct timer _due; /* linked for a time that had come: they go with the next run */
    uint16_t _levels;  /* those with any timer */
    uint16_t _places[TIMERS_LEVELS]; /* ... and the places of each */
    struct timer _place[TIMERS_LEVELS][TIMERS_PLACES];
};

/* Times are milliseconds from 0 on; `now_ms` is the present one. */
void timers_init(struct timers *timers, int64_t now_ms, void *context);

static inline void timer_init(struct timer *timer, timer_fn run)
{
    *timer = (struct timer){ .run = run };
}

static inline bool timer_is_linked(const struct timer *timer)
{
    return timer->_next != NULL;
}

/* When it is due; INT64_MAX: never. */
static inline int64_t timer_at_ms(const struct timer *timer)
{
    return timer_is_linked(timer) ? timer->at_ms : INT64_MAX;
}

/* Has it called once at `at_ms`, and no more at the time that it was linked for before. A time that
 * has come is due with the next run; INT64_MAX is never. */
void timers_link(struct timers *timers, struct timer *timer, int64_t at_ms);

/* It may be unlinked already. */
void timers_unlink(struct timers *timers, struct timer *timer);

/* timers_run(), where something may be due. */
uint32_t timers_run_due(struct timers *timers, int64_t now_ms);

/*
 * Calls what is due at `now_ms`, in the order of the times, those of one time in the order in which
 * they were linked. What is linked meanwhile for a time that has come waits for the next
 * run. Times before the last run's are taken for that.
 *
 *   returns  how many were called
 */
static inline uint32_t timers_run(struct timers *timers, int64_t now_ms)
{
    return likely(now_ms < timers->_next_ms) ? 0 : timers_run_due(timers, now_ms);
}

/* When timers_run() is to be called next; INT64_MAX: need not be. Where a time in the distance has
 * more than TIMERS_LOOK_MAX timers, it may be a little early. */
int64_t timers_next_ms(const struct timers *timers);

#endif
