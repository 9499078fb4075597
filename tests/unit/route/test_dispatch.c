/*
 * test_dispatch.c - where a request goes: refused, run at home, forwarded, planned, or held.
 */
#include "shoal/route/dispatch.h"

#include "support/reactors.h"

static uint64_t forwarded(void)
{
    return counter_get(&reactor_at(0)->stats->cross_shard);
}

/* ---- where it goes ------------------------------------------------------- */

static void a_key_decides_where_it_runs(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t shard = 0; shard < 3; shard++) {
        uint64_t before = forwarded();
        assert_reply("+OK", client, "SET %s %u", key(shard, 0), shard);
        assert_int_equal(forwarded() - before, shard != 0);
        assert_int_equal(reactor_at(shard)->keyspace->db[0].count, 1);
    }
}

static void several_keys_of_one_shard_go_there_whole(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("+OK", client, "MSET %s 1 %s 2", key(1, 0), key(1, 1));
    assert_reply("*2 $1 1 $1 2", client, "MGET %s %s", key(1, 0), key(1, 1));
    assert_int_equal(forwarded(), 2);
    assert_int_equal(counter_get(&reactor_at(0)->stats->transactions), 0);
}

static void several_shards_make_a_plan(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("+OK", client, "MSET %s 1 %s 2", key(1, 0), key(2, 1));
    assert_reply(":2", client, "DEL %s %s", key(1, 0), key(2, 1));
    assert_int_equal(forwarded(), 0);
    assert_int_equal(counter_get(&reactor_at(0)->stats->transactions), 1);
}

static void values_of_several_shards_become_one(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MSET %s abc %s bcd", key(0, 0), key(1, 0));
    assert_reply("$2 bc", client, "LCS %s %s", key(0, 0), key(1, 0));
    assert_reply("$0 ", client, "LCS %s %s", key(1, 0), key(1, 1));
    assert_reply(":3", client, "BITOP XOR %s %s %s", key(1, 1), key(0, 0), key(1, 0));
    assert_reply("$3 \x03\x01\x07", client, "GET %s", key(1, 1));
}

static void a_cursor_says_the_shard(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    unsigned long long cursor = 0;
    uint32_t keys = 0, calls = 0;
    for (uint32_t shard = 0; shard < 3; shard++)
        ask(client, "SET %s 1", key(shard, 0));
    do {
        unsigned count;
        const char *reply = ask(client, "SCAN %llu", cursor);
        assert_int_equal(sscanf(reply, "*2 $%*u %llu *%u", &cursor, &count), 2);
        keys += count;
        assert_true(++calls < 100);
    } while (cursor != 0);
    assert_int_equal(keys, 3);
    assert_reply("-ERR invalid cursor", client, "SCAN x");
}

/* ---- refused at once ----------------------------------------------------- */

static void what_is_no_command_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("-ERR unknown command 'NOSUCH', with args beginning with: 'a' ", client,
                 "NOSUCH a");
    assert_reply("-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.", client, "CLIENT NOSUCH");
    assert_reply("-ERR wrong number of arguments for 'client' command", client, "CLIENT");
    assert_reply("-ERR wrong number of arguments for 'get' command", client, "GET");
    assert_reply("-ERR wrong number of arguments for 'client|getname' command", client,
                 "CLIENT GETNAME x");
    assert_int_equal(counter_get(&reactor_at(0)->stats->commands), 5);
}

static void keys_have_a_length(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    static char name[KEY_BYTES_MAX + 2];
    memset(name, 'k', KEY_BYTES_MAX + 1);
    client_put_set(client, name, 1, 'v');
    turn_until_quiet();
    assert_memory_equal(heard(client), "-ERR", 4);
    name[KEY_BYTES_MAX] = '\0';
    client_put_set(client, name, 1, 'v');
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
}

static void a_password_comes_first(void **state)
{
    (void)state;
    reactors_begin(2, "--requirepass", "secret");
    struct client *client = client_open(0);
    assert_reply("-NOAUTH Authentication required.", client, "GET %s", key(1, 0));
    assert_reply("-NOAUTH Authentication required.", client, "MGET %s %s", key(0, 0), key(1, 0));
    assert_reply("+OK", client, "AUTH secret");
    assert_reply("$-1", client, "GET %s", key(1, 0));
}

static void some_commands_are_not_for_transactions(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    assert_reply("-ERR Command not allowed inside a transaction", client, "HELLO 3");
    assert_reply("-EXECABORT Transaction discarded because of previous errors.", client, "EXEC");
}

/* ---- held until those before it have ended -------------------------------- */

static void a_barrier_waits_for_those_before_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "SET %s 1", key(1, 0));
    tell(client, "SELECT 1");
    tell(client, "GET %s", key(1, 0));
    turn(0);
    turn(0);
    assert_int_equal(client->conn->db, 0);
    assert_int_equal(client->conn->requests, 2); /* nothing behind it has begun */
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK +OK $-1");
}

static void a_transaction_is_alone_on_its_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    tell(client, "GET %s", key(1, 0));
    turn(0);
    turn(0);
    assert_int_equal(client->conn->requests, 1); /* it has begun, and nothing behind it has */
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK $1 1");
}

static void a_held_request_of_a_dead_connection_is_dropped(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    tell(client, "GET %s", key(1, 0));
    tell(client, "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    turn(0);
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_reply(":0", other, "EXISTS %s %s", key(0, 0), key(1, 0));
}

/* ---- CLIENT PAUSE -------------------------------------------------------- */

static void a_pause_holds_all_clients_until_it_ends(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client[2] = { client_open(0), client_open(1) };
    assert_reply("+OK", admin, "CLIENT PAUSE 1000 ALL");
    for (uint32_t i = 0; i < 2; i++)
        assert_reply("", client[i], "GET %s", key(0, 0));
    live_ms(990, 10);
    assert_int_equal(heard_bytes(client[0]) + heard_bytes(client[1]), 0);
    live_ms(10, 10);
    for (uint32_t i = 0; i < 2; i++)
        assert_string_equal(heard(client[i]), "$-1");
}

static void a_pause_of_writes_lets_reads_pass(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(1);
    assert_reply("+OK", admin, "CLIENT PAUSE 100000 WRITE");
    assert_reply("$-1", client, "GET %s", key(0, 0));
    assert_reply("", client, "SET %s 1", key(0, 0));
    tell(client, "GET %s", key(0, 0)); /* not before the write */
    turn_until_quiet();
    assert_int_equal(heard_bytes(client), 0);
    assert_reply("+OK", admin, "CLIENT UNPAUSE");
    assert_string_equal(heard(client), "+OK $1 1");
}

static void a_pause_of_writes_holds_an_exec_that_writes(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *reads = client_open(0), *writes = client_open(0);
    ask(reads, "MULTI");
    ask(reads, "GET %s", key(1, 0));
    ask(writes, "MULTI");
    ask(writes, "SET %s 1", key(1, 0));
    assert_reply("+OK", admin, "CLIENT PAUSE 100000 WRITE");
    assert_reply("*1 $-1", reads, "EXEC");
    assert_reply("", writes, "EXEC");
    ask(admin, "CLIENT UNPAUSE");
    assert_string_equal(heard(writes), "*1 +OK");
}

static void a_paused_client_can_be_killed(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(1);
    assert_reply("+OK", admin, "CLIENT PAUSE 100000 ALL");
    assert_reply("", client, "SET %s 1", key(0, 0));
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    ask(admin, "CLIENT UNPAUSE");
    assert_reply(":0", admin, "EXISTS %s", key(0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, a_key_decides_where_it_runs),
        with_reactors(3, several_keys_of_one_shard_go_there_whole),
        with_reactors(3, several_shards_make_a_plan),
        with_reactors(2, values_of_several_shards_become_one),
        with_reactors(3, a_cursor_says_the_shard),
        with_reactors(1, what_is_no_command_is_refused),
        with_reactors(1, keys_have_a_length),
        cmocka_unit_test_teardown(a_password_comes_first, reactors_finish),
        with_reactors(1, some_commands_are_not_for_transactions),
        with_reactors(2, a_barrier_waits_for_those_before_it),
        with_reactors(2, a_transaction_is_alone_on_its_connection),
        with_reactors(2, a_held_request_of_a_dead_connection_is_dropped),
        with_reactors(2, a_pause_holds_all_clients_until_it_ends),
        with_reactors(2, a_pause_of_writes_lets_reads_pass),
        with_reactors(2, a_pause_of_writes_holds_an_exec_that_writes),
        with_reactors(2, a_paused_client_can_be_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
