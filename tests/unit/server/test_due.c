/*
 * test_due.c - what a reactor does by the clock, and how long it may sleep until then.
 */
#include "shoal/server/due.h"

#include "support/reactors.h"

enum { MS_NS = 1000000 };

/* A reactor with nothing to do, and that is not the sequencer. */
static struct reactor *quiet(void)
{
    live_ms(300, 10);
    assert_int_equal(due_wait_ns(reactor_at(1)), -1);
    return reactor_at(1);
}

/* ---- how long it may sleep ----------------------------------------------- */

static void background_work_is_waited_for(void **state)
{
    (void)state;
    struct reactor *reactor = quiet();
    due_work_by(reactor, reactor->now_ms + 50);
    assert_int_equal(due_wait_ns(reactor), 50 * MS_NS);
    due_work_by(reactor, reactor->now_ms + 70); /* not later than that */
    assert_int_equal(due_wait_ns(reactor), 50 * MS_NS);
    due_work_by(reactor, reactor->now_ms + 20);
    assert_int_equal(due_wait_ns(reactor), 20 * MS_NS);
    pass_ms(25);
    assert_int_equal(due_wait_ns(reactor), 0);
}

static void the_end_of_a_pause_is_waited_for(void **state)
{
    (void)state;
    struct client *admin = client_open(0);
    quiet();
    ask(admin, "CLIENT PAUSE 5000");
    live_ms(1000, 10);
    assert_int_equal(due_wait_ns(reactor_at(1)), 4000ll * MS_NS);
}

static void a_look_for_the_idle_is_waited_for(void **state)
{
    (void)state;
    reactors_begin(2, "--timeout", "100");
    live_ms(300, 10);
    assert_in_range(due_wait_ns(reactor_at(1)), 1, 1000ll * MS_NS);
}

static void lingering_is_waited_for(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    quiet();
    assert_int_equal(write(client->conn->fd, "x", 1), 1);
    ask(client, "QUIT");
    assert_in_range(due_wait_ns(reactor_at(1)), 0, 10 * MS_NS);
}

static void no_timer(void *context, struct timer *timer)
{
    (void)context;
    (void)timer;
}

static void whatever_others_have_linked_is_waited_for(void **state)
{
    (void)state;
    quiet();
    assert_int_equal(due_wait_ns(reactor_at(0)), -1);
    struct timer timer;
    timer_init(&timer, no_timer);
    timers_link(reactor_at(0)->timers, &timer, reactor_at(0)->now_ms + 30);
    assert_int_equal(due_wait_ns(reactor_at(0)), 30 * MS_NS);
    assert_int_equal(due_wait_ns(reactor_at(1)), -1);
    timers_unlink(reactor_at(0)->timers, &timer);
    assert_int_equal(due_wait_ns(reactor_at(0)), -1);
}

/* ---- what it does -------------------------------------------------------- */

static void keys_expire_without_being_asked_for(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s 1 PX 100", key(1, 0));
    live_ms(90, 10);
    assert_int_equal(reactor_at(1)->keyspace->db[0].count, 1);
    live_ms(400, 10);
    assert_int_equal(reactor_at(1)->keyspace->db[0].count, 0);
}

static void rates_are_those_of_the_last_second(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    live_ms(1000, 1000);
    for (int i = 0; i < 50; i++)
        tell(client, "PING");
    turn_until_quiet();
    live_ms(1000, 1000);
    const struct reactor_stats *stats = reactor_at(0)->stats;
    assert_int_equal(counter_get(&stats->ops_per_sec), 50);
    assert_int_equal(counter_get(&stats->bytes_in_per_sec), 50 * strlen("*1\r\n$4\r\nPING\r\n"));
    assert_int_equal(counter_get(&stats->bytes_out_per_sec), 50 * strlen("+PONG\r\n"));
    live_ms(2000, 1000);
    assert_int_equal(counter_get(&stats->ops_per_sec), 0);
}

static void a_pause_ends(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(1);
    ask(admin, "CLIENT PAUSE 100");
    assert_reply("", client, "SET a 1");
    live_ms(100, 10);
    assert_string_equal(heard(client), "+OK");
}

/* ---- figures ------------------------------------------------------------- */

static uint64_t published_keys(void)
{
    return counter_get(&reactor_at(0)->stats->keyspace.keys[0]);
}

static void figures_are_published_when_it_goes_quiet(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET a 1");
    assert_int_equal(published_keys(), 1);
}

static void figures_are_published_once_a_millisecond_while_it_is_busy(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "SET a 1");
    turn(0);
    assert_int_equal(published_keys(), 1);
    tell(client, "SET b 1");
    turn(0);
    assert_int_equal(published_keys(), 1); /* the same millisecond */
    tell(client, "SET c 1");
    pass_ms(1);
    turn(0);
    assert_int_equal(published_keys(), 3);
}

/* Others refuse to queue what there was no room for: they hear of room before they do of the command
 * that made it. */
static void short_room_is_published_every_turn(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct counter *room = &reactor_at(0)->stats->keyspace.room_bytes;
    tell(client, "SET a 1");
    turn(0);
    counter_set(room, 5);
    tell(client, "DEL a");
    turn(0);
    assert_int_equal(published_keys(), 1); /* the same millisecond */
    assert_true(counter_get(room) == keyspace_room(reactor_at(0)->keyspace));
    assert_true(counter_get(room) > 5);
}

static void publishing_takes_all_figures_along(void **state)
{
    (void)state;
    client_open(0);
    due_publish(reactor_at(0));
    assert_int_equal(counter_get(&reactor_at(0)->stats->buffer_bytes),
                     conns_bytes(reactor_at(0)->conns));
    assert_int_equal(counter_get(&reactor_at(0)->stats->turns), reactor_at(0)->ring->turns);
}

static void activity_calls_for_background_work(void **state)
{
    (void)state;
    struct reactor *reactor = quiet();
    due_note_activity(reactor, true);
    assert_int_equal(due_wait_ns(reactor), -1);
    due_note_activity(reactor, false);
    assert_int_equal(due_wait_ns(reactor), 100 * MS_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, background_work_is_waited_for),
        with_reactors(2, the_end_of_a_pause_is_waited_for),
        cmocka_unit_test_teardown(a_look_for_the_idle_is_waited_for, reactors_finish),
        with_reactors(2, lingering_is_waited_for),
        with_reactors(2, whatever_others_have_linked_is_waited_for),
        with_reactors(2, keys_expire_without_being_asked_for),
        with_reactors(1, rates_are_those_of_the_last_second),
        with_reactors(2, a_pause_ends),
        with_reactors(1, figures_are_published_when_it_goes_quiet),
        with_reactors(1, figures_are_published_once_a_millisecond_while_it_is_busy),
        with_reactors(1, short_room_is_published_every_turn),
        with_reactors(1, publishing_takes_all_figures_along),
        with_reactors(2, activity_calls_for_background_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
