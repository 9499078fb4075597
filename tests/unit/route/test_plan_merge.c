/*
 * test_plan_merge.c - values of several shards become one reply, by the rule of each step.
 */
#include "shoal/route/plan.h"

#include "shoal/conn/answer.h"
#include "support/reactors.h"

static void fill(struct client *client)
{
    for (uint32_t shard = 0; shard < server->count; shard++)
        ask(client, "SET %s v%u", key(shard, 0), shard);
}

/* ---- the rules ----------------------------------------------------------- */

static void sum_adds_integers(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    fill(client);
    assert_reply(":3", client, "DBSIZE");
    assert_reply(":4", client, "EXISTS %s %s %s %s no", key(2, 0), key(0, 0), key(1, 0), key(2, 0));
    assert_reply(":2", client, "DEL %s %s %s", key(2, 0), key(0, 0), key(1, 1));
    assert_reply(":1", client, "DBSIZE");
}

static void min_is_what_all_agree_on(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    assert_reply(":1", client, "MSETNX %s 1 %s 1", key(0, 1), key(1, 1));
    assert_reply(":0", client, "MSETNX %s 1 %s 1", key(0, 2), key(1, 1));
}

static void keys_come_in_the_order_they_were_asked_in(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    fill(client);
    assert_reply("*5 $2 v2 $2 v0 $-1 $2 v2 $2 v1", client, "MGET %s %s %s %s %s", key(2, 0),
                 key(0, 0), key(1, 1), key(2, 0), key(1, 0));
}

static void concat_has_every_element(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    fill(client);
    char expected[128];
    snprintf(expected, sizeof(expected), "*3 $%zu %s $%zu %s $%zu %s", strlen(key(0, 0)), key(0, 0),
             strlen(key(1, 0)), key(1, 0), strlen(key(2, 0)), key(2, 0));
    assert_reply(expected, client, "KEYS *");
    assert_reply("*0", client, "KEYS x*");
}

static void ok_is_the_first_error_or_ok(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    fill(client);
    assert_reply("+OK", client, "FLUSHALL");
    assert_reply(":0", client, "DBSIZE");
    assert_reply("-ERR syntax error", client, "FLUSHALL sideways");
}

static void pick_is_some_value_or_nil(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    assert_reply("$-1", client, "RANDOMKEY");
    ask(client, "SET %s 1", key(2, 0));
    for (int i = 0; i < 10; i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "$%zu %s", strlen(key(2, 0)), key(2, 0));
        assert_reply(expected, client, "RANDOMKEY");
    }
}

/* A shard with nine keys of ten is picked about nine times of ten. */
static void pick_weighs_shards_by_their_keys(void **state)
{
    (void)state;
    enum { PICKS = 1000 };
    struct client *client = client_open(0);
    uint32_t of_first = 0;
    for (uint32_t i = 0; i < 9; i++)
        ask(client, "SET %s 1", key(0, i));
    ask(client, "SET %s 1", key(1, 0));
    live_ms(100, 10); /* the figures are published */
    for (int i = 0; i < PICKS; i++) {
        const char *name = ask(client, "RANDOMKEY");
        of_first += strcmp(strchr(name, 'k'), key(1, 0)) != 0;
    }
    assert_in_range(of_first, PICKS * 7 / 10, PICKS * 95 / 100); /* weights have one added */
}

/* However many keys of every shard have expired and are still there. */
static void pick_finds_the_only_live_key(void **state)
{
    (void)state;
    char expected[64];
    struct client *client = client_open(1);
    snprintf(expected, sizeof(expected), "$%zu %s", strlen(key(2, 0)), key(2, 0));
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 3000; i++)
            ask(client, "SET gone%u 1 PX 5000", i);
        ask(client, "SET %s 1", key(2, 0));
        pass_ms(5001);
        assert_reply(expected, client, "RANDOMKEY");
    }
}

static void a_move_says_what_became_of_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s 1", key(1, 0));
    assert_reply("+OK", client, "RENAME %s %s", key(1, 0), key(2, 0));
    assert_reply("-ERR no such key", client, "RENAME %s %s", key(1, 0), key(2, 0));
    assert_reply(":1", client, "COPY %s %s", key(2, 0), key(1, 0));
    assert_reply(":0", client, "COPY %s %s", key(2, 0), key(1, 0));
    assert_reply(":0", client, "RENAMENX %s %s", key(2, 0), key(1, 0));
}

/* ---- in a transaction ---------------------------------------------------- */

static void every_rule_works_within_exec(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    fill(client);
    ask(client, "MULTI");
    ask(client, "DBSIZE");
    ask(client, "MGET %s %s", key(2, 0), key(0, 0));
    ask(client, "PING");
    ask(client, "LCS %s %s", key(0, 0), key(1, 0));
    ask(client, "DEL %s %s", key(0, 0), key(1, 0));
    ask(client, "GET %s", key(2, 0));
    ask(client, "FLUSHALL");
    ask(client, "RANDOMKEY");
    ask(client, "KEYS *");
    assert_reply("*9 :3 *2 $2 v2 $2 v0 +PONG $1 v :2 $2 v2 +OK $-1 *0", client, "EXEC");
}

static void an_aborted_one_is_nil(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "WATCH %s", key(1, 0));
    ask(other, "SET %s 1", key(1, 0));
    ask(client, "MULTI");
    ask(client, "GET %s", key(1, 0));
    assert_reply("*-1", client, "EXEC");
}

static void the_protocol_is_the_clients(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "HELLO 3");
    assert_reply("*2 _ _", client, "MGET %s %s", key(0, 0), key(1, 0));
    assert_reply(":0", client, "DEL %s %s", key(0, 0), key(1, 0));
    assert_reply("_", client, "RANDOMKEY");
}

/* ---- of one's own -------------------------------------------------------- */

static void element_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    for (uint32_t i = 0; i <= here->id; i++) {
        reply_int(reply, here->id * 10 + i);
        reply_mark(reply);
    }
}

/* Writes how many elements each shard has, then the last shard's. */
static void element_merge(struct plan *plan, void *context, struct reply *reply)
{
    (void)context;
    reply_array(reply, 6);
    for (uint32_t shard = 0; shard < 3; shard++)
        reply_int(reply, plan_elements(plan, shard));
    struct bytes first = plan_element(plan, 2);
    assert_int_equal(first.size, 5);
    assert_memory_equal(first.data, ":20\r\n", 5);
    assert_int_equal(plan_elements(plan, 2), 2);
    reply_raw(reply, first);
    while (plan_elements(plan, 2) > 0)
        reply_raw(reply, plan_element(plan, 2));
}

static void a_merge_takes_element_by_element(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client->conn->proto = PROTO_RESP2;
    struct request *request = request_new(client->conn);
    request->command = &command_unparsed;
    request_append(client->conn, request);
    request->plan = plan_new(request);
    plan_add_control(request->plan, element_control, element_merge, NULL);
    plan_start(request->plan);
    turn_until_quiet();
    assert_string_equal(heard(client), "*6 :1 :2 :3 :20 :21 :22");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, sum_adds_integers),
        with_reactors(2, min_is_what_all_agree_on),
        with_reactors(3, keys_come_in_the_order_they_were_asked_in),
        with_reactors(3, concat_has_every_element),
        with_reactors(3, ok_is_the_first_error_or_ok),
        with_reactors(3, pick_is_some_value_or_nil),
        with_reactors(2, pick_weighs_shards_by_their_keys),
        with_reactors(3, pick_finds_the_only_live_key),
        with_reactors(3, a_move_says_what_became_of_it),
        with_reactors(3, every_rule_works_within_exec),
        with_reactors(2, an_aborted_one_is_nil),
        with_reactors(2, the_protocol_is_the_clients),
        with_reactors(3, a_merge_takes_element_by_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
