/*
 * test_publish.c - messages reach all subscribers, in order, on every reactor.
 */
#include "shoal/pubsub/pubsub.h"

#include "support/reactors.h"

#include "shoal/mesh/mesh.h"

static void everybody_gets_it(void **state)
{
    (void)state;
    struct client *client[6], *publisher = client_open(1);
    for (uint32_t i = 0; i < 6; i++) {
        client[i] = client_open(i % 3);
        ask(client[i], "SUBSCRIBE a");
    }
    assert_reply(":0", publisher, "PUBLISH b x");
    assert_reply(":6", publisher, "PUBLISH a hello");
    for (int i = 0; i < 6; i++)
        assert_string_equal(heard(client[i]), "*3 $7 message $1 a $5 hello");
    assert_reply(":0", publisher, "SPUBLISH a hello");
}

static void patterns_are_matched_wherever_they_are(void **state)
{
    (void)state;
    struct client *here = client_open(0), *there = client_open(2), *publisher = client_open(0);
    ask(here, "PSUBSCRIBE n*");
    ask(there, "PSUBSCRIBE n* ?ews m*");
    ask(there, "SUBSCRIBE news");
    assert_reply(":4", publisher, "PUBLISH news x");
    assert_string_equal(heard(here), "*4 $8 pmessage $2 n* $4 news $1 x");
    assert_string_equal(heard(there),
                        "*3 $7 message $4 news $1 x *4 $8 pmessage $2 n* $4 news $1 x "
                        "*4 $8 pmessage $4 ?ews $4 news $1 x");
    assert_reply(":0", publisher, "PUBLISH other x");
    assert_string_equal(heard(there), "");
}

static void many_patterns(void **state)
{
    (void)state;
    struct client *subscriber[3], *publisher = client_open(1);
    for (uint32_t i = 0; i < 3; i++) {
        subscriber[i] = client_open(i);
        for (int n = 0; n < 50; n++)
            ask(subscriber[i], "PSUBSCRIBE %d-%u*", n, i);
        ask(subscriber[i], "PSUBSCRIBE *");
        for (int n = 0; n < 50; n++)
            ask(subscriber[i], "PSUBSCRIBE *%.*s", n + 1,
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    assert_reply(":153", publisher, "PUBLISH %.*s m", 50,
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_reply(":4", publisher, "PUBLISH 7-2 m");
}

static void shard_channels_have_names_of_their_own(void **state)
{
    (void)state;
    struct client *subscriber = client_open(0), *publisher = client_open(1);
    ask(subscriber, "SSUBSCRIBE a");
    ask(subscriber, "PSUBSCRIBE *");
    assert_reply(":1", publisher, "SPUBLISH a 1");
    assert_string_equal(heard(subscriber), "*3 $8 smessage $1 a $1 1");
    assert_reply(":1", publisher, "PUBLISH a 2");
    assert_string_equal(heard(subscriber), "*4 $8 pmessage $1 * $1 a $1 2");
}

/* In RESP3 a client may publish to itself: behind the reply, and before the next one. */
static void to_oneself(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "HELLO 3");
    ask(client, "SUBSCRIBE a");
    tell(client, "PUBLISH a 1");
    tell(client, "PING");
    tell(client, "PUBLISH a 2");
    tell(client, "GET %s", key(1, 0));
    tell(client, "UNSUBSCRIBE a");
    turn_until_quiet();
    assert_string_equal(heard(client),
                        ":1 >3 $7 message $1 a $1 1 +PONG :1 >3 $7 message $1 a $1 2 _ "
                        ">3 $11 unsubscribe $1 a :0");
}

/* What a command before it in the pipeline has written can be read by whoever hears of it. */
static void it_waits_for_the_commands_before_it(void **state)
{
    (void)state;
    struct client *subscriber = client_open(0), *publisher = client_open(0);
    ask(subscriber, "SUBSCRIBE a");
    tell(publisher, "SET %s 1", key(1, 0));
    tell(publisher, "PUBLISH a x");
    turn(0);
    turn(0);
    assert_string_equal(heard(subscriber), "");
    turn_until_quiet();
    assert_string_equal(heard(publisher), "+OK :1");
    assert_string_equal(heard(subscriber), "*3 $7 message $1 a $1 x");
}

static void one_publisher_s_messages_keep_their_order(void **state)
{
    (void)state;
    struct client *subscriber[3], *publisher = client_open(2);
    for (uint32_t i = 0; i < 3; i++) {
        subscriber[i] = client_open(i);
        ask(subscriber[i], "SUBSCRIBE a b");
        subscriber[i]->line->send_most = 100;
    }
    for (int i = 0; i < 200; i++)
        tell(publisher, "PUBLISH %s %d", i % 2 == 0 ? "a" : "b", i);
    turn_until_quiet();
    for (uint32_t i = 0; i < 3; i++) {
        const char *at = heard(subscriber[i]);
        for (int n = 0; n < 200; n++) {
            char wanted[64];
            snprintf(wanted, sizeof(wanted), "*3 $7 message $1 %s $%d %d", n % 2 == 0 ? "a" : "b",
                     n < 10    ? 1
                     : n < 100 ? 2
                               : 3,
                     n);
            assert_memory_equal(at, wanted, strlen(wanted));
            at += strlen(wanted) + (n < 199);
        }
        assert_string_equal(at, "");
    }
}

static void put_large(struct client *client, size_t size)
{
    char *text = malloc(size);
    memset(text, 'm', size);
    client_put_text(client, "*3\r\n");
    client_put_word(client, "PUBLISH", 7);
    client_put_word(client, "a", 1);
    client_put_word(client, text, size);
    free(text);
}

/* The other reactor does not take anything for a while. */
static void a_publisher_waits_for_a_reactor(void **state)
{
    (void)state;
    struct client *subscriber = client_open(1), *publisher = client_open(0);
    struct client *other = client_open(0);
    ask(subscriber, "SUBSCRIBE a");
    for (int i = 0; i < 300; i++)
        put_large(publisher, 10000);
    for (int i = 0; i < 2000; i++)
        turn(0);
    assert_true(mesh_push_congested(reactor_at(0)->port, 1));
    assert_int_equal(conn_wait(publisher->conn), CONN_WAIT_QUEUE);
    uint64_t published = publisher->conn->commands;
    assert_in_range(published, MESH_PUSH_BYTES / 11000, 200);
    tell(other, "SET %s 1", key(0, 0));
    turn(0);
    turn(0);
    assert_string_equal(heard(other), "+OK"); /* others of the reactor go on */
    turn_until_quiet();
    assert_int_equal(publisher->conn->commands, 300);
    assert_int_equal(heard_bytes(subscriber),
                     300 * (strlen("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$10000"
                                   "\r\n\r\n") +
                            10000));
    assert_int_equal(heard_bytes(publisher), 300 * 4);
}

static void a_large_message_is_there_once_for_all(void **state)
{
    (void)state;
    struct client *subscriber[10], *publisher = client_open(0);
    for (int i = 0; i < 10; i++) {
        subscriber[i] = client_open(0);
        ask(subscriber[i], "SUBSCRIBE a");
        subscriber[i]->line->blocked = true;
    }
    put_large(publisher, 100000);
    turn_until_quiet();
    assert_in_range(reactor_at(0)->conns->budget.reply_bytes, 100000, 101000);
    for (int i = 0; i < 10; i++)
        subscriber[i]->line->blocked = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, everybody_gets_it),
        with_reactors(3, patterns_are_matched_wherever_they_are),
        with_reactors(3, many_patterns),
        with_reactors(2, shard_channels_have_names_of_their_own),
        with_reactors(2, to_oneself),
        with_reactors(2, it_waits_for_the_commands_before_it),
        with_reactors(3, one_publisher_s_messages_keep_their_order),
        with_reactors(2, a_publisher_waits_for_a_reactor),
        with_reactors(1, a_large_message_is_there_once_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
