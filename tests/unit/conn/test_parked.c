/*
 * test_parked.c - a request that waits on a shard: what is behind it, and every way it can end.
 */
#include "shoal/conn/parked.h"

#include "support/reactors.h"

static uint32_t parked_at(uint32_t shard)
{
    return reactor_at(shard)->shard->parking.count;
}

static uint64_t blocked(uint32_t reactor)
{
    return counter_get(&reactor_at(reactor)->stats->blocked);
}

static void assert_nobody_waits(void)
{
    for (uint32_t i = 0; i < server->count; i++) {
        assert_int_equal(parked_at(i), 0);
        assert_int_equal(blocked(i), 0);
    }
}

static void it_is_answered_when_it_is_woken(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    for (uint32_t shard = 0; shard < 2; shard++) {
        assert_reply("", client, "DEBUGPARK %s", key(shard, 0));
        assert_int_equal(parked_at(shard), 1);
        assert_int_equal(blocked(0), 1);
        assert_reply(":0", other, "DEBUGWAKE %s x", key(shard, 1));
        assert_reply(":1", other, "DEBUGWAKE %s hello", key(shard, 0));
        assert_string_equal(heard(client), "$5 hello");
        assert_nobody_waits();
    }
}

/* What is before it is answered at once, what is behind it does not run. */
static void in_a_pipeline(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    for (uint32_t shard = 0; shard < 2; shard++) {
        tell(client, "SET %s 1", key(1 - shard, 0));
        tell(client, "PING");
        tell(client, "DEBUGPARK %s", key(shard, 0));
        tell(client, "DEBUGWAKE %s never", key(shard, 0));
        tell(client, "SET %s done", key(1 - shard, 1));
        turn_until_quiet();
        pass_ms(2);
        turn_until_quiet();
        assert_string_equal(heard(client), "+OK +PONG");
        assert_null(
            reactor_at(0)->conns->stalled_first); /* on no list that is looked at each turn */
        assert_reply("$-1", other, "GET %s", key(1 - shard, 1));
        ask(other, "DEBUGWAKE %s x", key(shard, 0));
        assert_string_equal(heard(client), "$1 x :0 +OK");
        ask(other, "DEL %s", key(1 - shard, 1));
    }
}

/* The answer and the word that it waits are on their way at once, in two queues. */
static void the_answer_does_not_pass_the_park(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    tell(client, "DEBUGPARK %s", key(1, 0));
    turn(0);
    turn(1);
    tell(other, "DEBUGWAKE %s x", key(1, 0));
    turn(1);
    turn_until_quiet();
    assert_string_equal(heard(client), "$1 x");
    assert_nobody_waits();
}

static void they_are_woken_in_order(void **state)
{
    (void)state;
    struct client *client[20], *other = client_open(0);
    for (uint32_t i = 0; i < 20; i++) {
        client[i] = client_open(i % 2);
        ask(client[i], "DEBUGPARK %s", key(1, i % 2));
    }
    for (uint32_t i = 0; i < 20; i += 2) {
        ask(other, "DEBUGWAKE %s a%u", key(1, 0), i);
        char wanted[16];
        snprintf(wanted, sizeof(wanted), "$%d a%u", i < 10 ? 2 : 3, i);
        assert_string_equal(heard(client[i]), wanted);
    }
    for (uint32_t i = 1; i < 20; i += 2)
        assert_string_equal(heard(client[i]), "");
}

/* It holds neither a credit nor a receive buffer; the bytes of its arguments are gone, too. */
static void it_holds_nothing_of_others(void **state)
{
    (void)state;
    struct client *client[200], *other = client_open(0);
    for (uint32_t i = 0; i < 200; i++) {
        client[i] = client_open(0);
        tell(client[i], "DEBUGPARK %s", key(i % 2, 0));
        turn_until_quiet();
    }
    assert_int_equal(parked_at(0) + parked_at(1), 200);
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS);
    assert_int_equal(budget_request_bytes(&reactor_at(0)->conns->budget), 0);
    assert_false(mesh_congested(reactor_at(0)->port, 1));
    assert_reply("$-1", other, "GET %s", key(1, 0));
    for (uint32_t i = 0; i < 200; i++)
        assert_reply(":1", other, "DEBUGWAKE %s x", key(i % 2, 0));
    for (uint32_t i = 0; i < 200; i++)
        assert_string_equal(heard(client[i]), "$1 x");
    assert_nobody_waits();
}

static void in_a_transaction_it_is_answered_at_once(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t shard = 0; shard < 2; shard++) {
        ask(client, "MULTI");
        ask(client, "DEBUGPARK %s", key(shard, 0));
        ask(client, "PING");
        assert_reply("*2 $-1 +PONG", client, "EXEC");
        assert_nobody_waits();
    }
}

/* ---- the ways to end ----------------------------------------------------- */

static void end_of_stream(struct client *client)
{
    client_ends(client, 0);
}

static void reset(struct client *client)
{
    client_ends(client, -ECONNRESET);
}

static void kill_it(struct client *client)
{
    char line[64];
    struct client *other = client_open(1);
    snprintf(line, sizeof(line), "CLIENT KILL ID %llu", (unsigned long long)client->conn->id);
    client_put_command(other, line);
}

static void close_it(struct client *client)
{
    conn_close_later(client->conn); /* as the end of the server does */
}

static void (*const ends[])(struct client *) = { end_of_stream, reset, kill_it, close_it };

/* However far the request has come. */
static void it_goes_with_its_client(void **state)
{
    (void)state;
    struct client *other = client_open(1);
    for (size_t how = 0; how < sizeof(ends) / sizeof(ends[0]); how++) {
        for (int turns = 0; turns < 5; turns++) {
            for (uint32_t shard = 0; shard < 2; shard++) {
                struct client *client = client_open(0);
                tell(client, "DEBUGPARK %s", key(shard, 0));
                tell(client, "PING");
                for (int i = 0; i < turns; i++)
                    turn((uint32_t)i % 2);
                ends[how](client);
                turn_until_quiet();
                pass_ms(3000);
                turn_until_quiet();
                assert_false(client_is_open(client));
                assert_nobody_waits();
                assert_reply(":0", other, "DEBUGWAKE %s x", key(shard, 0));
            }
        }
    }
}

/* The answer is on its way while the client goes. */
static void an_answer_that_comes_too_late(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "DEBUGPARK %s", key(1, 0));
    tell(other, "DEBUGWAKE %s x", key(1, 0));
    turn(1);
    conn_kill(client->conn);
    turn(0);
    turn_until_quiet();
    assert_nobody_waits();
    assert_string_equal(heard(other), ":1"); /* it had been given away */
}

/* An answer to one command must not be taken for that to the next. */
static void an_answer_has_one_command(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "DEBUGPARK %s", key(1, 0));
    struct caller caller = client->conn->unanswered.first->message.caller;
    struct caller before = { .client = caller.client, .number = caller.number - 1 };
    struct caller stranger = { .client = caller.client + 100, .number = caller.number };
    assert_false(parked_answer(reactor_at(0), before, NULL));
    assert_false(parked_answer(reactor_at(0), stranger, NULL));
    assert_int_equal(blocked(0), 1);
}

static void much_behind_it_is_not_received(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "DEBUGPARK %s", key(1, 0));
    for (int i = 0; i < 3000; i++)
        tell(client, "SET %s aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", key(1, 1));
    turn_until_quiet();
    assert_in_range(client->conn->input->size, CONN_INPUT_SOFT, CONN_INPUT_SOFT + 20000);
    assert_false(client->conn->recv.in_flight);
    ask(other, "DEBUGWAKE %s x", key(1, 0));
    assert_int_equal(heard_bytes(client), strlen("$1\r\nx\r\n") + 3000 * strlen("+OK\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, it_is_answered_when_it_is_woken),
        with_reactors(2, in_a_pipeline),
        with_reactors(2, the_answer_does_not_pass_the_park),
        with_reactors(2, they_are_woken_in_order),
        with_reactors(2, it_holds_nothing_of_others),
        with_reactors(2, in_a_transaction_it_is_answered_at_once),
        with_reactors(2, it_goes_with_its_client),
        with_reactors(2, an_answer_that_comes_too_late),
        with_reactors(2, an_answer_has_one_command),
        with_reactors(2, much_behind_it_is_not_received),
    };
    /* Elsewhere there is no command that waits yet. */
    return DCHECK_ON ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
