/*
 * test_move.c - RENAME, RENAMENX, COPY and MOVE on one shard.
 */
#include "support/cmd_harness.h"

static void rename_overwrites(void **state)
{
    RUN_STEPS(state, { "RENAME a b", "-ERR no such key" }, { "SET a 1 PX 5000", "+OK" },
              { "SET b 2", "+OK" }, { "RENAME a b", "+OK" }, { "EXISTS a", ":0" },
              { "GET b", "$1 1" }, { "PTTL b", ":5000" }, { "SET a 3", "+OK" },
              { "RENAME a b", "+OK" }, { "PTTL b", ":-1" }, { "RENAME b b", "+OK" },
              { "GET b", "$1 3" });
}

static void renamenx_does_not(void **state)
{
    RUN_STEPS(state, { "RENAMENX a b", "-ERR no such key" }, { "MSET a 1 b 2", "+OK" },
              { "RENAMENX a b", ":0" }, { "RENAMENX a a", ":0" }, { "MGET a b", "*2 $1 1 $1 2" },
              { "RENAMENX a c", ":1" }, { "MGET a c", "*2 $-1 $1 1" });
}

static void copy(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "COPY a b", ":0" }, { "SET a 1 PX 5000", "+OK" }, { "COPY a b", ":1" },
              { "MGET a b", "*2 $1 1 $1 1" }, { "PTTL b", ":5000" }, { "SET a 2", "+OK" },
              { "COPY a b", ":0" }, { "GET b", "$1 1" }, { "COPY a b REPLACE", ":1" },
              { "GET b", "$1 2" }, { "COPY a a DB 3", ":1" }, { "COPY a x db 3", ":1" });
    h->db = 3;
    RUN_STEPS(state, { "MGET a x", "*2 $1 2 $1 2" });
}

static void copy_refused(void **state)
{
    RUN_STEPS(state, { "COPY a a", "-ERR source and destination objects are the same" },
              { "COPY a a DB 0", "-ERR source and destination objects are the same" },
              { "COPY a b DB 16", "-ERR DB index is out of range" },
              { "COPY a b DB 2147483648",
                "-ERR value is out of range, value must between -2147483648 and 2147483647" },
              { "COPY a b DB -2147483649",
                "-ERR value is out of range, value must between -2147483648 and 2147483647" },
              { "COPY a b DB -1", "-ERR DB index is out of range" },
              { "COPY a b DB x", "-ERR value is not an integer or out of range" },
              { "COPY a b DB", "-ERR syntax error" }, { "COPY a b WHAT", "-ERR syntax error" });
}

static void move_to_another_database(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1 PX 5000", "+OK" }, { "SETRANGE big 20000 x", ":20001" },
              { "MOVE a 3", ":1" }, { "EXISTS a", ":0" }, { "MOVE a 3", ":0" },
              { "MOVE big 3", ":1" }, { "SET a 2", "+OK" }, { "MOVE a 3", ":0" },
              { "GET a", "$1 2" });
    h->db = 3;
    RUN_STEPS(state, { "GET a", "$1 1" }, { "PTTL a", ":5000" }, { "STRLEN big", ":20001" },
              { "@5001", NULL }, { "MOVE a 0", ":0" }, { "DBSIZE", ":1" });
    h->db = 0;
    RUN_STEPS(state, { "MOVE a 3", ":1" }, { "DBSIZE", ":0" });
}

static void move_refused(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "MOVE a x", "-ERR value is not an integer or out of range" },
              { "MOVE a 0", "-ERR source and destination objects are the same" },
              { "MOVE a 16", "-ERR DB index is out of range" },
              { "MOVE a -1", "-ERR DB index is out of range" },
              { "MOVE a 2147483648",
                "-ERR value is out of range, value must between -2147483648 and 2147483647" });
    h->keyspace->limits.databases = 4;
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "MOVE a 4", "-ERR DB index is out of range" },
              { "MOVE a 3", ":1" });
}

static void watch_sees_a_move(void **state)
{
    struct harness *h = *state;
    assert_true(harness_changes(h, "SET a 1", "MOVE a 3"));
    assert_false(harness_changes(h, "SET a 1", "MOVE a 3")); /* it is there already */
    assert_false(harness_changes(h, "PING", "MOVE a 3"));
    h->db = 3;
    harness_run(h, "SET a 1");
    h->db = 5;
    struct bytes name = bytes_str("a");
    struct key key = { .name = name, .hash = hash_key(name), .db = 5 };
    struct watch_mark mark;
    assert_true(keyspace_watch_add(h->keyspace, key, &mark));
    h->db = 3;
    RUN_STEPS(state, { "MOVE a 5", ":1" });
    assert_true(keyspace_watch_changed(h->keyspace, key, mark));
    keyspace_watch_remove(h->keyspace, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(rename_overwrites),
        HARNESS_TEST(renamenx_does_not),
        HARNESS_TEST(copy),
        HARNESS_TEST(move_to_another_database),
        HARNESS_TEST(move_refused),
        HARNESS_TEST(watch_sees_a_move),
        HARNESS_TEST(copy_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
