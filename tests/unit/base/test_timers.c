/*
 * test_timers.c - timers are called at their times, in order, whatever happens meanwhile: by example,
 * and at random against a model that looks at all of them.
 */
#include "shoal/base/timers.h"

#include "shoal/base/container_of.h"
#include "shoal/base/random.h"

#include "support/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 20000, TIMERS = 200, CALLS_MAX = 4 * TIMERS };

struct thing {
    struct timer timer;
    int64_t at_ms;       /* the model: INT64_MAX when it is not linked */
    int64_t due_ms;      /* the same, but not before it was linked */
    uint64_t linked;     /* the how-manieth link it was */
    int64_t again_ms;    /* links itself anew as it is called, so much later; -1: it does not */
    struct thing *stops; /* is unlinked as it is called */
};

static struct timers timers;
static struct thing things[TIMERS];
static struct thing *called[CALLS_MAX];
static uint32_t calls;
static uint64_t links;

static void thing_link(struct thing *thing, int64_t at_ms)
{
    thing->at_ms = at_ms;
    thing->due_ms = at_ms > timers.now_ms ? at_ms : timers.now_ms;
    thing->linked = links++;
    timers_link(&timers, &thing->timer, at_ms);
}

static void thing_unlink(struct thing *thing)
{
    thing->at_ms = INT64_MAX;
    timers_unlink(&timers, &thing->timer);
}

static void call(void *context, struct timer *timer)
{
    struct thing *thing = container_of(timer, struct thing, timer);
    assert_ptr_equal(context, &timers);
    assert_false(timer_is_linked(timer));
    assert_true(calls < CALLS_MAX);
    called[calls++] = thing;
    thing->at_ms = INT64_MAX;
    if (thing->stops != NULL)
        thing_unlink(thing->stops);
    if (thing->again_ms >= 0)
        thing_link(thing, timers.now_ms + thing->again_ms);
}

static int begin(void **state)
{
    (void)state;
    timers_init(&timers, 1000, &timers);
    for (uint32_t i = 0; i < TIMERS; i++) {
        things[i] = (struct thing){ .at_ms = INT64_MAX, .again_ms = -1 };
        timer_init(&things[i].timer, call);
    }
    calls = 0;
    return 0;
}

/* ---- by example ---------------------------------------------------------- */

static void each_is_called_once_at_its_time(void **state)
{
    (void)state;
    thing_link(&things[0], 1005);
    assert_true(timer_is_linked(&things[0].timer));
    assert_int_equal(timer_at_ms(&things[0].timer), 1005);
    assert_int_equal(timers_run(&timers, 1004), 0);
    assert_int_equal(timers_run(&timers, 1005), 1);
    assert_ptr_equal(called[0], &things[0]);
    assert_int_equal(timer_at_ms(&things[0].timer), INT64_MAX);
    assert_int_equal(timers_run(&timers, 9999), 0);
}

static void the_next_is_the_earliest(void **state)
{
    (void)state;
    assert_int_equal(timers_next_ms(&timers), INT64_MAX);
    thing_link(&things[0], 1000 * 1000 * 1000);
    thing_link(&things[1], 2000);
    thing_link(&things[2], 2001);
    assert_int_equal(timers_next_ms(&timers), 2000);
    thing_unlink(&things[1]);
    assert_int_equal(timers_next_ms(&timers), 2001);
    thing_unlink(&things[2]);
    assert_int_equal(timers_next_ms(&timers), 1000 * 1000 * 1000);
}

static void linked_again_it_forgets_the_time_before(void **state)
{
    (void)state;
    thing_link(&things[0], 1010);
    thing_link(&things[0], 5000);
    assert_int_equal(timers_run(&timers, 4999), 0);
    thing_link(&things[0], 5001);
    assert_int_equal(timers_run(&timers, 5000), 0);
    assert_int_equal(timers_run(&timers, 5001), 1);
}

static void never_is_not_linked(void **state)
{
    (void)state;
    thing_link(&things[0], 1010);
    thing_link(&things[0], INT64_MAX);
    assert_false(timer_is_linked(&things[0].timer));
    assert_int_equal(timers_next_ms(&timers), INT64_MAX);
    thing_unlink(&things[0]);
    assert_int_equal(timers_run(&timers, INT64_MAX), 0);
}

static void a_time_that_has_come_goes_with_the_next_run(void **state)
{
    (void)state;
    thing_link(&things[0], 1000);
    thing_link(&things[1], 0);
    assert_int_equal(timers_next_ms(&timers), 1000);
    assert_int_equal(timers_run(&timers, 1000), 2);
}

/* However often it links itself for now, the run ends. */
static void one_that_is_always_due_is_called_once_a_run(void **state)
{
    (void)state;
    things[0].again_ms = 0;
    thing_link(&things[0], 1001);
    for (int i = 1; i < 5; i++)
        assert_int_equal(timers_run(&timers, 1000 + i), 1);
}

static void one_that_is_due_can_be_stopped_by_another(void **state)
{
    (void)state;
    things[0].stops = &things[1];
    thing_link(&things[0], 1001);
    thing_link(&things[1], 1001);
    thing_link(&things[2], 1002);
    assert_int_equal(timers_run(&timers, 1002), 2);
    assert_ptr_equal(called[1], &things[2]);
}

static void a_clock_that_went_back_calls_nothing_twice(void **state)
{
    (void)state;
    things[0].again_ms = 10;
    thing_link(&things[0], 2000);
    assert_int_equal(timers_run(&timers, 2000), 1);
    assert_int_equal(timers_run(&timers, 1500), 0);
    assert_int_equal(timers_next_ms(&timers), 2010);
    assert_int_equal(timers_run(&timers, 2010), 1);
}

/* Many in one distant place: the answer may be early, and never late. */
static void the_next_of_many_is_never_late(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < TIMERS; i++)
        thing_link(&things[i], 500000 - i);
    while (calls == 0) {
        int64_t next_ms = timers_next_ms(&timers);
        assert_in_range(next_ms, timers.now_ms + 1, 500000 - TIMERS + 1);
        timers_run(&timers, next_ms);
    }
    assert_int_equal(timers.now_ms, 500000 - TIMERS + 1);
}

static void the_ends_of_time_are_times(void **state)
{
    (void)state;
    timers_init(&timers, 0, &timers);
    thing_link(&things[0], INT64_MAX - 1);
    thing_link(&things[1], 1);
    assert_int_equal(timers_next_ms(&timers), 1);
    assert_int_equal(timers_run(&timers, 1), 1);
    assert_int_equal(timers_next_ms(&timers), INT64_MAX - 1);
    assert_int_equal(timers_run(&timers, INT64_MAX), 1);
}

/* ---- at random ----------------------------------------------------------- */

/* Most times are near, some lie years ahead, a few have been. */
static int64_t some_time(struct random *random)
{
    uint64_t span = UINT64_C(1) << random_below(random, 45);
    return timers.now_ms - 3 + (int64_t)random_below(random, span + 4);
}

static int64_t model_next_ms(void)
{
    int64_t next_ms = INT64_MAX;
    for (uint32_t i = 0; i < TIMERS; i++)
        next_ms = things[i].at_ms < next_ms ? things[i].at_ms : next_ms;
    return next_ms;
}

/* Exactly those that were due have been called, in order. */
static void run_and_check(int64_t now_ms)
{
    static struct thing before[TIMERS];
    uint32_t due = 0;
    memcpy(before, things, sizeof(before));
    for (uint32_t i = 0; i < TIMERS; i++)
        due += things[i].at_ms <= now_ms;
    calls = 0;
    assert_int_equal(timers_run(&timers, now_ms), due);
    for (uint32_t i = 0; i < calls; i++) {
        const struct thing *was = &before[called[i] - things];
        assert_true(was->at_ms <= now_ms);
        if (i == 0)
            continue;
        const struct thing *other = &before[called[i - 1] - things];
        assert_true(other->due_ms < was->due_ms ||
                    (other->due_ms == was->due_ms && other->linked < was->linked));
    }
}

static void any_order_of_events_is_as_in_the_model(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed());
    for (uint32_t i = 0; i < TIMERS; i++)
        things[i].again_ms = (int64_t)random_below(&random, 4000) - 3000;
    for (int round = 0; round < ROUNDS; round++) {
        struct thing *thing = &things[random_below(&random, TIMERS)];
        int64_t next_ms = model_next_ms();
        switch (random_below(&random, 8)) {
        case 0:
            thing_unlink(thing);
            break;
        case 1:
            run_and_check(timers.now_ms + random_below(&random, 100));
            break;
        case 2:
            if (next_ms < INT64_MAX)
                run_and_check(next_ms > timers.now_ms ? next_ms : timers.now_ms);
            break;
        default:
            thing_link(thing, some_time(&random));
        }
        next_ms = model_next_ms();
        assert_true(timers_next_ms(&timers) <= (next_ms > timers.now_ms ? next_ms : timers.now_ms));
        assert_true(timers_next_ms(&timers) >= timers.now_ms);
        assert_int_equal(timers_next_ms(&timers) == INT64_MAX, next_ms == INT64_MAX);
    }
}

#define timers_test(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        timers_test(each_is_called_once_at_its_time),
        timers_test(the_next_is_the_earliest),
        timers_test(linked_again_it_forgets_the_time_before),
        timers_test(never_is_not_linked),
        timers_test(a_time_that_has_come_goes_with_the_next_run),
        timers_test(one_that_is_always_due_is_called_once_a_run),
        timers_test(one_that_is_due_can_be_stopped_by_another),
        timers_test(a_clock_that_went_back_calls_nothing_twice),
        timers_test(the_next_of_many_is_never_late),
        timers_test(the_ends_of_time_are_times),
        timers_test(any_order_of_events_is_as_in_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
