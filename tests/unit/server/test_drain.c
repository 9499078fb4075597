/*
 * test_drain.c - the clean end: connections get what they are owed, late ones are cut off, all halt.
 */
#include "shoal/server/drain.h"

#include "support/reactors.h"

static void begin_and_drain(void)
{
    server_begin(server);
    drain_begin(server);
}

static bool all_stopped(void)
{
    bool stopped = true;
    for (uint32_t i = 0; i < server->count; i++)
        stopped &= reactor_at(i)->loop->stopped;
    return stopped;
}

static bool any_stopped(void)
{
    bool stopped = false;
    for (uint32_t i = 0; i < server->count; i++)
        stopped |= reactor_at(i)->loop->stopped;
    return stopped;
}

static void without_connections_it_ends_at_once(void **state)
{
    (void)state;
    assert_false(drain_has_begun(&server->drain));
    live_ms(1000, 100);
    assert_false(any_stopped());
    begin_and_drain();
    assert_true(drain_has_begun(&server->drain));
    live_ms(DRAIN_CHECK_MS, DRAIN_CHECK_MS);
    assert_true(all_stopped());
}

static void idle_connections_are_closed(void **state)
{
    (void)state;
    struct client *client[3] = { client_open(0), client_open(1), client_open(2) };
    begin_and_drain();
    live_ms(2 * DRAIN_CHECK_MS, DRAIN_CHECK_MS);
    for (uint32_t i = 0; i < 3; i++)
        assert_false(client_is_open(client[i]));
    assert_true(all_stopped());
}

static void requests_that_were_received_are_answered(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    tell(client, "MSET %s 1 %s 2", key(0, 0), key(2, 0));
    tell(client, "GET %s", key(2, 0)); /* received, waits for the one before it */
    turn(1);
    begin_and_drain();
    live_ms(2 * DRAIN_CHECK_MS, DRAIN_CHECK_MS);
    assert_string_equal(heard(client), "+OK");
    assert_true(all_stopped());
    assert_false(client_is_open(client));
}

static void a_pause_ends_with_it(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(1);
    ask(admin, "CLIENT PAUSE 1000000");
    assert_reply("", client, "SET %s 1", key(0, 0));
    begin_and_drain();
    live_ms(2 * DRAIN_CHECK_MS, DRAIN_CHECK_MS);
    assert_string_equal(heard(client), "+OK");
    assert_true(all_stopped());
}

static void a_slow_reader_gets_its_time(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    client->line->blocked = true;
    tell(client, "PING");
    turn_until_quiet();
    begin_and_drain();
    live_ms(5000, 100);
    assert_true(client_is_open(client));
    assert_false(any_stopped());
    client->line->blocked = false;
    live_ms(100, 10);
    assert_string_equal(heard(client), "+PONG");
    assert_true(all_stopped());
}

static void after_the_timeout_it_is_cut_off(void **state)
{
    (void)state;
    reactors_begin(2, "--shutdown-timeout", "3");
    struct client *client = client_open(1);
    client->line->blocked = true;
    tell(client, "PING");
    turn_until_quiet();
    begin_and_drain();
    live_ms(2900, 100);
    assert_true(client_is_open(client));
    live_ms(100, 100);
    assert_false(client_is_open(client));
    assert_int_equal(heard_bytes(client), 0);
    live_ms(100, 10);
    assert_true(all_stopped());
}

/* The sequencer hears of the others' halt before it stops itself. */
static void the_sequencer_is_the_last(void **state)
{
    (void)state;
    begin_and_drain();
    for (int i = 0; i < 10; i++)
        turn(SEQUENCER);
    assert_false(reactor_at(SEQUENCER)->loop->stopped);
    turn(1);
    assert_true(reactor_at(1)->loop->stopped);
    for (int i = 0; i < 10; i++)
        turn(SEQUENCER);
    assert_false(reactor_at(SEQUENCER)->loop->stopped);
    turn(2);
    turn(SEQUENCER);
    assert_true(reactor_at(SEQUENCER)->loop->stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, without_connections_it_ends_at_once),
        with_reactors(3, idle_connections_are_closed),
        with_reactors(3, requests_that_were_received_are_answered),
        with_reactors(2, a_pause_ends_with_it),
        with_reactors(2, a_slow_reader_gets_its_time),
        cmocka_unit_test_teardown(after_the_timeout_it_is_cut_off, reactors_finish),
        with_reactors(3, the_sequencer_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
