/*
 * test_subscribe.c - SUBSCRIBE and its like: what is answered, and when.
 */
#include "shoal/pubsub/subscriber.h"

#include "support/reactors.h"

#include "shoal/pubsub/pubsub.h"

static bool memory_is_out;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_out ? NULL : __real_calloc(count, size);
}

static void one_value_for_each_name(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2", client, "SUBSCRIBE a b");
    assert_reply("*3 $9 subscribe $1 a :2 *3 $9 subscribe $1 c :3 *3 $9 subscribe $1 c :3", client,
                 "SUBSCRIBE a c c");
    assert_reply("*3 $10 psubscribe $1 a :4", client, "PSUBSCRIBE a");
    assert_reply("*3 $10 ssubscribe $1 a :1", client, "SSUBSCRIBE a");
    assert_int_equal(subscriber_count(client->conn, TOPIC_CHANNEL), 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t at = 0;
        uint64_t hash = topic_hash(TOPIC_CHANNEL, bytes_str("c"));
        const struct interest *it = interests_next(&reactor_at(i)->pubsub->interests, hash, &at);
        assert_int_equal(it->count, 1); /* what was said twice is counted once */
    }
}

/* A moment later it would be right again, but nobody may see that moment. */
static void a_name_that_it_has_is_not_counted_again(void **state)
{
    (void)state;
    struct client *client = client_open(0), *publisher = client_open(1);
    ask(client, "SUBSCRIBE a");
    tell(client, "SUBSCRIBE a b");
    for (int i = 0; i < 20; i++) {
        turn((uint32_t)i % 2);
        tell(publisher, "PUBLISH a x");
        turn(1);
        turn(1);
        assert_string_equal(heard(publisher), ":1");
    }
    turn_until_quiet();
    conn_kill(client->conn);
    turn_until_quiet();
    assert_int_equal(reactor_at(1)->pubsub->interests.used, 0);
}

/* Not before: whoever reads the answer may rely on it. */
static void it_is_answered_when_every_reactor_knows(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "SUBSCRIBE a");
    tell(client, "PING");
    for (int i = 0; i < 4; i++) {
        turn(0);
        turn(1);
        pass_ms(2);
    }
    assert_string_equal(heard(client), "");
    assert_int_equal(subscriber_count(client->conn, TOPIC_CHANNEL), 0);
    turn_until_quiet();
    assert_string_equal(heard(client), "*3 $9 subscribe $1 a :1 *2 $4 pong $0 ");
}

static void what_comes_before_the_answer_is_dropped(void **state)
{
    (void)state;
    struct client *client = client_open(0), *publisher = client_open(1);
    tell(client, "SUBSCRIBE a");
    turn(0);
    turn(1);
    assert_true(reactor_at(1)->pubsub->interests.used > 0);
    tell(publisher, "PUBLISH a early");
    turn(1);
    turn(1);
    turn(0);
    assert_string_equal(heard(client), "");
    turn_until_quiet();
    assert_string_equal(heard(client), "*3 $9 subscribe $1 a :1");
    ask(publisher, "PUBLISH a late");
    assert_string_equal(heard(client), "*3 $7 message $1 a $4 late");
}

static void in_a_transaction(void **state)
{
    (void)state;
    struct client *client = client_open(0), *publisher = client_open(1);
    ask(client, "MULTI");
    assert_reply("+QUEUED", client, "SUBSCRIBE a");
    ask(client, "SET %s 1", key(1, 0));
    ask(client, "PSUBSCRIBE b*");
    assert_reply("*3 *3 $9 subscribe $1 a :1 +OK *3 $10 psubscribe $2 b* :2", client, "EXEC");
    assert_reply(":1", publisher, "PUBLISH a x");
    assert_reply(":1", publisher, "PUBLISH bb x");
    assert_string_equal(heard(client), "*3 $7 message $1 a $1 x *4 $8 pmessage $2 b* $2 bb $1 x");
}

/* WATCH has the EXEC fail: nothing was announced that stays. */
static void in_a_transaction_that_does_not_run(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "WATCH %s", key(1, 0));
    ask(client, "MULTI");
    ask(client, "SUBSCRIBE a");
    ask(other, "SET %s 1", key(1, 0));
    assert_reply("*-1", client, "EXEC");
    assert_reply("*2 $1 a :0", other, "PUBSUB NUMSUB a");
    assert_reply("+PONG", client, "PING");
    ask(client, "SUBSCRIBE b");
    assert_reply("*4 $1 a :0 $1 b :1", other, "PUBSUB NUMSUB a b");
}

static void client_reply_off_does_not_silence_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "HELLO 3");
    ask(client, "CLIENT REPLY OFF");
    assert_reply(">3 $9 subscribe $1 a :1", client, "SUBSCRIBE a");
    assert_reply("", client, "PING");
    assert_reply(">3 $11 unsubscribe $1 a :0", client, "UNSUBSCRIBE a");
}

/* Of the reactors only one can count: all is as before. */
static void without_memory_it_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "SUBSCRIBE a b");
    turn(0);
    turn(1);
    memory_is_out = true;
    turn(2);
    memory_is_out = false;
    turn_until_quiet();
    assert_non_null(strstr(heard(client), "-OOM"));
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(reactor_at(i)->pubsub->interests.used, 0);
    assert_reply("+PONG", client, "PING");
}

/* Of all reactors together. */
static void beyond_the_bound_of_state_it_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SUBSCRIBE a");
    uint64_t limit = settings_state_limit(&reactors_settings);
    state_add(reactor_at(1), STATE_SUBSCRIPTIONS, (int64_t)(limit / 2));
    ask(client, "UNSUBSCRIBE none");
    state_add(reactor_at(1), STATE_SUBSCRIPTIONS, (int64_t)(limit / 2));
    assert_reply("-ERR too much state: subscriptions, watches or waiting clients", client,
                 "SUBSCRIBE b");
    assert_reply("*3 $11 unsubscribe $1 a :0", client, "UNSUBSCRIBE a"); /* which is counted anew */
    assert_reply("*3 $9 subscribe $1 b :1", client, "SUBSCRIBE b");
}

/* Native: a request has one reply, an array of the answers. */
static void native_has_one_reply(void **state)
{
    (void)state;
    static const char request[] = "\x15\0\0\0\x03\x09\0\0\0SUBSCRIBE\x01\0\0\0a\x01\0\0\0b";
    struct client *client = client_open(0), *publisher = client_open(1);
    uint32_t size = (uint32_t)sizeof(request) - 1 - 4;
    client_put(client, &size, 4);
    client_put(client, request + 4, size);
    turn_until_quiet();
    const unsigned char *at = (unsigned char *)client->line->out.data;
    assert_int_equal(at[4], 4); /* ARR */
    assert_int_equal(at[5], 2);
    assert_int_equal(heard_bytes(client), at[0] + 4u);
    ask(publisher, "PUBLISH b x");
    at = (unsigned char *)client->line->out.data + client->line->out.taken;
    assert_int_equal(at[4], 5); /* PUSH */
    assert_int_equal(at[5], 3);
    assert_int_equal(heard_bytes(client), at[0] + 4u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, one_value_for_each_name),
        with_reactors(2, a_name_that_it_has_is_not_counted_again),
        with_reactors(3, it_is_answered_when_every_reactor_knows),
        with_reactors(3, what_comes_before_the_answer_is_dropped),
        with_reactors(2, in_a_transaction),
        with_reactors(2, in_a_transaction_that_does_not_run),
        with_reactors(2, client_reply_off_does_not_silence_it),
        with_reactors(3, without_memory_it_is_refused),
        with_reactors(2, beyond_the_bound_of_state_it_is_refused),
        with_reactors(2, native_has_one_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
