/*
 * timers.c - a wheel of timers.
 */
#include "shoal/base/timers.h"

#include "shoal/base/must.h"

/* ---- lists, in a ring with their head ------------------------------------ */

static void head_init(struct timer *head)
{
    head->_prev = head->_next = head;
}

static bool is_empty(const struct timer *head)
{
    return head->_next == head;
}

static void append(struct timer *head, struct timer *timer)
{
    timer->_prev = head->_prev;
    timer->_next = head;
    head->_prev->_next = timer;
    head->_prev = timer;
}

static void cut_out(struct timer *timer)
{
    timer->_prev->_next = timer->_next;
    timer->_next->_prev = timer->_prev;
    timer->_prev = timer->_next = NULL;
}

/* Moves all of `from` to the empty `to`. */
static void move_all(struct timer *from, struct timer *to)
{
    head_init(to);
    if (is_empty(from))
        return;
    *to = *from;
    to->_next->_prev = to->_prev->_next = to;
    head_init(from);
}

/* ---- places -------------------------------------------------------------- */

static int digit_of(int64_t ms, int level)
{
    return (int)((uint64_t)ms >> (level * TIMERS_DIGIT_BITS)) & (TIMERS_PLACES - 1);
}

static int level_of(const struct timers *timers, int64_t at_ms)
{
    return (63 - __builtin_clzll((uint64_t)(at_ms ^ timers->now_ms))) / TIMERS_DIGIT_BITS;
}

static void put(struct timers *timers, struct timer *timer)
{
    if (timer->at_ms < timers->_next_ms)
        timers->_next_ms = timer->at_ms;
    if (timer->at_ms <= timers->now_ms) {
        append(&timers->_due, timer);
        return;
    }
    int level = level_of(timers, timer->at_ms), digit = digit_of(timer->at_ms, level);
    append(&timers->_place[level][digit], timer);
    timers->_places[level] |= (uint16_t)(1u << digit);
    timers->_levels |= (uint16_t)(1u << level);
}

static void note_empty(struct timers *timers, int level, int digit)
{
    timers->_places[level] &= (uint16_t) ~(1u << digit);
    if (timers->_places[level] == 0)
        timers->_levels &= (uint16_t) ~(1u << level);
}

/* The place whose time comes first. All timers of a level are nearer than those of the levels above
 * it, and later than its present digit. */
static struct timer *first_place(const struct timers *timers, int *level, int *digit)
{
    *level = __builtin_ctz(timers->_levels);
    *digit = __builtin_ctz(timers->_places[*level]);
    return (struct timer *)&timers->_place[*level][*digit];
}

/* The first millisecond of a place. */
static int64_t place_ms(const struct timers *timers, int level, int digit)
{
    uint64_t unit = UINT64_C(1) << (level * TIMERS_DIGIT_BITS);
    uint64_t above = (uint64_t)timers->now_ms & ~((unit << TIMERS_DIGIT_BITS) - 1);
    return (int64_t)(above + unit * (uint64_t)digit);
}

/* ---- the wheel ----------------------------------------------------------- */

void timers_init(struct timers *timers, int64_t now_ms, void *context)
{
    *timers = (struct timers){ .now_ms = now_ms, ._next_ms = INT64_MAX, .context = context };
    head_init(&timers->_due);
    for (int level = 0; level < TIMERS_LEVELS; level++)
        for (int digit = 0; digit < TIMERS_PLACES; digit++)
            head_init(&timers->_place[level][digit]);
}

void timers_unlink(struct timers *timers, struct timer *timer)
{
    if (!timer_is_linked(timer))
        return;
    struct timer *next = timer->_next;
    bool last = timer->_prev == next; /* then both are the head */
    struct timer *first = &timers->_place[0][0];
    cut_out(timer);
    if (last && next >= first && next < first + TIMERS_LEVELS * TIMERS_PLACES) {
        int index = (int)(next - first);
        note_empty(timers, index / TIMERS_PLACES, index % TIMERS_PLACES);
    }
}

void timers_link(struct timers *timers, struct timer *timer, int64_t at_ms)
{
    dcheck(timer->run != NULL);
    timers_unlink(timers, timer);
    if (at_ms == INT64_MAX)
        return;
    timer->at_ms = at_ms;
    put(timers, timer);
}

/* The wheel's time goes on to that of its first place, whose timers move down or are due now. */
static void advance(struct timers *timers, struct timer *place, int level, int digit)
{
    struct timer list;
    timers->now_ms = place_ms(timers, level, digit);
    move_all(place, &list);
    note_empty(timers, level, digit);
    while (!is_empty(&list)) {
        struct timer *timer = list._next;
        cut_out(timer);
        put(timers, timer);
    }
}

/* A look at one place: its time, where it has too many timers to look at each. */
static int64_t look_ms(const struct timers *timers)
{
    int level, digit, looked = 0;
    if (!is_empty(&timers->_due))
        return timers->now_ms;
    if (timers->_levels == 0)
        return INT64_MAX;
    const struct timer *place = first_place(timers, &level, &digit);
    int64_t first_ms = INT64_MAX;
    for (const struct timer *timer = place->_next; timer != place; timer = timer->_next) {
        if (looked++ == TIMERS_LOOK_MAX)
            return place_ms(timers, level, digit);
        first_ms = timer->at_ms < first_ms ? timer->at_ms : first_ms;
    }
    return first_ms;
}

uint32_t timers_run_due(struct timers *timers, int64_t now_ms)
{
    struct timer list;
    uint32_t count = 0;
    int level, digit;
    while (timers->_levels != 0) {
        struct timer *place = first_place(timers, &level, &digit);
        if (place_ms(timers, level, digit) > now_ms)
            break;
        advance(timers, place, level, digit);
    }
    if (now_ms > timers->now_ms)
        timers->now_ms = now_ms;
    move_all(&timers->_due, &list);
    for (; !is_empty(&list); count++) {
        struct timer *timer = list._next;
        cut_out(timer);
        timer->run(timers->context, timer);
    }
    timers->_next_ms = look_ms(timers);
    return count;
}

/* Neither is late. timers_run() goes by the one, so the other alone would be called in vain. */
int64_t timers_next_ms(const struct timers *timers)
{
    int64_t ms = look_ms(timers);
    return ms > timers->_next_ms ? ms : timers->_next_ms;
}
