/*
 * test_conn.c - a connection's life: opened, stopped by a full queue or a slow reader, ended.
 */
#include "shoal/conn/conn.h"

#include "support/reactors.h"

enum { PIPELINE = 800, VALUE = 8000 };

static uint64_t commands_of(const struct client *client)
{
    return client->conn->commands;
}

static void put_gets(struct client *client, const char *name, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tell(client, "GET %s", name);
}

static void it_is_counted_while_it_lives(void **state)
{
    (void)state;
    struct reactor *home = reactor_at(1);
    struct client *first = client_open(1), *second = client_open(1);
    assert_int_equal(home->conns->count, 2);
    assert_int_equal(counter_get(&home->stats->clients), 2);
    assert_int_equal(counter_get(&home->stats->connections_received), 2);
    assert_int_equal(second->conn->id - first->conn->id, server->count); /* unique among all */
    conn_kill(first->conn);
    turn_until_quiet();
    assert_false(client_is_open(first));
    assert_true(client_is_open(second));
    assert_int_equal(counter_get(&home->stats->clients), 1);
    assert_int_equal(counter_get(&home->stats->connections_closed), 1);
}

/* ---- stopped, and on again ----------------------------------------------- */

static void a_full_queue_stops_it_until_there_is_room(void **state)
{
    (void)state;
    struct client *client[3];
    struct counter *forwarded = &reactor_at(0)->stats->cross_shard;
    for (uint32_t i = 0; i < 3; i++) {
        client[i] = client_open(0);
        put_gets(client[i], key(1, i), PIPELINE);
    }
    for (int i = 0; i < 20; i++)
        turn(0); /* and the other shard takes nothing */
    uint64_t queued = counter_get(forwarded);
    assert_in_range(queued, MESH_RING, MESH_RING + 3); /* each notices with one more */
    turn(0);
    assert_int_equal(counter_get(forwarded), queued);
    turn_until_quiet();
    assert_int_equal(counter_get(forwarded), 3 * PIPELINE);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(heard_bytes(client[i]), PIPELINE * strlen("$-1\r\n"));
}

static void too_many_unanswered_requests_stop_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    put_gets(client, key(1, 0), CONN_REQUESTS_MAX + 100);
    for (int i = 0; i < 20; i++)
        turn(0);
    assert_int_equal(client->conn->requests, CONN_REQUESTS_MAX);
    assert_int_equal(commands_of(client), CONN_REQUESTS_MAX);
    turn_until_quiet();
    assert_int_equal(heard_bytes(client), (CONN_REQUESTS_MAX + 100) * strlen("$-1\r\n"));
}

static void what_waits_unparsed_is_not_read_beyond_a_limit(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    put_gets(client, key(1, 0), 8 * PIPELINE); /* 180 KB */
    for (int i = 0; i < 40; i++)
        turn(0);
    assert_true(fake_has_arrived(client->line));
    assert_null(client->line->recv);
    turn_until_quiet();
    assert_int_equal(heard_bytes(client), 8 * PIPELINE * strlen("$-1\r\n"));
}

static void a_slow_reader_is_stopped_and_goes_on_at_half(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_set(client, "a", VALUE, 'v');
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
    client->line->blocked = true;
    put_gets(client, "a", 400);
    turn_until_quiet();
    uint64_t stopped_at = commands_of(client);
    size_t waiting = client->conn->out.bytes;
    assert_in_range(waiting, CONN_OUT_SOFT + 1, CONN_OUT_SOFT + 3 * BATCH_MAX * VALUE);
    assert_int_equal(counter_get(&reactor_at(0)->stats->throttled), 1);

    client->line->send_most = waiting - CONN_OUT_SOFT / 2 - 1; /* a byte too few */
    turn_until_quiet();
    assert_int_equal(commands_of(client), stopped_at);
    client->line->send_most = 1;
    turn_until_quiet();
    assert_true(commands_of(client) > stopped_at);

    client->line->blocked = false;
    turn_until_quiet();
    assert_int_equal(commands_of(client), 401);
    assert_int_equal(heard_bytes(client), 400 * (strlen("$8000\r\n\r\n") + VALUE));
}

/* ---- the client ends it -------------------------------------------------- */

static void requests_under_way_are_answered_after_the_end_of_input(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "SET %s one", key(1, 0));
    tell(client, "GET %s", key(1, 0));
    tell(client, "MSET %s 1 %s 2", key(0, 1), key(1, 1));
    client_ends(client, 0);
    turn(0);
    turn(0);
    assert_true(client_is_open(client));
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK $3 one +OK");
    assert_false(client_is_open(client));
}

static void an_end_within_a_request_ends_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_text(client, "*2\r\n$3\r\nGET\r\n$1");
    turn_until_quiet();
    assert_true(client_is_open(client));
    client_ends(client, 0);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_string_equal(heard(client), "");
}

static void a_reset_drops_what_is_under_way(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    tell(client, "SET %s one", key(1, 0));
    turn(0);
    client_ends(client, -ECONNRESET);
    turn(0);
    assert_true(client_is_open(client)); /* the other shard has its request */
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_int_equal(heard_bytes(client), 0);
    assert_reply("$3 one", other, "GET %s", key(1, 0));
}

static void a_send_that_fails_ends_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client->line->send_error = -EPIPE;
    tell(client, "PING");
    turn_until_quiet();
    assert_false(client_is_open(client));
}

/* ---- we end it ----------------------------------------------------------- */

static void closing_later_answers_what_came_before(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(1, 0));
    tell(client, "PING");
    turn(0);
    conn_close_later(client->conn);
    tell(client, "PING too-late");
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1 +PONG");
    assert_false(client_is_open(client));
}

static void killing_loses_what_is_unsent(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client->line->blocked = true;
    tell(client, "PING");
    turn_until_quiet();
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_int_equal(heard_bytes(client), 0);
}

/* One byte that the kernel has and the client's side has not. */
static void leave_undelivered(struct client *client)
{
    assert_int_equal(write(client->conn->fd, "x", 1), 1);
}

static void it_lingers_until_the_client_has_everything(void **state)
{
    (void)state;
    char byte;
    struct client *client = client_open(0);
    leave_undelivered(client);
    assert_reply("+OK", client, "QUIT");
    live_ms(CONN_LINGER_MS / 2, 50);
    assert_true(client_is_open(client));
    tell(client, "SET a 1"); /* read and dropped */
    turn_until_quiet();
    assert_int_equal(read(client->peer, &byte, 1), 1);
    live_ms(10, 10);
    assert_false(client_is_open(client));
    assert_reply(":0", client_open(0), "EXISTS a");
}

static void it_does_not_linger_for_ever(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    leave_undelivered(client);
    assert_reply("+OK", client, "QUIT");
    live_ms(CONN_LINGER_MS - 10, 10);
    assert_true(client_is_open(client));
    live_ms(20, 10);
    assert_false(client_is_open(client));
}

/* A client of a reactor with this client-output-buffer-limit, with ten replies that it does not read. */
static struct client *leave_unread(const char *limit)
{
    reactors_begin(1, "--client-output-buffer-limit", limit);
    struct client *client = client_open(0);
    client_put_set(client, "a", VALUE, 'v');
    turn_until_quiet();
    client->line->blocked = true;
    put_gets(client, "a", 10);
    turn_until_quiet();
    return client;
}

static void unread_replies_have_a_hard_limit(void **state)
{
    (void)state;
    struct client *client = leave_unread("normal 100000 0 0"), *other = client_open(0);
    assert_true(client_is_open(client));
    put_gets(client, "a", 10);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_int_equal(counter_get(&reactor_at(0)->stats->output_limit_closed), 1);
    assert_true(client_is_open(other));
}

static void unread_replies_have_a_soft_limit_in_time(void **state)
{
    (void)state;
    struct client *client = leave_unread("normal 0 50000 5");
    pass_ms(5000);
    put_gets(client, "a", 1);
    turn_until_quiet();
    assert_true(client_is_open(client)); /* not longer than five seconds */
    pass_ms(1);
    put_gets(client, "a", 1);
    turn_until_quiet();
    assert_false(client_is_open(client));
}

/* Everything may be read in one go, after which nothing is flushed that could see it. */
static void what_has_been_read_is_no_longer_above_the_soft_limit(void **state)
{
    (void)state;
    struct client *client = leave_unread("normal 0 50000 5");
    client->line->blocked = false;
    turn_until_quiet();
    assert_int_equal(client->conn->out.bytes, 0);
    pass_ms(6000);
    client->line->blocked = true;
    put_gets(client, "a", 10);
    turn_until_quiet();
    assert_true(client_is_open(client));
    pass_ms(6000);
    put_gets(client, "a", 1);
    turn_until_quiet();
    assert_false(client_is_open(client));
}

/* ---- nothing is left ----------------------------------------------------- */

static void killed_within_a_large_request_it_gives_back_its_room(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_set(client, "a", 4000000, 'v');
    client->line->in.size = 50000; /* of which no more arrives */
    turn_until_quiet();
    assert_true(client->conn->claim.promised > 0);
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_int_equal(reactor_at(0)->conns->budget.promised_bytes, 0);
}

/* A bit of everything that can be under way; reactors_end() looks at what is left of it. */
static void put_everything(struct client *client)
{
    client_put_set(client, key(0, 0), 20000, 'x');
    client_put_set(client, key(1, 0), 20000, 'y');
    tell(client, "MGET %s %s", key(0, 0), key(1, 0));
    tell(client, "GET %s", key(1, 0));
    tell(client, "WATCH %s %s", key(0, 1), key(1, 1));
    tell(client, "MULTI");
    tell(client, "MSET %s 1 %s 2", key(0, 2), key(1, 2));
    tell(client, "GET %s", key(0, 0));
    tell(client, "EXEC");
    tell(client, "MSETNX %s 1 %s 2", key(0, 3), key(1, 3));
    tell(client, "RENAME %s %s", key(0, 0), key(1, 4));
    tell(client, "WATCH %s %s", key(0, 1), key(1, 1));
    tell(client, "MULTI");
    tell(client, "SET %s 1", key(1, 5));
    tell(client, "FLUSHALL");
    client_put_text(client, "*2\r\n$3\r\nGET\r\n$100\r\nhalf");
}

static void kill_after(uint32_t turns, bool blocked)
{
    struct client *client = client_open(0);
    client->line->blocked = blocked;
    put_everything(client);
    for (uint32_t i = 0; i < turns; i++)
        turn((i + 1) % 2);
    if (client_is_open(client))
        conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    client = client_open(1);
    assert_reply("+OK", client, "MSET %s 1 %s 2", key(0, 0), key(1, 0)); /* nothing is held */
}

static void killed_at_any_moment_it_leaves_nothing(void **state)
{
    (void)state;
    for (uint32_t turns = 0; turns < 60; turns++) {
        reactors_begin(2);
        kill_after(turns, turns % 2 == 0);
        reactors_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, it_is_counted_while_it_lives),
        with_reactors(2, a_full_queue_stops_it_until_there_is_room),
        with_reactors(2, too_many_unanswered_requests_stop_it),
        with_reactors(2, what_waits_unparsed_is_not_read_beyond_a_limit),
        with_reactors(1, a_slow_reader_is_stopped_and_goes_on_at_half),
        with_reactors(2, requests_under_way_are_answered_after_the_end_of_input),
        with_reactors(1, an_end_within_a_request_ends_it),
        with_reactors(2, a_reset_drops_what_is_under_way),
        with_reactors(1, a_send_that_fails_ends_it),
        with_reactors(2, closing_later_answers_what_came_before),
        with_reactors(1, killing_loses_what_is_unsent),
        with_reactors(1, it_lingers_until_the_client_has_everything),
        with_reactors(1, it_does_not_linger_for_ever),
        cmocka_unit_test_teardown(unread_replies_have_a_hard_limit, reactors_finish),
        cmocka_unit_test_teardown(unread_replies_have_a_soft_limit_in_time, reactors_finish),
        cmocka_unit_test_teardown(what_has_been_read_is_no_longer_above_the_soft_limit,
                                  reactors_finish),
        with_reactors(1, killed_within_a_large_request_it_gives_back_its_room),
        cmocka_unit_test(killed_at_any_moment_it_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
