/*
 * test_account.c - what a command has cost: counted where its client is, noted if it was slow.
 */
#include "shoal/conn/account.h"

#include "support/reactors.h"

static struct command_stats *stats_of(uint32_t reactor, const char *name)
{
    return &reactor_at(reactor)->stats->command[registry_find(bytes_str(name))->id];
}

static uint64_t calls(uint32_t reactor, const char *name)
{
    return counter_get(&stats_of(reactor, name)->calls);
}

static void a_command_is_counted_once_wherever_it_runs(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "GET %s", key(0, 0));
    ask(client, "GET %s", key(1, 0));
    ask(client, "MGET %s %s", key(0, 0), key(1, 0));
    ask(client, "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    assert_int_equal(calls(0, "get"), 2);
    assert_int_equal(calls(0, "mget"), 1);
    assert_int_equal(calls(0, "mset"), 1);
    assert_int_equal(calls(1, "get") + calls(1, "mget") + calls(1, "mset"), 0);
    assert_true(counter_get(&stats_of(0, "mset")->ticks) > 0);
}

static void commands_of_a_transaction_are_counted_when_they_run(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    ask(client, "GET %s", key(0, 0));
    ask(client, "GET %s", key(1, 0));
    ask(client, "PING");
    assert_int_equal(calls(0, "get"), 0);
    assert_int_equal(calls(0, "ping"), 0);
    assert_reply("*3 $-1 $-1 +PONG", client, "EXEC");
    assert_int_equal(calls(0, "get"), 2);
    assert_int_equal(calls(0, "ping"), 1);
    assert_int_equal(calls(0, "exec"), 1);
}

static void a_cost_goes_to_its_bucket(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    const struct command *get = registry_find(bytes_str("get"));
    const struct args none = { .count = 0 };
    uint64_t ticks = clock_ns_to_ticks(5000000), bucket = latency_bucket(ticks);
    account_command(client->conn, get, &none, ticks);
    assert_int_equal(counter_get(&stats_of(0, "get")->latency[bucket]), 1);
    assert_int_equal(counter_get(&stats_of(0, "get")->ticks), ticks);
}

/* ---- refused, failed ----------------------------------------------------- */

static void what_never_ran_is_rejected_and_not_failed(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "GET");
    assert_int_equal(counter_get(&stats_of(0, "get")->rejected), 1);
    assert_int_equal(counter_get(&stats_of(0, "get")->failed), 0);
    assert_int_equal(calls(0, "get"), 0);
}

static void what_ran_and_failed_is_counted_as_both(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t shard = 0; shard < 2; shard++) {
        ask(client, "SET %s x", key(shard, 0));
        ask(client, "INCR %s", key(shard, 0));
    }
    assert_int_equal(counter_get(&stats_of(0, "incr")->failed), 2);
    assert_int_equal(calls(0, "incr"), 2);
}

/* Those of commands that MULTI had queued are theirs, wherever they ran, and none is EXEC's. */
static void errors_of_a_transaction_are_its_commands(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s text", key(0, 0));
    ask(client, "SET %s text", key(1, 0));
    ask(client, "MULTI");
    ask(client, "INCR %s", key(0, 0));
    ask(client, "INCR %s", key(1, 0));
    ask(client, "GET %s", key(1, 0));
    ask(client, "AUTH secret");
    ask(client, "EXEC");
    assert_int_equal(counter_get(&stats_of(0, "incr")->failed), 2);
    assert_int_equal(counter_get(&stats_of(0, "get")->failed), 0);
    assert_int_equal(counter_get(&stats_of(0, "auth")->failed), 1);
    assert_int_equal(counter_get(&stats_of(0, "exec")->failed), 0);
    assert_int_equal(counter_get(&reactor_at(0)->stats->error_replies), 3);
    ask(client, "EXEC");
    assert_int_equal(counter_get(&stats_of(0, "exec")->failed), 1);
    assert_int_equal(counter_get(&reactor_at(0)->stats->error_replies), 4);
    ask(client, "MULTI");
    ask(client, "INCR %s", key(0, 0));
    ask(client, "EXEC"); /* on one shard */
    assert_int_equal(counter_get(&stats_of(0, "incr")->failed), 3);
    assert_int_equal(counter_get(&stats_of(0, "exec")->failed), 1);
    assert_int_equal(counter_get(&reactor_at(0)->stats->error_replies), 5);
}

static void an_unknown_command_is_an_error_of_none(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "NOSUCH");
    assert_int_equal(counter_get(&reactor_at(0)->stats->error_replies), 1);
    assert_string_equal(reactor_at(0)->stats->errors[0].name, "ERR");
    for (uint32_t id = 0; id < registry_count(); id++)
        assert_int_equal(counter_get(&reactor_at(0)->stats->command[id].failed), 0);
}

/* ---- slow ones ----------------------------------------------------------- */

static struct slowlog *slowlog_at(uint32_t reactor)
{
    return &reactor_at(reactor)->records->slowlog;
}

static void every_command_is_noted_if_so_wanted(void **state)
{
    (void)state;
    reactors_begin(2, "--slowlog-log-slower-than", "0");
    struct client *client = client_open(0);
    ask(client, "CLIENT SETNAME me");
    ask(client, "GET %s", key(0, 0));
    ask(client, "GET %s", key(1, 0));
    ask(client, "MGET %s %s", key(0, 0), key(1, 0));
    assert_int_equal(slowlog_at(0)->count, 4);
    assert_int_equal(slowlog_at(1)->count, 0); /* the client's reactor notes it */
    const struct slowlog_entry *last = slowlog_at(0)->first;
    assert_int_equal(last->argc, 3);
    assert_memory_equal(last->args[0], "MGET", 4);
    assert_string_equal(last->name, "me");
}

static void none_is_noted_if_so_wanted(void **state)
{
    (void)state;
    reactors_begin(1, "--slowlog-log-slower-than", "-1");
    struct client *client = client_open(0);
    ask(client, "GET a");
    const struct args none = { .count = 0 };
    account_command(client->conn, registry_find(bytes_str("get")), &none, 1ull << 40);
    assert_int_equal(slowlog_at(0)->count, 0);
}

static void transactions_are_not_noted_and_secrets_not_shown(void **state)
{
    (void)state;
    reactors_begin(1, "--slowlog-log-slower-than", "0");
    struct client *client = client_open(0);
    ask(client, "AUTH secret");
    assert_int_equal(slowlog_at(0)->first->argc, 2);
    assert_memory_equal(slowlog_at(0)->first->args[0], "AUTH", 4);
    assert_memory_equal(slowlog_at(0)->first->args[1], "(redacted)", 10);
    ask(client, "MULTI");
    uint32_t before = slowlog_at(0)->count;
    ask(client, "GET a");
    assert_int_equal(slowlog_at(0)->count, before);
    ask(client, "EXEC");
    assert_int_equal(slowlog_at(0)->count, before + 1);
    assert_memory_equal(slowlog_at(0)->first->args[0], "GET", 3);
}

/* A command is judged after it has run. */
static void a_threshold_applies_to_what_sets_it(void **state)
{
    (void)state;
    reactors_begin(2, "--slowlog-log-slower-than", "-1");
    struct client *client = client_open(0);
    ask(client, "CONFIG SET slowlog-log-slower-than 0");
    assert_int_equal(slowlog_at(0)->count, 1);
    assert_memory_equal(slowlog_at(0)->first->args[0], "CONFIG", 6);
    ask(client, "CONFIG SET slowlog-log-slower-than 10000000");
    assert_int_equal(slowlog_at(0)->count, 1);
}

static void a_slow_command_is_a_latency_event(void **state)
{
    (void)state;
    reactors_begin(1, "--latency-monitor-threshold", "4");
    struct client *client = client_open(0);
    const struct latency_series *series = reactor_at(0)->records->events.series;
    const struct args none = { .count = 0 };
    const struct command *fast = registry_find(bytes_str("get"));
    const struct command *slow = registry_find(bytes_str("keys"));
    account_command(client->conn, fast, &none, clock_ns_to_ticks(3000000));
    assert_int_equal(series[LATENCY_FAST_COMMAND].count, 0);
    account_command(client->conn, fast, &none, clock_ns_to_ticks(7500000));
    assert_int_equal(series[LATENCY_FAST_COMMAND].count, 1);
    assert_int_equal(series[LATENCY_FAST_COMMAND].max_ms, 7);
    assert_int_equal(series[LATENCY_COMMAND].count, 0);
    account_command(client->conn, slow, &none, clock_ns_to_ticks(9500000));
    assert_int_equal(series[LATENCY_COMMAND].max_ms, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, a_command_is_counted_once_wherever_it_runs),
        with_reactors(2, commands_of_a_transaction_are_counted_when_they_run),
        with_reactors(1, a_cost_goes_to_its_bucket),
        with_reactors(1, what_never_ran_is_rejected_and_not_failed),
        with_reactors(2, what_ran_and_failed_is_counted_as_both),
        with_reactors(2, errors_of_a_transaction_are_its_commands),
        with_reactors(1, an_unknown_command_is_an_error_of_none),
        cmocka_unit_test_teardown(every_command_is_noted_if_so_wanted, reactors_finish),
        cmocka_unit_test_teardown(none_is_noted_if_so_wanted, reactors_finish),
        cmocka_unit_test_teardown(transactions_are_not_noted_and_secrets_not_shown,
                                  reactors_finish),
        cmocka_unit_test_teardown(a_threshold_applies_to_what_sets_it, reactors_finish),
        cmocka_unit_test_teardown(a_slow_command_is_a_latency_event, reactors_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
