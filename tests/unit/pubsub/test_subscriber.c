/*
 * test_subscriber.c - what a connection with subscriptions is, and how it ends.
 */
#include "shoal/pubsub/subscriber.h"

#include "support/reactors.h"

#include "shoal/pubsub/pubsub.h"

static uint32_t interested(uint32_t reactor, enum topic_kind kind)
{
    return reactor_at(reactor)->pubsub->interests.distinct[kind];
}

static void assert_nothing_left(void)
{
    for (uint32_t i = 0; i < server->count; i++) {
        const struct pubsub *pubsub = reactor_at(i)->pubsub;
        assert_int_equal(pubsub->topics.count, 0);
        assert_int_equal(pubsub->interests.used, 0);
        assert_null(pubsub->interests.patterns);
        assert_int_equal(counter_get(&reactor_at(i)->stats->pubsub_clients), 0);
    }
}

static void resp2_allows_little_while_subscribed(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SUBSCRIBE a");
    assert_non_null(
        strstr(ask(client, "GET %s", key(1, 0)), "-ERR Can't execute 'get': only (P|S)SUBSCRIBE"));
    assert_non_null(strstr(ask(client, "CLIENT LIST"), "-ERR Can't execute 'client|list'"));
    assert_reply("*2 $4 pong $0 ", client, "PING");
    assert_reply("*2 $4 pong $1 x", client, "PING x");
    assert_reply("-ERR wrong number of arguments for 'get' command", client, "GET");
    ask(client, "UNSUBSCRIBE");
    assert_reply("+PONG", client, "PING");
    assert_reply("$-1", client, "GET %s", key(1, 0));
}

static void resp3_allows_everything(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "HELLO 3");
    assert_reply(">3 $9 subscribe $1 a :1", client, "SUBSCRIBE a");
    assert_reply("_", client, "GET %s", key(1, 0));
    assert_reply("+PONG", client, "PING");
}

static void its_end_is_told_to_all(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "SUBSCRIBE a b");
    ask(client, "PSUBSCRIBE p*");
    ask(client, "SSUBSCRIBE s");
    ask(other, "SUBSCRIBE a");
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(interested(i, TOPIC_CHANNEL), 2);
        assert_int_equal(interested(i, TOPIC_PATTERN), 1);
        assert_int_equal(interested(i, TOPIC_SHARD), 1);
    }
    assert_int_equal(counter_get(&reactor_at(0)->stats->pubsub_clients), 1);
    assert_true(pubsub_bytes(reactor_at(0)->pubsub) > 0);
    conn_kill(client->conn);
    turn_until_quiet();
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(interested(i, TOPIC_CHANNEL), 1);
        assert_int_equal(interested(i, TOPIC_PATTERN), 0);
        assert_int_equal(interested(i, TOPIC_SHARD), 0);
    }
    assert_int_equal(subscriber_count(other->conn, TOPIC_CHANNEL), 1);
    client_ends(other, 0);
    turn_until_quiet();
    assert_nothing_left();
}

static void reset_ends_all(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SUBSCRIBE a b");
    ask(client, "PSUBSCRIBE p*");
    assert_reply("+RESET", client, "RESET");
    assert_reply("+PONG", client, "PING");
    assert_int_equal(subscriber_count(client->conn, TOPIC_CHANNEL), 0);
    assert_nothing_left();
}

static void one_that_dies_while_it_subscribes_leaves_nothing(void **state)
{
    (void)state;
    for (int turns = 0; turns < 6; turns++) {
        struct client *client = client_open(0);
        tell(client, "SUBSCRIBE a b c");
        turn(0);
        for (int i = 0; i < turns; i++)
            turn((uint32_t)(1 + i) % 3);
        conn_kill(client->conn);
        turn_until_quiet();
        assert_nothing_left();
    }
}

static void a_subscriber_is_never_idle(void **state)
{
    (void)state;
    reactors_begin(1, "--timeout", "1");
    struct client *client = client_open(0), *idle = client_open(0);
    ask(client, "SUBSCRIBE a");
    ask(idle, "PING");
    live_ms(5000, 500);
    assert_true(client_is_open(client));
    assert_false(client_is_open(idle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, resp2_allows_little_while_subscribed),
        with_reactors(2, resp3_allows_everything),
        with_reactors(3, its_end_is_told_to_all),
        with_reactors(2, reset_ends_all),
        with_reactors(3, one_that_dies_while_it_subscribes_leaves_nothing),
        cmocka_unit_test_teardown(a_subscriber_is_never_idle, reactors_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
