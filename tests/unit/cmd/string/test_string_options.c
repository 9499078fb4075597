/*
 * test_string_options.c - options of SET and GETEX: which go together, and what they leave behind.
 */
#include "shoal/cmd/string/string_options.h"

#include "support/cmd_harness.h"

static struct string_options options;

/* False: a syntax error was replied. */
static bool parse(enum string_command command, const char *text)
{
    char memory[64];
    struct span spans[HARNESS_WORDS_MAX];
    struct bytes words[HARNESS_WORDS_MAX];
    struct reply reply;
    uint32_t count = harness_split(text, words);
    for (uint32_t i = 0; i < count; i++)
        spans[i] = (struct span){ (uint32_t)(words[i].data - text), (uint32_t)words[i].size };
    struct exec exec = { .reply = &reply, .args = { text, spans, count } };
    reply_init(&reply, PROTO_RESP2, memory, sizeof(memory), NULL, 0);
    bool ok = string_options_parse(&exec, 1, command, &options);
    if (!ok)
        assert_memory_equal(reply.base, "-ERR syntax error\r\n", reply.size);
    assert_int_equal(reply.errors, !ok);
    reply_fini(&reply);
    return ok;
}

static void none(void **state)
{
    (void)state;
    assert_true(parse(STRING_SET, "k"));
    assert_int_equal(options.condition, STRING_ALWAYS);
    assert_int_equal(options.ttl, STRING_TTL_NONE);
    assert_false(options.get);
}

static void conditions(void **state)
{
    (void)state;
    assert_true(parse(STRING_SET, "k nx GET"));
    assert_int_equal(options.condition, STRING_NX);
    assert_true(options.get);
    assert_true(parse(STRING_SET, "k XX xx"));
    assert_int_equal(options.condition, STRING_XX);
    assert_true(parse(STRING_SET, "k IFEQ old"));
    assert_int_equal(options.condition, STRING_IFEQ);
    assert_true(bytes_equal(options.expected, bytes_str("old")));
    assert_false(parse(STRING_SET, "k NX XX"));
    assert_false(parse(STRING_SET, "k IFEQ old NX"));
    assert_false(parse(STRING_SET, "k IFEQ"));
}

static void times(void **state)
{
    static const struct {
        const char *text;
        enum expire_unit unit;
    } all[] = { { "k EX 5", EXPIRE_S },
                { "k px 5", EXPIRE_MS },
                { "k EXAT 5", EXPIRE_WALL_S },
                { "k PXAT 5", EXPIRE_WALL_MS } };
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (int command = STRING_SET; command <= STRING_GETEX; command++) {
            assert_true(parse((enum string_command)command, all[i].text));
            assert_int_equal(options.ttl, STRING_TTL_SET);
            assert_int_equal(options.unit, all[i].unit);
            assert_true(bytes_equal(options.time, bytes_str("5")));
        }
    }
}

/* The last of the same unit wins; two that contradict each other are refused. */
static void times_that_are_repeated(void **state)
{
    (void)state;
    assert_true(parse(STRING_SET, "k EX 5 EX 6"));
    assert_true(bytes_equal(options.time, bytes_str("6")));
    assert_false(parse(STRING_SET, "k EX 5 PX 5"));
    assert_false(parse(STRING_SET, "k EX 5 KEEPTTL"));
    assert_false(parse(STRING_SET, "k KEEPTTL EX 5"));
    assert_false(parse(STRING_SET, "k EX"));
}

static void each_command_has_its_own(void **state)
{
    (void)state;
    assert_true(parse(STRING_SET, "k KEEPTTL"));
    assert_int_equal(options.ttl, STRING_TTL_KEEP);
    assert_true(parse(STRING_GETEX, "k Persist"));
    assert_int_equal(options.ttl, STRING_TTL_PERSIST);
    assert_false(parse(STRING_SET, "k PERSIST"));
    assert_false(parse(STRING_GETEX, "k KEEPTTL"));
    assert_false(parse(STRING_GETEX, "k NX"));
    assert_false(parse(STRING_GETEX, "k GET"));
    assert_false(parse(STRING_GETEX, "k IFEQ 1"));
    assert_false(parse(STRING_GETEX, "k PERSIST EX 5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(conditions),
        cmocka_unit_test(times),
        cmocka_unit_test(times_that_are_repeated),
        cmocka_unit_test(each_command_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
