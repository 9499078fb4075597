/*
 * test_multi.c - MULTI, EXEC, DISCARD, WATCH: what is queued, what is kept, what is given back.
 */
#include "shoal/route/multi.h"

#include "support/reactors.h"

static uint32_t queued(const struct client *client)
{
    const struct transaction *transaction = client->conn->transaction;
    return transaction != NULL ? transaction->count : 0;
}

static uint32_t watched(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < server->count; i++)
        count += reactor_at(i)->keyspace->watched;
    return count;
}

/* ---- the queue ----------------------------------------------------------- */

static void commands_are_queued_and_run_together(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    assert_reply("+OK", client, "MULTI");
    for (uint32_t shard = 0; shard < 3; shard++)
        assert_reply("+QUEUED", client, "INCR %s", key(shard, 0));
    assert_int_equal(queued(client), 3);
    assert_reply(":0", other, "EXISTS %s %s", key(0, 0), key(1, 0));
    assert_reply("*3 :1 :1 :1", client, "EXEC");
    assert_int_equal(queued(client), 0);
    assert_reply("-ERR EXEC without MULTI", client, "EXEC");
}

static void an_empty_one_answers_an_empty_array(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    assert_reply("*0", client, "EXEC");
}

static void the_arguments_are_copied(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    client_put_set(client, key(1, 0), 100, 'v');
    client_put_set(client, key(1, 1), 100, 'w');
    turn_until_quiet(); /* the ring's buffers have been written over since */
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS);
    heard(client);
    assert_reply("*2 +OK +OK", client, "EXEC");
    assert_reply("$1 v", client, "GETRANGE %s 99 -1", key(1, 0));
    assert_reply("$1 w", client, "GETRANGE %s 0 0", key(1, 1));
}

static void an_error_of_one_stops_no_other(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s text", key(1, 0));
    ask(client, "MULTI");
    ask(client, "INCR %s", key(1, 0));
    ask(client, "SET %s 1", key(0, 0));
    assert_reply("*2 -ERR value is not an integer or out of range +OK", client, "EXEC");
}

static void a_refused_command_aborts_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(1, 0));
    assert_reply("-ERR wrong number of arguments for 'get' command", client, "GET");
    assert_reply("-EXECABORT Transaction discarded because of previous errors.", client, "EXEC");
    assert_reply(":0", client, "EXISTS %s", key(1, 0));
    ask(client, "MULTI");
    assert_reply("*0", client, "EXEC"); /* forgotten with it */
}

static void an_exec_with_arguments_ends_it(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    const char *error = "-EXECABORT Transaction discarded because of: wrong number of arguments "
                        "for 'exec' command";
    ask(client, "WATCH %s", key(1, 0));
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(1, 0));
    assert_reply(error, client, "EXEC x");
    assert_int_equal(queued(client), 0);
    assert_int_equal(watched(), 0);
    assert_reply("+PONG", client, "PING");
    assert_reply("-ERR EXEC without MULTI", client, "EXEC");
    assert_reply(error, client, "EXEC x");
    assert_reply(":0", other, "EXISTS %s", key(1, 0));
}

static void it_cannot_be_nested(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    assert_reply("-ERR MULTI calls can not be nested", client, "MULTI");
    assert_reply("-ERR WATCH inside MULTI is not allowed", client, "WATCH a");
    assert_reply("+QUEUED", client, "PING");
    assert_reply("*1 +PONG", client, "EXEC");
}

static void discarding_forgets_all_of_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("-ERR DISCARD without MULTI", client, "DISCARD");
    ask(client, "WATCH %s %s", key(0, 0), key(1, 0));
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(0, 0));
    assert_reply("+OK", client, "DISCARD");
    assert_int_equal(queued(client), 0);
    assert_int_equal(watched(), 0);
    assert_reply("$-1", client, "GET %s", key(0, 0));
}

static void a_queued_select_counts_for_those_behind_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    ask(client, "SET %s zero", key(1, 0));
    ask(client, "SELECT 2");
    ask(client, "SET %s two", key(1, 0));
    assert_reply("*3 +OK +OK +OK", client, "EXEC");
    assert_reply("$3 two", client, "GET %s", key(1, 0));
    ask(client, "SELECT 0");
    assert_reply("$4 zero", client, "GET %s", key(1, 0));
}

static void it_runs_at_once_wherever_its_keys_are(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(1, 0));
    ask(client, "GET %s", key(1, 0));
    assert_reply("*2 +OK $1 1", client, "EXEC");
    assert_int_equal(counter_get(&reactor_at(0)->stats->transactions), 0); /* one message */
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(1, 0));
    ask(client, "SET %s 1", key(2, 0));
    assert_reply("*2 +OK +OK", client, "EXEC");
    assert_int_equal(counter_get(&reactor_at(0)->stats->transactions), 1);
}

static void what_it_writes_is_known_before_it_runs(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_false(transaction_writes(client->conn));
    ask(client, "MULTI");
    ask(client, "GET a");
    assert_false(transaction_writes(client->conn));
    ask(client, "SET a 1");
    assert_true(transaction_writes(client->conn));
    ask(client, "DISCARD");
    assert_false(transaction_writes(client->conn));
    assert_reply("-ERR EXEC without MULTI", client, "EXEC");
}

/* ---- watches ------------------------------------------------------------- */

static void every_watch_is_given_back(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "WATCH %s %s", key(0, 0), key(1, 0));
    assert_int_equal(watched(), 2);
    assert_reply("+OK", client, "UNWATCH");
    assert_int_equal(watched(), 0);

    ask(client, "WATCH %s", key(1, 0));
    ask(client, "MULTI");
    assert_reply("*0", client, "EXEC");
    assert_int_equal(watched(), 0);

    ask(client, "WATCH %s", key(1, 0));
    conn_kill(client->conn);
    turn_until_quiet();
    assert_int_equal(watched(), 0);
}

static void a_key_is_watched_once(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "WATCH %s %s", key(1, 0), key(1, 0));
    ask(client, "WATCH %s", key(1, 0));
    uint32_t count = 0;
    for (struct watched_key *key = client->conn->transaction->watched; key != NULL; key = key->next)
        count++;
    assert_int_equal(count, 1);
}

static void a_watch_is_of_one_database(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    ask(client, "WATCH %s", key(1, 0));
    ask(other, "SELECT 1");
    ask(other, "SET %s 1", key(1, 0));
    ask(client, "MULTI");
    assert_reply("*0", client, "EXEC");
    ask(client, "WATCH %s", key(1, 0));
    ask(other, "SELECT 0");
    ask(other, "SET %s 1", key(1, 0));
    ask(client, "MULTI");
    assert_reply("*-1", client, "EXEC");
}

static void an_unwatch_in_the_queue_comes_too_late(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    ask(client, "WATCH %s", key(1, 0));
    ask(other, "SET %s 1", key(1, 0));
    ask(client, "MULTI");
    assert_reply("+QUEUED", client, "UNWATCH");
    assert_reply("*-1", client, "EXEC");
    ask(client, "MULTI");
    assert_reply("*0", client, "EXEC"); /* the watch went with it */
}

static void dropping_it_leaves_nothing(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "WATCH %s %s", key(0, 0), key(1, 0));
    ask(client, "MULTI");
    ask(client, "SET %s 1", key(1, 0));
    transaction_drop(client->conn);
    assert_null(client->conn->transaction);
    assert_int_equal(client->conn->queued_bytes, 0);
    turn_until_quiet();
    assert_int_equal(watched(), 0);
}

/* ---- the budget of state ------------------------------------------------- */

static void beyond_the_bound_of_state_watch_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    uint64_t limit = settings_state_limit(&reactors_settings);
    ask(client, "WATCH %s", key(1, 0));
    uint64_t of_one = state_sum(reactor_at(0), STATE_WATCHES);
    assert_in_range(of_one, sizeof(struct watched_key), sizeof(struct watched_key) + 16);
    state_add(reactor_at(1), STATE_WATCHES, (int64_t)(limit / 2 - 2 * of_one));
    assert_reply("+OK", client, "WATCH %s", key(1, 0)); /* watched already */
    assert_reply("+OK", client, "WATCH %s", key(1, 1));
    assert_reply("-ERR too much state: subscriptions, watches or waiting clients", client,
                 "WATCH %s", key(1, 2));
    state_add(reactor_at(1), STATE_WATCHES, -(int64_t)(limit / 2 - 2 * of_one));
    ask(client, "UNWATCH");
    assert_int_equal(state_sum(reactor_at(0), STATE_WATCHES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, commands_are_queued_and_run_together),
        with_reactors(1, an_empty_one_answers_an_empty_array),
        with_reactors(2, the_arguments_are_copied),
        with_reactors(2, an_error_of_one_stops_no_other),
        with_reactors(2, a_refused_command_aborts_it),
        with_reactors(2, an_exec_with_arguments_ends_it),
        with_reactors(1, it_cannot_be_nested),
        with_reactors(2, discarding_forgets_all_of_it),
        with_reactors(2, a_queued_select_counts_for_those_behind_it),
        with_reactors(3, it_runs_at_once_wherever_its_keys_are),
        with_reactors(1, what_it_writes_is_known_before_it_runs),
        with_reactors(2, every_watch_is_given_back),
        with_reactors(2, a_key_is_watched_once),
        with_reactors(2, a_watch_is_of_one_database),
        with_reactors(2, an_unwatch_in_the_queue_comes_too_late),
        with_reactors(2, dropping_it_leaves_nothing),
        with_reactors(2, beyond_the_bound_of_state_watch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
