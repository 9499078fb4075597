/*
 * test_broadcast.c - one order to three reactors whose queues are real.
 */
#include "shoal/mesh/broadcast.h"

#include "support/mesh_turns.h"

static void note_run(struct reactor *here, struct broadcast *broadcast)
{
    (void)broadcast;
    ran[here->id]++;
}

static void note_done(struct reactor *home, struct broadcast *broadcast)
{
    assert_int_equal(home->id, broadcast->number);
    ended++;
}

static void every_reactor_runs_it_once(void **state)
{
    (void)state;
    struct broadcast *broadcast = broadcast_new(REACTORS, note_run, note_done);
    for (uint32_t home = 0; home < REACTORS; home++) {
        broadcast->number = home;
        broadcast_send(&reactor[home], broadcast);
        assert_int_equal(ended, home); /* not before the others have run it */
        turn_until_quiet();
        assert_int_equal(ended, home + 1);
        for (uint32_t i = 0; i < REACTORS; i++)
            assert_int_equal(ran[i], home + 1);
    }
    free(broadcast);
}

static void it_needs_no_end(void **state)
{
    (void)state;
    struct broadcast *broadcast = broadcast_new(REACTORS, note_run, NULL);
    broadcast_send(&reactor[1], broadcast);
    assert_int_equal(broadcast->outstanding, REACTORS);
    turn_until_quiet();
    assert_int_equal(broadcast->outstanding, 0);
    free(broadcast);
}

static void it_may_be_sent_again(void **state)
{
    (void)state;
    struct broadcast *broadcast = broadcast_new(REACTORS, note_run, note_done);
    for (uint32_t times = 1; times <= 3; times++) {
        broadcast_send(&reactor[0], broadcast);
        turn_until_quiet();
        assert_int_equal(ended, times);
        assert_int_equal(ran[1], times);
    }
    free(broadcast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_reactor_runs_it_once, begin, end),
        cmocka_unit_test_setup_teardown(it_needs_no_end, begin, end),
        cmocka_unit_test_setup_teardown(it_may_be_sent_again, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
