/*
 * test_part.c - what one shard does for a plan: checks, watches, runs in order, answers.
 */
#include "shoal/shard/part.h"

#include "support/reactors.h"

static uint32_t fail_from; /* blocks of so many bytes and more are refused; 0: none */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fail_from > 0 && size >= fail_from ? NULL : __real_malloc(size);
}

static const char no_memory[] = "-OOM the allocator has no memory";

/* ---- checks -------------------------------------------------------------- */

static void one_refusal_stops_all_shards(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("+OK", client, "SET %s old", key(1, 1));
    assert_reply(":0", client, "MSETNX %s a %s b %s c", key(0, 0), key(1, 1), key(2, 0));
    assert_reply("*3 $-1 $3 old $-1", client, "MGET %s %s %s", key(0, 0), key(1, 1), key(2, 0));
}

static void when_all_agree_all_run(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply(":1", client, "MSETNX %s a %s b %s c", key(0, 0), key(1, 1), key(2, 0));
    assert_reply("*3 $1 a $1 b $1 c", client, "MGET %s %s %s", key(0, 0), key(1, 1), key(2, 0));
}

static void a_refused_check_stops_only_its_own_command(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("+OK", client, "SET %s old", key(1, 0));
    ask(client, "MULTI");
    ask(client, "MSETNX %s a %s b", key(0, 0), key(1, 0));
    ask(client, "MSETNX %s c %s d", key(0, 1), key(1, 1));
    ask(client, "GET %s", key(1, 1));
    assert_reply("*3 :0 :1 $1 d", client, "EXEC");
    assert_reply("*2 $-1 $3 old", client, "MGET %s %s", key(0, 0), key(1, 0));
}

/* A check sees what the commands before it in the transaction have done. */
static void a_check_comes_in_its_turn(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s old", key(1, 0));
    ask(client, "MULTI");
    ask(client, "DEL %s", key(1, 0));
    ask(client, "MSETNX %s a %s b", key(0, 0), key(1, 0));
    ask(client, "SET %s new", key(0, 0));
    assert_reply("*3 :1 :1 +OK", client, "EXEC");
    assert_reply("*2 $3 new $1 b", client, "MGET %s %s", key(0, 0), key(1, 0));
}

/* ---- watches ------------------------------------------------------------- */

/* What another client does between WATCH and EXEC, and whether EXEC then runs. */
static bool runs_after(const char *before, const char *between)
{
    bool ran[2];
    for (uint32_t shard = 0; shard < 2; shard++) {
        char line[256];
        struct client *client = client_open(0), *other = client_open(1);
        ask(other, "FLUSHALL");
        if (before != NULL) {
            snprintf(line, sizeof(line), before, key(shard, 0));
            ask(other, "%s", line);
        }
        assert_reply("+OK", client, "WATCH %s %s", key(0, 1), key(shard, 0));
        if (between != NULL) {
            snprintf(line, sizeof(line), between, key(shard, 0));
            ask(other, "%s", line);
        }
        pass_ms(60);
        ask(client, "MULTI");
        ask(client, "SET %s a", key(0, 2));
        ask(client, "SET %s b", key(1, 2));
        const char *reply = ask(client, "EXEC");
        ran[shard] = strcmp(reply, "*2 +OK +OK") == 0;
        assert_true(ran[shard] || strcmp(reply, "*-1") == 0);
        assert_reply(ran[shard] ? "*2 $1 a $1 b" : "*2 $-1 $-1", client, "MGET %s %s", key(0, 2),
                     key(1, 2));
    }
    assert_int_equal(ran[0], ran[1]);
    return ran[0];
}

static void an_untouched_key_lets_it_run(void **state)
{
    (void)state;
    assert_true(runs_after(NULL, NULL));
    assert_true(runs_after("SET %s 1", NULL));
    assert_true(runs_after("SET %s 1", "GET %s"));
    assert_true(runs_after("SET %s 1", "DEL %s-other"));
}

static void a_change_aborts_it(void **state)
{
    (void)state;
    assert_false(runs_after(NULL, "SET %s 1"));
    assert_false(runs_after("SET %s 1", "SET %s 1"));
    assert_false(runs_after("SET %s 1", "DEL %s"));
    assert_false(runs_after("SET %s 1", "PEXPIRE %s 100000"));
    assert_false(runs_after("SET %s 1", "RENAME %s elsewhere"));
    assert_false(runs_after("SET %s 1", "FLUSHALL"));
}

static void expiry_aborts_it(void **state)
{
    (void)state;
    assert_false(runs_after("SET %s 1 PX 50", NULL));
    assert_true(runs_after("SET %s 1 PX 500", NULL));
}

/* ---- order --------------------------------------------------------------- */

static void what_was_gathered_before_runs_before(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (int i = 0; i < 20; i++) {
        tell(client, "SET %s %d", key(0, 0), i);
        tell(client, "SET %s %d", key(1, 0), i);
        tell(client, "MGET %s %s", key(0, 0), key(1, 0));
    }
    turn_until_quiet();
    char expected[2048] = "";
    size_t at = 0;
    for (int i = 0; i < 20; i++)
        at += (size_t)sprintf(expected + at, "%s+OK +OK *2 $%d %d $%d %d", i > 0 ? " " : "",
                              i < 10 ? 1 : 2, i, i < 10 ? 1 : 2, i);
    assert_string_equal(heard(client), expected);
}

/* ---- the way home -------------------------------------------------------- */

static void many_and_large_values_come_home(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    char line[1024] = "MGET", expected[4096] = "*36";
    assert_true(REACTORS_KEYS + 2 > PART_MARKS_INLINE);
    for (uint32_t n = 0; n < REACTORS_KEYS + 2; n++) { /* more than a part has marks for */
        uint32_t i = n % REACTORS_KEYS;
        for (uint32_t shard = 0; shard < 2; shard++) {
            ask(client, "SET %s %s-%u", key(shard, i), key(shard, i), shard);
            sprintf(line + strlen(line), " %s", key(shard, i));
            sprintf(expected + strlen(expected), " $%zu %s-%u", strlen(key(shard, i)) + 2,
                    key(shard, i), shard);
        }
    }
    assert_reply(expected, client, "%s", line);
    client_put_set(client, key(1, 0), 1000, 'v'); /* more than it has bytes for */
    turn_until_quiet();
    heard_bytes(client);
    tell(client, "MGET %s %s", key(1, 0), key(0, 0));
    turn_until_quiet();
    size_t small = strlen("$n\r\n\r\n") + strlen(key(0, 0)) + strlen("-0");
    assert_int_equal(heard_bytes(client), strlen("*2\r\n$1000\r\n\r\n") + 1000 + small);
}

/* ---- memory -------------------------------------------------------------- */

static void without_memory_to_queue_for_keys_nothing_is_held(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MSET %s 1 %s 2", key(0, 0), key(1, 0));
    tell(client, "MSET %s 3 %s 4", key(0, 0), key(1, 0));
    turn(0);
    fail_from = 1;
    turn(1);
    fail_from = 0;
    turn_until_quiet();
    assert_string_equal(heard(client), no_memory);
    assert_false(key_queues_active(reactor_at(0)->shard->queues));
    assert_false(key_queues_active(reactor_at(1)->shard->queues));
    assert_reply("+OK", client, "MSET %s 5 %s 6", key(0, 0), key(1, 0));
    assert_reply("*2 $1 5 $1 6", client, "MGET %s %s", key(0, 0), key(1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, one_refusal_stops_all_shards),
        with_reactors(3, when_all_agree_all_run),
        with_reactors(2, a_refused_check_stops_only_its_own_command),
        with_reactors(2, a_check_comes_in_its_turn),
        with_reactors(2, an_untouched_key_lets_it_run),
        with_reactors(2, a_change_aborts_it),
        with_reactors(2, expiry_aborts_it),
        with_reactors(2, what_was_gathered_before_runs_before),
        with_reactors(2, many_and_large_values_come_home),
        with_reactors(2, without_memory_to_queue_for_keys_nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
