/*
 * test_unsubscribe.c - UNSUBSCRIBE and its like: at once, in order, and told to all.
 */
#include "shoal/pubsub/pubsub.h"

#include "support/reactors.h"

static void each_name_is_answered(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SUBSCRIBE a b");
    ask(client, "PSUBSCRIBE p");
    assert_reply("*3 $11 unsubscribe $1 a :2 *3 $11 unsubscribe $1 x :2", client,
                 "UNSUBSCRIBE a x");
    assert_reply("*3 $12 punsubscribe $1 p :1", client, "PUNSUBSCRIBE p");
    assert_reply("*3 $12 sunsubscribe $1 s :0", client, "SUNSUBSCRIBE s");
}

static void without_names_all(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("*3 $11 unsubscribe $-1 :0", client, "UNSUBSCRIBE");
    ask(client, "SUBSCRIBE a b");
    ask(client, "PSUBSCRIBE p");
    assert_reply("*3 $11 unsubscribe $1 a :2 *3 $11 unsubscribe $1 b :1", client, "UNSUBSCRIBE");
    assert_reply("*3 $11 unsubscribe $-1 :1", client, "UNSUBSCRIBE");
    assert_reply("*3 $12 punsubscribe $1 p :0", client, "PUNSUBSCRIBE");
    assert_reply("*3 $12 punsubscribe $-1 :0", client, "PUNSUBSCRIBE");
}

/* Messages that were sent before come before the answer; none comes behind it. */
static void its_answer_is_the_last_that_is_heard(void **state)
{
    (void)state;
    struct client *client = client_open(0), *here = client_open(0), *there = client_open(1);
    ask(client, "SUBSCRIBE a");
    tell(there, "PUBLISH a 1");
    turn(1);
    turn(1);
    tell(here, "PUBLISH a 2");
    tell(client, "UNSUBSCRIBE a");
    tell(there, "PUBLISH a 3");
    turn(1);
    turn_until_quiet();
    const char *text = heard(client), *end = strstr(text, "unsubscribe");
    assert_non_null(end);
    assert_null(strstr(end, "message"));
    heard(there);
    assert_reply(":0", there, "PUBLISH a 4");
    assert_string_equal(heard(client), "");
}

static void in_a_transaction(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "HELLO 3");
    ask(client, "SUBSCRIBE a b");
    ask(client, "MULTI");
    ask(client, "PING 1");
    ask(client, "UNSUBSCRIBE a");
    ask(client, "PUBLISH b x");
    ask(client, "PUBLISH a x");
    assert_reply("*4 $1 1 >3 $11 unsubscribe $1 a :1 :1 :0 >3 $7 message $1 b $1 x", client,
                 "EXEC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, each_name_is_answered),
        with_reactors(2, without_names_all),
        with_reactors(2, its_answer_is_the_last_that_is_heard),
        with_reactors(2, in_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
