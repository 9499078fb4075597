/*
 * test_conns.c - the lists that connections wait on: for replies, queues, buffers, the clock.
 */
#include "shoal/conn/conns.h"

#include "support/reactors.h"

enum { HOLD_US = 1000 };

/* ---- replies that are held back ------------------------------------------ */

/* A reply that is there, before one that another shard still owes. */
static struct client *half_answered(void)
{
    struct client *client = client_open(0);
    tell(client, "PING");
    tell(client, "GET %s", key(1, 0));
    turn(0);
    return client;
}

static void a_reply_waits_for_one_from_another_shard(void **state)
{
    (void)state;
    struct client *client = half_answered();
    assert_int_equal(client->line->sends, 0);
    turn_until_quiet();
    assert_string_equal(heard(client), "+PONG $-1");
    assert_int_equal(client->line->sends, 1);
}

static void it_waits_a_millisecond_at_most(void **state)
{
    (void)state;
    struct client *client = half_answered();
    pass_us(HOLD_US - 1);
    turn(0);
    assert_int_equal(client->line->sends, 0);
    pass_us(1);
    turn(0); /* starts the send */
    turn(0);
    assert_string_equal(heard(client), "+PONG");
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1");
}

static void the_reactor_wakes_up_for_it(void **state)
{
    (void)state;
    half_answered();
    pass_us(300);
    turn(0);
    turn(0); /* idle: it would sleep */
    assert_int_equal(ring_at(0)->wait_ns, (HOLD_US - 300) * 1000);
}

static void much_is_not_held_back(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_set(client, key(0, 0), CONN_HOLD_MAX, 'v');
    turn_until_quiet();
    heard_bytes(client);
    uint32_t sends = client->line->sends;
    tell(client, "GET %s", key(0, 0));
    tell(client, "GET %s", key(1, 0));
    turn(0);
    assert_int_equal(client->line->sends, sends + 1);
}

/* ---- receive buffers ----------------------------------------------------- */

static void without_a_buffer_it_starves_until_one_is_back(void **state)
{
    (void)state;
    enum { CLIENTS = 10 };
    struct client *client[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        client[i] = client_open(0);
        tell(client[i], "GET %s", key(1, i));
    }
    turn(0); /* what is forwarded holds its buffer */
    assert_int_equal(counter_get(&reactor_at(0)->stats->starved), CLIENTS - FAKE_BUFFERS);
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), 0);
    turn(0);
    assert_null(client[CLIENTS - 1]->line->recv); /* there is still none */
    turn_until_quiet();
    for (uint32_t i = 0; i < CLIENTS; i++)
        assert_string_equal(heard(client[i]), "$-1");
}

static void the_first_that_starved_is_fed_first(void **state)
{
    (void)state;
    enum { CLIENTS = 2 * FAKE_BUFFERS };
    struct client *client[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        client[i] = client_open(0);
        tell(client[i], "GET %s", key(1, i));
    }
    turn(0);
    turn(1);
    turn(0); /* the buffers are back, and those that starved receive again */
    for (uint32_t i = FAKE_BUFFERS; i < CLIENTS; i++)
        assert_non_null(client[i]->line->recv);
    turn(0);
    for (uint32_t i = FAKE_BUFFERS; i < CLIENTS; i++)
        assert_int_equal(client[i]->conn->requests, 1);
}

static void hold_buffers(bool hold)
{
    for (uint16_t i = 0; i < FAKE_BUFFERS; i++)
        if (hold)
            ring_buffer_hold(reactor_at(0)->ring, i);
        else
            ring_buffer_release(reactor_at(0)->ring, i);
}

/* Else those that are let in before it could take all buffers each time. */
static void one_that_was_let_in_and_got_nothing_is_first(void **state)
{
    (void)state;
    struct client *new = client_open(0), *fed[2] = { client_open(0), client_open(0) };
    struct client *holder = client_open(0);
    hold_buffers(true);
    tell(fed[0], "PING");
    tell(fed[1], "PING");
    turn(0);
    hold_buffers(false);
    turn(0); /* lets them receive */
    assert_non_null(fed[0]->line->recv);
    assert_non_null(fed[1]->line->recv);
    hold_buffers(true);
    tell(new, "PING");
    tell(holder, "PING");
    fake_reap(reactor_at(0)->ring);
    assert_ptr_equal(reactor_at(0)->conns->starved.first, fed[1]->conn);
    assert_ptr_equal(fed[1]->conn->next_starved, fed[0]->conn);
    assert_ptr_equal(fed[0]->conn->next_starved, new->conn);
    assert_ptr_equal(reactor_at(0)->conns->starved.last, holder->conn);
    hold_buffers(false);
    turn_until_quiet();
    assert_string_equal(heard(fed[0]), "+PONG");
    assert_string_equal(heard(new), "+PONG");
}

/* One that sends without pause has one buffer a turn once they have been short, until all that it
 * has sent is read. */
static void one_that_has_more_queues_for_the_next_buffer(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    hold_buffers(true);
    tell(client, "PING");
    turn(0);
    hold_buffers(false);
    assert_int_equal(write(client->peer, "more", 4), 4);
    for (int i = 0; i < 5; i++) {
        turn(0);
        assert_true(client->line->once);
        assert_int_equal(client->line->recv_most, CONN_HELPING);
        tell(client, "PING");
    }
    char read_by_now[4];
    assert_int_equal(read(client->conn->fd, read_by_now, 4), 4);
    turn_until_quiet();
    assert_false(client->line->once);
    assert_string_equal(heard(client), "+PONG +PONG +PONG +PONG +PONG +PONG");
}

static void one_that_is_killed_while_it_starves_goes(void **state)
{
    (void)state;
    struct client *client[FAKE_BUFFERS + 1];
    for (uint32_t i = 0; i <= FAKE_BUFFERS; i++) {
        client[i] = client_open(0);
        tell(client[i], "GET %s", key(1, i));
    }
    turn(0);
    conn_kill(client[FAKE_BUFFERS]->conn);
    turn(0);
    turn(0);
    assert_false(client_is_open(client[FAKE_BUFFERS]));
}

/* ---- by the clock -------------------------------------------------------- */

static void the_idle_are_closed(void **state)
{
    (void)state;
    reactors_begin(1, "--timeout", "10");
    struct client *idle = client_open(0), *busy = client_open(0);
    live_ms(9000, 500);
    assert_reply("+PONG", busy, "PING");
    assert_true(client_is_open(idle));
    live_ms(2500, 500);
    assert_false(client_is_open(idle));
    assert_true(client_is_open(busy));
    assert_int_equal(counter_get(&reactor_at(0)->stats->idle_closed), 1);
}

static void one_that_waits_for_its_reply_is_not_idle(void **state)
{
    (void)state;
    reactors_begin(2, "--timeout", "10");
    struct client *client = client_open(0);
    tell(client, "GET %s", key(1, 0));
    turn(0);
    pass_ms(20000);
    turn(0);
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1");
    assert_true(client_is_open(client));
}

static void without_a_timeout_nobody_is_idle(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    live_ms(100000, 10000);
    assert_true(client_is_open(client));
}

/* ---- what they take ------------------------------------------------------ */

static void their_bytes_are_counted(void **state)
{
    (void)state;
    struct conns *conns = reactor_at(0)->conns;
    struct client *client = client_open(0);
    turn_until_quiet();
    uint64_t before = conns_bytes(conns);
    client_put_text(client, "*2\r\n$3\r\nGET\r\n$20000\r\n");
    for (int i = 0; i < 10000; i++)
        client_put_text(client, "x");
    turn_until_quiet();
    assert_in_range(conns_bytes(conns) - before, 10000, 100000);
    client_open(0);
    assert_true(conns_bytes(conns) - before >= 10000 + sizeof(struct conn));
}

/* ---- by id --------------------------------------------------------------- */

static void each_is_found_by_its_id(void **state)
{
    (void)state;
    uint64_t id[200];
    struct client *client[200];
    for (int i = 0; i < 200; i++) {
        client[i] = client_open(i % 2);
        id[i] = client[i]->conn->id;
    }
    for (int i = 0; i < 200; i += 3)
        conn_kill(client[i]->conn);
    for (int i = 0; i < 200; i += 3)
        assert_null(conn_by_id(reactor_at(i % 2), id[i])); /* dead, but not gone yet */
    turn_until_quiet();
    for (int i = 0; i < 200; i++) {
        struct conn *wanted = i % 3 != 0 ? client[i]->conn : NULL;
        assert_ptr_equal(conn_by_id(reactor_at(i % 2), id[i]), wanted);
        assert_null(conn_by_id(reactor_at(1 - i % 2), id[i]));
    }
    assert_null(conn_by_id(reactor_at(0), 0));
    assert_null(conn_by_id(reactor_at(0), UINT64_MAX));
}

static void an_id_does_not_come_again(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    uint64_t id = client->conn->id;
    conn_kill(client->conn);
    turn_until_quiet();
    assert_true(client_open(0)->conn->id > id);
    assert_null(conn_by_id(reactor_at(0), id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, a_reply_waits_for_one_from_another_shard),
        with_reactors(2, it_waits_a_millisecond_at_most),
        with_reactors(2, the_reactor_wakes_up_for_it),
        with_reactors(2, much_is_not_held_back),
        with_reactors(2, without_a_buffer_it_starves_until_one_is_back),
        with_reactors(2, the_first_that_starved_is_fed_first),
        with_reactors(1, one_that_was_let_in_and_got_nothing_is_first),
        with_reactors(1, one_that_has_more_queues_for_the_next_buffer),
        with_reactors(2, one_that_is_killed_while_it_starves_goes),
        cmocka_unit_test_teardown(the_idle_are_closed, reactors_finish),
        cmocka_unit_test_teardown(one_that_waits_for_its_reply_is_not_idle, reactors_finish),
        with_reactors(1, without_a_timeout_nobody_is_idle),
        with_reactors(1, their_bytes_are_counted),
        with_reactors(2, each_is_found_by_its_id),
        with_reactors(1, an_id_does_not_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
