/*
 * test_plan.c - the rounds of a plan: in one order on all shards, to the end whatever fails.
 */
#include "shoal/route/plan.h"

#include "support/reactors.h"

/* ---- memory that runs out ------------------------------------------------ */

static int64_t allocations;  /* since counting began */
static int64_t failing = -1; /* this one is refused; -1: none */

static bool is_refused(void)
{
    return allocations++ == failing;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

static const char no_memory[] = "-OOM the allocator has no memory";

/* One command with its `n`-th allocation failing; false: it makes no more than n. */
static bool fails_at(int64_t n, struct client *client)
{
    allocations = 0;
    failing = n;
    turn_until_quiet();
    failing = -1;
    return client_is_open(client) && allocations > n;
}

/* ---- order --------------------------------------------------------------- */

/* Transactions of all reactors over the same keys: each shard has the same one last. */
static void all_shards_see_them_in_one_order(void **state)
{
    (void)state;
    struct client *client[3];
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            client[i] = round == 0 ? client_open(i) : client[i];
            for (uint32_t n = 0; n < 2; n++)
                tell(client[i], "MSET %s %u-%u %s %u-%u %s %u-%u", key(0, 0), i, n, key(1, 0), i, n,
                     key(2, 0), i, n);
        }
        for (uint32_t turns = 0; turns < round; turns++)
            turn((turns * 7 + round) % 3);
        turn_until_quiet();
        char value[3][32];
        for (uint32_t i = 0; i < 3; i++) {
            assert_string_equal(heard(client[i]), "+OK +OK");
            snprintf(value[i], sizeof(value[i]), "%s", ask(client[0], "GET %s", key(i, 0)));
        }
        assert_string_equal(value[0], value[1]);
        assert_string_equal(value[0], value[2]);
    }
}

static void nobody_sees_half_of_one(void **state)
{
    (void)state;
    struct client *writer = client_open(1), *reader = client_open(0);
    ask(writer, "MSET %s 0 %s 0", key(0, 0), key(1, 0));
    for (uint32_t turns = 0; turns < 30; turns++) {
        tell(writer, "MSET %s %u %s %u", key(0, 0), turns, key(1, 0), turns);
        for (uint32_t i = 0; i < turns; i++)
            turn(i * 5 % 2);
        tell(reader, "MULTI");
        tell(reader, "GET %s", key(0, 0));
        tell(reader, "GET %s", key(1, 0));
        tell(reader, "EXEC");
        turn_until_quiet();
        unsigned seen[2];
        assert_int_equal(
            sscanf(heard(reader), "+OK +QUEUED +QUEUED *2 $%*u %u $%*u %u", &seen[0], &seen[1]), 2);
        assert_int_equal(seen[0], seen[1]);
    }
}

static void a_flush_is_a_gate(void **state)
{
    (void)state;
    struct client *client[3] = { client_open(0), client_open(1), client_open(2) };
    tell(client[2], "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    turn(2);
    turn(0);
    turn(1); /* it has its keys */
    tell(client[0], "FLUSHALL");
    turn(0);
    turn(1);
    tell(client[1], "SET %s 2", key(1, 1));
    turn(1);
    assert_int_equal(client[1]->conn->requests, 1); /* behind the gate */
    turn_until_quiet();
    assert_string_equal(heard(client[0]), "+OK");
    assert_string_equal(heard(client[2]), "+OK");
    assert_string_equal(heard(client[1]), "+OK");
    assert_reply("*3 $-1 $-1 $1 2", client[0], "MGET %s %s %s", key(0, 0), key(1, 0), key(1, 1));
}

static void a_number_of_transactions_are_under_way_at_once(void **state)
{
    (void)state;
    enum { CLIENTS = TRANSACTIONS_MAX + 50 };
    static struct client *client[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        client[i] = client_open(0);
        client[i]->line->piece = 8; /* assembled elsewhere, it holds none of the few buffers */
        tell(client[i], "MSET %s %u %s %u", key(0, 0), i, key(1, 0), i);
    }
    for (int i = 0; i < CLIENTS; i++)
        loop_turn(reactor_at(0));
    assert_int_equal(reactor_at(0)->router->transactions, TRANSACTIONS_MAX);
    turn_until_quiet();
    for (uint32_t i = 0; i < CLIENTS; i++)
        assert_string_equal(heard(client[i]), "+OK");
    assert_int_equal(counter_get(&reactor_at(0)->stats->transactions), CLIENTS);
}

static void it_goes_on_to_the_end_without_its_client(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    tell(client, "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    turn(0);
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_reply("*2 $1 1 $1 1", other, "MGET %s %s", key(0, 0), key(1, 0));
}

/* ---- a value that moves -------------------------------------------------- */

static void rename_takes_a_value_to_another_shard(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    const size_t sizes[] = { 1, 1000, 100 * 1000 };
    for (uint32_t i = 0; i < 3; i++) {
        client_put_set(client, key(1, i), sizes[i], 'v');
        turn_until_quiet();
        heard_bytes(client);
        ask(client, "PEXPIRE %s 100000", key(1, i));
        assert_reply("+OK", client, "RENAME %s %s", key(1, i), key(2, i));
        char size[32];
        snprintf(size, sizeof(size), ":%zu", sizes[i]);
        assert_reply(size, client, "STRLEN %s", key(2, i));
        assert_reply(":100000", client, "PTTL %s", key(2, i));
        assert_reply(":0", client, "EXISTS %s", key(1, i));
    }
    assert_reply("-ERR no such key", client, "RENAME %s %s", key(1, 0), key(2, 0));
}

static void renamenx_respects_what_is_there(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MSET %s a %s b", key(0, 0), key(1, 0));
    assert_reply(":0", client, "RENAMENX %s %s", key(0, 0), key(1, 0));
    assert_reply("*2 $1 a $1 b", client, "MGET %s %s", key(0, 0), key(1, 0));
    assert_reply(":1", client, "RENAMENX %s %s", key(0, 0), key(1, 1));
    assert_reply("*2 $-1 $1 a", client, "MGET %s %s", key(0, 0), key(1, 1));
}

static void copy_keeps_the_source(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s a", key(0, 0));
    assert_reply(":1", client, "COPY %s %s", key(0, 0), key(1, 0));
    assert_reply("*2 $1 a $1 a", client, "MGET %s %s", key(0, 0), key(1, 0));
}

/* ---- each allocation fails once ------------------------------------------ */

/* A command with two keys of two shards. */
struct command_case {
    void (*put)(struct client *client);
    const char *reply; /* when nothing fails */
    size_t value;      /* bytes of the first key's value before it; the second has none */
    void (*check)(struct client *client); /* of what is there afterwards */
};

/* Runs it until none of its allocations is left to fail: each time it is refused, or done, or its
 * connection ends; and nothing is held afterwards. */
static void fail_each(const struct command_case *it)
{
    int64_t n = 0;
    for (bool more = true; more; n++) {
        reactors_begin(2);
        struct client *client = client_open(0), *other = client_open(1);
        client_put_set(other, key(0, 0), it->value, 'a');
        turn_until_quiet();
        heard(other);
        it->put(client);
        more = fails_at(n, client) || !client_is_open(client);
        const char *reply = heard(client);
        if (client_is_open(client) && strcmp(reply, no_memory) != 0)
            assert_string_equal(reply, it->reply);
        it->check(other);
        assert_reply("+OK", other, "MSET %s 1 %s 2", key(0, 0), key(1, 0));
        reactors_end();
    }
    assert_in_range(n, 4, 200); /* it did fail, and came to an end */
}

static void check_first_is_there(struct client *client)
{
    assert_reply("$5 aaaaa", client, "GET %s", key(0, 0));
}

static void put_mget(struct client *client)
{
    tell(client, "MGET %s %s", key(0, 0), key(1, 0));
}

static void mget_without_memory_leaves_nothing(void **state)
{
    (void)state;
    fail_each(&(struct command_case){ put_mget, "*2 $5 aaaaa $-1", 5, check_first_is_there });
}

static void put_mset(struct client *client)
{
    tell(client, "MSET %s new %s new", key(0, 0), key(1, 0));
}

/* A shard whose allocator refuses keeps what it had, whatever the others have done. */
static void check_old_or_new(struct client *client)
{
    const char *value = ask(client, "GET %s", key(0, 0));
    assert_true(strcmp(value, "$5 aaaaa") == 0 || strcmp(value, "$3 new") == 0);
    value = ask(client, "GET %s", key(1, 0));
    assert_true(strcmp(value, "$-1") == 0 || strcmp(value, "$3 new") == 0);
}

static void mset_without_memory_holds_nothing(void **state)
{
    (void)state;
    fail_each(&(struct command_case){ put_mset, "+OK", 5, check_old_or_new });
}

static void put_rename(struct client *client)
{
    tell(client, "RENAME %s %s", key(0, 0), key(1, 0));
}

static void check_moved_or_not(struct client *client)
{
    bool there = strcmp(ask(client, "STRLEN %s", key(0, 0)), ":3000") == 0;
    bool moved = strcmp(ask(client, "STRLEN %s", key(1, 0)), ":3000") == 0;
    assert_int_equal(there + moved, 1);
}

static void rename_without_memory_loses_no_value(void **state)
{
    (void)state;
    fail_each(&(struct command_case){ put_rename, "+OK", 3000, check_moved_or_not });
}

static void put_watch(struct client *client)
{
    tell(client, "WATCH %s %s", key(0, 0), key(1, 0));
}

static void watch_without_memory_leaves_nothing(void **state)
{
    (void)state;
    fail_each(&(struct command_case){ put_watch, "+OK", 5, check_first_is_there });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, all_shards_see_them_in_one_order),
        with_reactors(2, nobody_sees_half_of_one),
        with_reactors(3, a_flush_is_a_gate),
        with_reactors(2, a_number_of_transactions_are_under_way_at_once),
        with_reactors(2, it_goes_on_to_the_end_without_its_client),
        with_reactors(3, rename_takes_a_value_to_another_shard),
        with_reactors(2, renamenx_respects_what_is_there),
        with_reactors(2, copy_keeps_the_source),
        cmocka_unit_test(mget_without_memory_leaves_nothing),
        cmocka_unit_test(mset_without_memory_holds_nothing),
        cmocka_unit_test(rename_without_memory_loses_no_value),
        cmocka_unit_test(watch_without_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
