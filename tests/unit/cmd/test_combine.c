/*
 * test_combine.c - values of keys on several shards: fetched at one keyspace, read back, stored at
 * another, which looks up what was not shipped; and sources that go.
 */
#include "shoal/cmd/combine.h"

#include "shoal/cmd/value.h"

#include "support/cmd_harness.h"

enum { WORDS_MAX = 8, OPERANDS_MAX = 4 };

/* A command on its way over shards, both of which are the harness's. */
struct journey {
    struct exec exec;
    struct reply fetched, reply;
    struct span spans[WORDS_MAX];
    struct operand operands[OPERANDS_MAX];
    uint32_t count;
    char bytes[256];
};

/* Whether its arguments can be done over shards. */
static bool begin(struct harness *h, struct journey *journey, const char *line)
{
    struct bytes words[HARNESS_WORDS_MAX];
    uint32_t count = harness_split(line, words);
    *journey = (struct journey){ 0 };
    for (uint32_t i = 0; i < count; i++)
        journey->spans[i] =
            (struct span){ (uint32_t)(words[i].data - line), (uint32_t)words[i].size };
    struct exec *exec = &journey->exec;
    *exec = (struct exec){
        .keyspace = h->keyspace,
        .command = registry_find(words[0]),
        .args = { .base = line, .v = journey->spans, .count = count },
    };
    exec->hash = hash_key(exec_arg(exec, (uint32_t)exec->command->first_key));
    reply_init(&journey->fetched, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_init(&journey->reply, PROTO_RESP2, journey->bytes, sizeof(journey->bytes), NULL, 0);
    journey->count = combine_count(exec->command->combine, &exec->args);
    return exec->command->combine->good == NULL ||
           exec->command->combine->good(exec->command, &exec->args, 0, exec_limits(exec));
}

/* The first `shipped` sources are fetched; the destination looks up the others. */
static void ship(struct journey *journey, uint32_t shipped)
{
    uint32_t first = (uint32_t)journey->exec.command->combine->first_source;
    size_t at = 0;
    journey->exec.reply = &journey->fetched;
    for (uint32_t i = 0; i < shipped; i++)
        combine_fetch(&journey->exec, first + i);
    for (uint32_t i = 0; i < shipped; i++)
        at = combine_read(&journey->fetched, at, &journey->operands[i]);
    assert_int_equal(at, journey->fetched.size);
}

static bool store(struct journey *journey)
{
    journey->exec.reply = &journey->reply;
    bool stored = combine_store(&journey->exec, journey->operands, journey->count);
    value_rollback(&(struct exec){ .reply = &journey->fetched }, (struct value_mark){ 0 });
    reply_fini(&journey->fetched);
    return stored;
}

static void assert_replied(struct journey *journey, const char *wanted)
{
    assert_int_equal(journey->reply.size, strlen(wanted));
    assert_memory_equal(journey->reply.base, wanted, strlen(wanted));
    reply_fini(&journey->reply);
}

static void values_are_read_back_as_they_were(void **state)
{
    struct journey journey;
    harness_run(*state, "SET t text");
    harness_run(*state, "SET n 12 PX 100000");
    harness_run(*state, "SETRANGE large 39999 x");
    assert_true(begin(*state, &journey, "BITOP OR d t n large none"));
    ship(&journey, 4);
    const struct operand *operand = journey.operands;
    assert_true(operand[0].exists && bytes_equal(operand[0].value, bytes_str("text")));
    assert_int_equal(operand[0].expire_ms, 0);
    assert_true(operand[1].exists && bytes_equal(operand[1].value, bytes_str("12")));
    assert_true(operand[1].expire_ms > 0);
    assert_int_equal(operand[2].value.size, 40000); /* pinned, not copied */
    assert_int_equal(journey.fetched.pin_count, 1);
    assert_true(operand[3].shipped && !operand[3].exists && operand[3].value.size == 0);
    assert_true(store(&journey));
    assert_replied(&journey, ":40000\r\n");
}

/* Whichever values come from elsewhere, the result is one. */
static void the_destination_cannot_tell(void **state)
{
    for (uint32_t shipped = 0; shipped <= 3; shipped++) {
        struct journey journey;
        harness_run(*state, "SET a abc");
        harness_run(*state, "SET b 12");
        assert_true(begin(*state, &journey, "BITOP XOR d a b c"));
        ship(&journey, shipped);
        assert_true(store(&journey));
        assert_replied(&journey, ":3\r\n");
        RUN_STEPS(state, { "GET d", "$3 PPc" }, { "DEL d", ":1" });
    }
}

static void a_source_goes_when_it_has_been_stored(void **state)
{
    struct journey journey;
    RUN_STEPS(state, { "SET a 1 PX 100000", "+OK" }, { "SET b old", "+OK" });
    assert_true(begin(*state, &journey, "RENAMENX a b"));
    ship(&journey, 1);
    assert_false(store(&journey));
    assert_replied(&journey, ":0\r\n");
    assert_true(begin(*state, &journey, "RENAME a b"));
    ship(&journey, 1);
    assert_true(store(&journey));
    combine_drop(&journey.exec, 1);
    assert_replied(&journey, "+OK\r\n");
    RUN_STEPS(state, { "EXISTS a", ":0" }, { "GET b", "$1 1" });
    assert_true(harness_run(*state, "PTTL b")[1] != '-');
}

static void a_copy_stays(void **state)
{
    struct journey journey;
    harness_run(*state, "SET a 1");
    assert_false(begin(*state, &journey, "COPY a b DB"));
    assert_true(begin(*state, &journey, "COPY a b"));
    ship(&journey, 1);
    assert_true(store(&journey));
    combine_drop(&journey.exec, 1);
    assert_replied(&journey, ":1\r\n");
    RUN_STEPS(state, { "MGET a b", "*2 $1 1 $1 1" });
}

static void what_is_missing_is_said(void **state)
{
    struct journey journey;
    assert_true(begin(*state, &journey, "RENAME x b"));
    ship(&journey, 1);
    assert_false(store(&journey));
    assert_replied(&journey, "-ERR no such key\r\n");
    assert_true(begin(*state, &journey, "LCS x y LEN"));
    ship(&journey, 1);
    assert_false(store(&journey));
    assert_replied(&journey, ":0\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(values_are_read_back_as_they_were),
        HARNESS_TEST(the_destination_cannot_tell),
        HARNESS_TEST(a_source_goes_when_it_has_been_stored),
        HARNESS_TEST(a_copy_stays),
        HARNESS_TEST(what_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
