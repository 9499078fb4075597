/*
 * test_loop.c - one turn: when a reactor sleeps, what wakes it, what it takes in.
 */
#include "shoal/server/loop.h"

#include "shoal/mesh/broadcast.h"
#include "shoal/mesh/call.h"
#include "support/reactors.h"

/* ---- sleep --------------------------------------------------------------- */

static uint64_t sleeps(uint32_t reactor)
{
    return counter_get(&reactor_at(reactor)->stats->sleeps);
}

static void with_nothing_to_do_it_sleeps_for_good(void **state)
{
    (void)state;
    client_open(1);
    turn_until_quiet();
    uint64_t before = sleeps(1);
    turn(1);
    assert_int_equal(sleeps(1), before + 1);
    assert_int_equal(ring_at(1)->wait_ns, -1);
}

static void after_work_it_looks_once_more(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    turn_until_quiet();
    tell(client, "PING");
    turn(0); /* the send has started */
    assert_false(reactor_at(0)->loop->idle);
    turn(0);
    assert_int_equal(ring_at(0)->wait_ns, 0);
    turn(0);
    turn(0);
    assert_int_not_equal(ring_at(0)->wait_ns, 0);
}

static void forward_something(void)
{
    tell(&reactors_client[0], "GET %s", key(1, 0));
    turn(0);
}

/* It had looked at its queues, and then something was put into one. */
static void a_sleeper_is_woken(void **state)
{
    (void)state;
    client_open(0);
    turn_until_quiet();
    ring_at(1)->waiting = forward_something;
    turn(1);
    ring_at(1)->waiting = NULL;
    assert_int_equal(ring_at(0)->wakes, 1);
    assert_int_equal(counter_get(&reactor_at(0)->stats->wakeups), 1);
    turn(0); /* the answer is there: the same turn has run it */
    turn(0);
    assert_string_equal(heard(&reactors_client[0]), "$-1");
}

static void it_does_not_sleep_on_a_message(void **state)
{
    (void)state;
    client_open(0);
    turn_until_quiet();
    uint64_t before = sleeps(1);
    forward_something();
    assert_true(reactor_at(1)->loop->idle);
    turn(1);
    assert_int_equal(ring_at(1)->wait_ns, 0);
    assert_int_equal(sleeps(1), before);
    assert_int_equal(ring_at(0)->wakes, 0); /* it was awake */
}

static void it_polls_on_for_a_while_if_so_wanted(void **state)
{
    (void)state;
    reactors_begin(1, "--busy-poll-us", "100");
    struct client *client = client_open(0);
    tell(client, "PING");
    turn(0);
    turn(0);
    for (int i = 0; i < 9; i++) {
        pass_us(10);
        turn(0);
        assert_false(reactor_at(0)->loop->idle);
    }
    pass_us(10);
    turn(0);
    assert_true(reactor_at(0)->loop->idle);
}

static void five_seconds_pass(void)
{
    pass_ms(5000);
}

/* Time is read after the wait: a key that has expired meanwhile is gone. */
static void it_knows_how_long_it_has_waited(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET a 1 PX 4999");
    int64_t before = reactor_at(0)->now_ms;
    tell(client, "EXISTS a");
    ring_at(0)->waiting = five_seconds_pass;
    turn(0);
    ring_at(0)->waiting = NULL;
    assert_int_equal(reactor_at(0)->now_ms, before + 5000);
    turn_until_quiet();
    assert_string_equal(heard(client), ":0");
}

/* ---- what it takes in ---------------------------------------------------- */

static char order[8]; /* when the call ran */

static void note_call(struct reactor *here, struct message *message)
{
    strcat(order, here->keyspace->db[0].count > 0 ? "after" : "before");
    call_answer(here, message);
}

static void note_nothing(struct reactor *here, struct message *message)
{
    (void)here;
    (void)message;
}

/* Commands are gathered, calls are not: a call waits for the commands before it all the same. */
static void messages_of_one_source_run_in_order(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct message call = { .run = note_call,
                            .done = note_nothing,
                            .kind = MESSAGE_CALL,
                            .magic = MESSAGE_MAGIC,
                            .to = 1 };
    order[0] = '\0';
    tell(client, "SET %s 1", key(1, 0));
    turn(0);
    call_send(reactor_at(0), &call);
    turn(0);
    turn(1);
    assert_string_equal(order, "after");
    turn_until_quiet();
}

static void a_turn_takes_a_bounded_number_of_requests(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (int i = 0; i < MESH_DRAIN_TURN + 100; i++)
        tell(client, "INCR %s", key(1, 0));
    turn(0);
    turn(0);
    turn(1);
    struct client *own = client_open(1);
    tell(own, "GET %s", key(1, 0));
    turn(1);
    turn(1);
    int64_t seen = atoll(heard(own) + strlen("$3 "));
    assert_in_range(seen, 1, MESH_DRAIN_TURN);
    turn_until_quiet();
}

/* ---- the end ------------------------------------------------------------- */

static void it_runs_until_it_is_stopped(void **state)
{
    (void)state;
    uint64_t turns = reactor_at(0)->ring->turns;
    reactor_at(0)->loop->stopped = true;
    loop_run(reactor_at(0));
    assert_int_equal(reactor_at(0)->ring->turns, turns + 1); /* for what was still to be sent */
    reactor_at(0)->loop->stopped = false;
}

static uint32_t broadcasts_done;

static void nothing_run(struct reactor *here, struct broadcast *broadcast)
{
    (void)here;
    (void)broadcast;
}

static void count_done(struct reactor *home, struct broadcast *broadcast)
{
    (void)home;
    broadcasts_done++;
    free(broadcast);
}

static void what_was_under_way_is_ended_by_hand(void **state)
{
    (void)state;
    broadcasts_done = 0;
    for (uint32_t i = 0; i < 3; i++)
        broadcast_send(reactor_at(i), broadcast_new(3, nothing_run, count_done));
    bool any = true;
    for (int rounds = 0; any && rounds < 10; rounds++) {
        any = false;
        for (uint32_t i = 0; i < 3; i++)
            any |= loop_finish(reactor_at(i));
    }
    assert_false(any);
    assert_int_equal(broadcasts_done, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, with_nothing_to_do_it_sleeps_for_good),
        with_reactors(1, after_work_it_looks_once_more),
        with_reactors(2, a_sleeper_is_woken),
        with_reactors(2, it_does_not_sleep_on_a_message),
        cmocka_unit_test_teardown(it_polls_on_for_a_while_if_so_wanted, reactors_finish),
        with_reactors(1, it_knows_how_long_it_has_waited),
        with_reactors(2, messages_of_one_source_run_in_order),
        with_reactors(2, a_turn_takes_a_bounded_number_of_requests),
        with_reactors(1, it_runs_until_it_is_stopped),
        with_reactors(3, what_was_under_way_is_ended_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
