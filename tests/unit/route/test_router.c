/*
 * test_router.c - a pause begins and ends, by itself or before its time.
 */
#include "shoal/route/router.h"

#include "support/reactors.h"

static struct router *router(void)
{
    return reactor_at(0)->router;
}

static void pause_for(int64_t ms, bool writes_only)
{
    struct pause pause = { reactor_at(0)->now_ms + ms, writes_only };
    router_pause(reactor_at(0), &pause);
}

static void it_ends_by_itself(void **state)
{
    (void)state;
    pause_for(50, true);
    assert_true(router()->pause.writes_only);
    live_ms(49, 7);
    assert_int_not_equal(router()->pause.until_ms, 0);
    live_ms(1, 1);
    assert_int_equal(router()->pause.until_ms, 0);
    assert_false(router()->pause.writes_only);
}

static void a_later_end_replaces_an_earlier_one(void **state)
{
    (void)state;
    pause_for(50, false);
    pause_for(90, false);
    live_ms(80, 10);
    assert_int_not_equal(router()->pause.until_ms, 0);
    live_ms(10, 10);
    assert_int_equal(router()->pause.until_ms, 0);
}

static void one_that_was_ended_does_not_end_the_next(void **state)
{
    (void)state;
    pause_for(50, false);
    router_unpause(reactor_at(0));
    assert_int_equal(router()->pause.until_ms, 0);
    pause_for(90, false);
    live_ms(80, 10);
    assert_int_not_equal(router()->pause.until_ms, 0);
    router_unpause(reactor_at(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, it_ends_by_itself),
        with_reactors(1, a_later_end_replaces_an_earlier_one),
        with_reactors(1, one_that_was_ended_does_not_end_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
