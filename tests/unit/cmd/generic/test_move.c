/*
 * test_move.c - RENAME, RENAMENX, COPY and MOVE on one shard, and the halves that two shards run.
 */
#include "shoal/cmd/generic/move.h"

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

/* ---- by halves ----------------------------------------------------------- */

enum { WORDS_MAX = 8 };

struct halves {
    struct exec exec;
    struct reply reply;
    struct span spans[WORDS_MAX];
    struct move move;
};

static bool begin(struct harness *h, struct halves *halves, const char *line)
{
    struct bytes words[HARNESS_WORDS_MAX];
    uint32_t count = harness_split(line, words);
    *halves = (struct halves){ 0 };
    for (uint32_t i = 0; i < count; i++)
        halves->spans[i] =
            (struct span){ (uint32_t)(words[i].data - line), (uint32_t)words[i].size };
    halves->exec = (struct exec){
        .keyspace = h->keyspace,
        .reply = &halves->reply,
        .command = registry_find(words[0]),
        .args = { .base = line, .v = halves->spans, .count = count },
    };
    reply_init(&halves->reply, PROTO_RESP2, NULL, 0, NULL, 0);
    return move_parse(halves->exec.command, &halves->exec.args, 0, exec_limits(&halves->exec),
                      &halves->move);
}

static void assert_written(struct halves *halves, const char *wanted)
{
    assert_int_equal(halves->reply.size, strlen(wanted));
    if (wanted[0] != '\0')
        assert_memory_equal(halves->reply.base, wanted, strlen(wanted));
    reply_fini(&halves->reply);
}

static void the_source_says_what_the_value_is(void **state)
{
    struct halves halves;
    harness_run(*state, "SET a text");
    assert_true(begin(*state, &halves, "RENAME a b"));
    assert_true(move_take(&halves.exec, &halves.move));
    assert_written(&halves, ":0\r\n$4\r\ntext\r\n");
    assert_true(begin(*state, &halves, "RENAME x b"));
    assert_false(move_take(&halves.exec, &halves.move));
    assert_written(&halves, "");
}

static void the_destination_is_asked_and_written(void **state)
{
    struct halves halves;
    harness_run(*state, "SET b old PX 100");
    assert_true(begin(*state, &halves, "RENAMENX a b"));
    assert_false(move_may_put(&halves.exec, &halves.move));
    assert_true(begin(*state, &halves, "COPY a b"));
    assert_false(move_may_put(&halves.exec, &halves.move));
    assert_true(begin(*state, &halves, "COPY a b REPLACE"));
    assert_true(move_may_put(&halves.exec, &halves.move));
    assert_true(begin(*state, &halves, "RENAME a b"));
    assert_true(move_may_put(&halves.exec, &halves.move));
    assert_true(move_put(&halves.exec, &halves.move, bytes_str("new"), 0));
    RUN_STEPS(state, { "GET b", "$3 new" }, { "PTTL b", ":-1" });
}

static void the_source_goes_unless_it_is_a_copy(void **state)
{
    struct halves halves;
    harness_run(*state, "SET a 1");
    assert_true(begin(*state, &halves, "COPY a b"));
    move_drop(&halves.exec, &halves.move);
    RUN_STEPS(state, { "EXISTS a", ":1" });
    assert_true(begin(*state, &halves, "RENAME a b"));
    move_drop(&halves.exec, &halves.move);
    RUN_STEPS(state, { "EXISTS a", ":0" });
}

static void answers(void **state)
{
    struct halves halves;
    assert_false(begin(*state, &halves, "COPY a b DB"));
    assert_true(begin(*state, &halves, "COPY a b"));
    move_reply(&halves.reply, &halves.move, false, false);
    move_reply(&halves.reply, &halves.move, true, true);
    assert_written(&halves, ":0\r\n:1\r\n");
    assert_true(begin(*state, &halves, "RENAMENX a b"));
    move_reply(&halves.reply, &halves.move, true, false);
    move_reply(&halves.reply, &halves.move, false, false);
    assert_written(&halves, ":0\r\n-ERR no such key\r\n");
    assert_true(begin(*state, &halves, "RENAME a b"));
    move_reply(&halves.reply, &halves.move, true, true);
    assert_written(&halves, "+OK\r\n");
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
        HARNESS_TEST(the_source_says_what_the_value_is),
        HARNESS_TEST(the_destination_is_asked_and_written),
        HARNESS_TEST(the_source_goes_unless_it_is_a_copy),
        HARNESS_TEST(answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
