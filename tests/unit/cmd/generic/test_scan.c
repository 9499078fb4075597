/*
 * test_scan.c - SCAN and KEYS, with their filters, over several shards' worth of cursors.
 */
#include "support/cmd_harness.h"

enum { KEYS = 1000 };

static void fill(struct harness *h)
{
    char line[64];
    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof(line), "SET key:%d %d", i, i);
        harness_run(h, line);
    }
}

/* One whole walk with `options`; counts how often each key:N came. Returns the calls it took. */
static int walk(struct harness *h, const char *options, uint8_t seen[KEYS])
{
    unsigned long long cursor = 0;
    int calls = 0;
    memset(seen, 0, KEYS);
    do {
        char line[128];
        int at, size;
        snprintf(line, sizeof(line), "SCAN %llu %s", cursor, options);
        const char *reply = harness_run(h, line);
        assert_int_equal(sscanf(reply, "*2 $%d %llu *%d%n", &size, &cursor, &size, &at), 3);
        for (const char *p = reply + at; (p = strstr(p, "key:")) != NULL; p++)
            seen[atoi(p + 4)]++;
        assert_true(++calls < 10000);
    } while (cursor != 0);
    return calls;
}

static int total(const uint8_t seen[KEYS])
{
    int sum = 0;
    for (int i = 0; i < KEYS; i++)
        sum += seen[i];
    return sum;
}

static void scan_returns_every_key_once(void **state)
{
    uint8_t seen[KEYS];
    fill(*state);
    int few = walk(*state, "", seen);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(seen[i], 1);
    int many = walk(*state, "COUNT 500", seen);
    assert_int_equal(total(seen), KEYS);
    assert_true(few > 20 && many < 5);
    assert_int_equal(walk(*state, "COUNT 9223372036854775807", seen), 1);
    assert_int_equal(total(seen), KEYS);
}

static void scan_filters(void **state)
{
    uint8_t seen[KEYS];
    fill(*state);
    walk(*state, "MATCH key:99* COUNT 100", seen);
    assert_int_equal(total(seen), 11);
    walk(*state, "TYPE STRING count 100", seen);
    assert_int_equal(total(seen), KEYS);
    walk(*state, "TYPE list COUNT 100", seen);
    assert_int_equal(total(seen), 0);
    walk(*state, "MATCH key:1? MATCH key:2? TYPE string", seen);
    assert_int_equal(total(seen), 10);
}

static void scan_hides_expired(void **state)
{
    uint8_t seen[KEYS];
    fill(*state);
    RUN_STEPS(state, { "PEXPIRE key:7 10", ":1" }, { "@10", "" });
    walk(*state, "COUNT 100", seen);
    assert_int_equal(seen[7], 0);
    assert_int_equal(total(seen), KEYS - 1);
}

static void scan_refuses(void **state)
{
    RUN_STEPS(state, { "SCAN", "-ERR wrong number of arguments for 'scan' command" },
              { "SCAN x", "-ERR invalid cursor" }, { "SCAN \"\"", "-ERR invalid cursor" },
              { "SCAN 18446744073709551616", "-ERR invalid cursor" },
              { "SCAN 0 COUNT 0", "-ERR syntax error" }, { "SCAN 0 COUNT", "-ERR syntax error" },
              { "SCAN 0 COUNT x", "-ERR value is not an integer or out of range" },
              { "SCAN 0 FOO x", "-ERR syntax error" }, { "SCAN 0", "*2 $1 0 *0" });
}

/* The second of three shards goes on to the third, the third ends the walk. */
static void scan_cursor_names_the_next_shard(void **state)
{
    struct harness *h = *state;
    h->keyspace->shards = 3;
    h->keyspace->shard = 1;
    RUN_STEPS(state, { "SCAN 1", "*2 $1 2 *0" }, { "SET a 1", "+OK" },
              { "SCAN 1", "*2 $1 2 *1 $1 a" });
    h->keyspace->shard = 2;
    RUN_STEPS(state, { "SCAN 2", "*2 $1 0 *1 $1 a" });
}

static int keys_count(struct harness *h, const char *line)
{
    const char *reply = harness_run(h, line);
    assert_int_equal(reply[0], '*');
    return atoi(reply + 1);
}

static void keys(void **state)
{
    RUN_STEPS(state, { "KEYS *", "*0" }, { "SET a 1", "+OK" }, { "KEYS *", "*1 $1 a" },
              { "KEYS A", "*0" }, { "KEYS [a-c]", "*1 $1 a" }, { "PEXPIRE a 10", ":1" },
              { "@10", "" }, { "KEYS *", "*0" },
              { "KEYS", "-ERR wrong number of arguments for 'keys' command" });
    fill(*state);
    assert_int_equal(keys_count(*state, "KEYS *"), KEYS);
    assert_int_equal(keys_count(*state, "KEYS key:1*"), 111);
    assert_int_equal(keys_count(*state, "KEYS *:??"), 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(scan_returns_every_key_once),
        HARNESS_TEST(scan_filters),
        HARNESS_TEST(scan_hides_expired),
        HARNESS_TEST(scan_refuses),
        HARNESS_TEST(scan_cursor_names_the_next_shard),
        HARNESS_TEST(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
