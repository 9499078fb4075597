/*
 * test_notices.c - ended subscriptions are told to every reactor, however many and however often.
 */
#include "shoal/pubsub/notices.h"

#include "support/reactors.h"

/* While the first notice is under way others gather, and all arrive. */
static void those_that_gather_go_too(void **state)
{
    (void)state;
    struct client *client[30];
    for (int i = 0; i < 30; i++) {
        client[i] = client_open((uint32_t)i % 3);
        ask(client[i], "SUBSCRIBE a b%d", i);
        ask(client[i], "PSUBSCRIBE p%d*", i % 4);
    }
    for (int i = 0; i < 30; i++) {
        conn_kill(client[i]->conn);
        turn((uint32_t)i % 3);
        turn((uint32_t)i % 2);
    }
    turn_until_quiet();
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(reactor_at(i)->pubsub->interests.used, 0);
        assert_null(reactor_at(i)->pubsub->interests.patterns);
        assert_null(reactor_at(i)->pubsub->notices.waiting.first);
    }
}

static void assert_not_heard(struct client *client)
{
    for (int i = 0; i < 5; i++) {
        turn(0);
        turn(1);
        pass_ms(2);
    }
    assert_string_equal(heard(client), "");
}

/* Also if other notices are under way, which its own have to wait for. */
static void the_answer_waits_until_all_have_heard(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    for (int busy = 0; busy < 2; busy++) {
        ask(client, "SUBSCRIBE a");
        ask(other, "SUBSCRIBE b");
        if (busy) {
            tell(other, "UNSUBSCRIBE b");
            turn(0);
        }
        tell(client, "UNSUBSCRIBE a");
        assert_not_heard(client);
        turn(2);
        if (busy)
            assert_not_heard(client); /* the other's has come back: its own is on its way */
        turn_until_quiet();
        assert_string_equal(heard(client), "*3 $11 unsubscribe $1 a :0");
        assert_int_equal(reactor_at(2)->pubsub->interests.used, busy == 0);
        heard(other);
    }
}

static void a_held_answer_goes_with_its_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SUBSCRIBE a");
    tell(client, "UNSUBSCRIBE a");
    assert_not_heard(client);
    assert_non_null(reactor_at(0)->pubsub->notices.held);
    conn_kill(client->conn);
    turn(0);
    turn(0);
    assert_null(reactor_at(0)->pubsub->notices.held);
    turn_until_quiet();
}

static void only_those_that_counted_are_told(void **state)
{
    (void)state;
    struct pubsub *pubsub = reactor_at(1)->pubsub;
    assert_true(interests_add(&pubsub->interests, TOPIC_CHANNEL, 7, bytes_of("", 0), 0));
    struct notice *notice = calloc(1, sizeof(*notice) + sizeof(uint64_t));
    notice->count = 1;
    notice->hash[0] = 7;
    notice_add_reactor(notice, 1);
    notice_send(reactor_at(0), notice);
    turn_until_quiet(); /* reactors 0 and 2 have not counted it, and would say so */
    assert_int_equal(pubsub->interests.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, those_that_gather_go_too),
        with_reactors(3, the_answer_waits_until_all_have_heard),
        with_reactors(3, a_held_answer_goes_with_its_connection),
        with_reactors(3, only_those_that_counted_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
