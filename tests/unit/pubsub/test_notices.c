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
        with_reactors(3, only_those_that_counted_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
