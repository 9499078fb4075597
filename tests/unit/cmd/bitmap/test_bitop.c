/*
 * test_bitop.c - BITOP against a model that goes bit by bit, and what Redis 7.0.15 replies.
 */
#include "shoal/cmd/bitmap/bitop.h"

#include "support/cmd_harness.h"
#include "support/seed.h"

#define SYNTAX "-ERR syntax error"

static void replies(void **state)
{
    RUN_STEPS(state, { "MSET a abc b 12 n 5", "+OK" }, { "BITOP AND d a", ":3" },
              { "GET d", "$3 abc" }, { "BITOP and d a b", ":3" }, { "STRLEN d", ":3" },
              { "BITOP OR d a b c", ":3" }, { "GET d", "$3 qrc" }, { "BITOP XOR d a b", ":3" },
              { "GET d", "$3 PPc" }, { "OBJECT ENCODING d", "$3 raw" }, { "EXPIRE d 100", ":1" },
              { "BITOP AND d b b", ":2" }, { "GET d", "$2 12" }, { "TTL d", ":-1" },
              { "BITOP OR n n b", ":2" }, { "GET n", "$2 52" }, { "BITOP XOR a a a", ":3" },
              { "STRLEN a", ":3" }, { "BITCOUNT a", ":0" }, { "BITOP NOT a a", ":3" },
              { "BITCOUNT a", ":24" });
}

static void nothing_deletes_the_destination(void **state)
{
    RUN_STEPS(state, { "SET d 1", "+OK" }, { "SET e \"\"", "+OK" }, { "BITOP AND d x", ":0" },
              { "EXISTS d", ":0" }, { "SET d 1", "+OK" }, { "BITOP NOT d e", ":0" },
              { "EXISTS d", ":0" }, { "BITOP OR d x y e", ":0" }, { "EXISTS d", ":0" });
    assert_false(harness_changes(*state, "PING", "BITOP AND a x"));
    assert_true(harness_changes(*state, "SET a 1", "BITOP AND a x"));
    assert_true(harness_changes(*state, "SET a 1", "BITOP OR a a"));
}

static void refusals(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "BITOP FOO d a", SYNTAX },
              { "BITOP NOT d a a", "-ERR BITOP NOT must be called with a single source key." },
              { "BITOP AND d", "-ERR wrong number of arguments for 'bitop' command" },
              { "EXISTS d", ":0" });
}

static void memory(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SETRANGE a 1000000 x", ":1000001" }, { "SET d 1", "+OK" });
    keyspace_set_budget(h->keyspace, keyspace_used(h->keyspace) + 100000);
    RUN_STEPS(state, { "BITOP NOT d a", "-" ERR_OOM }, { "GET d", "$1 1" });
    h->keyspace->policy = evict_policy_find("allkeys-random");
    keyspace_set_budget(h->keyspace, 1500000);
    /* the operand gives way to the result, which is then another's */
    const char *reply = harness_run(h, "BITOP NOT d a");
    assert_true(strcmp(reply, ":0") == 0 || strcmp(reply, ":1000001") == 0);
    assert_true(keyspace_used(h->keyspace) <= 1500000);
    keyspace_set_budget(h->keyspace, UINT64_MAX);
}

/* Values of another place than the keyspace. */
static void operands_at_hand(void **state)
{
    struct harness *h = *state;
    struct reply reply;
    struct span spans[] = { { 0, 5 }, { 5, 2 }, { 7, 1 }, { 8, 1 }, { 9, 1 } };
    const struct bytes operands[] = { bytes_str("abc"), bytes_str("12") };
    struct exec exec = {
        .keyspace = h->keyspace,
        .reply = &reply,
        .command = registry_find(bytes_str("bitop")),
        .args = { .base = "BITOPordxy", .v = spans, .count = 5 },
        .hash = hash_key(bytes_str("d")),
    };
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    bitop_store(&exec, operands, 2);
    assert_int_equal(reply.size, strlen(":3\r\n"));
    assert_memory_equal(reply.base, ":3\r\n", reply.size);
    reply_fini(&reply);
    RUN_STEPS(state, { "GET d", "$3 qrc" });
}

/* ---- against a model ------------------------------------------------------- */

enum { OPERANDS_MAX = 5, LENGTHS = 40 };

static bool bit_of(struct bytes text, size_t i)
{
    return i / 8 < text.size && (unsigned char)text.data[i / 8] >> (i % 8) & 1;
}

static bool model(int op, const struct bytes *operands, uint32_t count, size_t i)
{
    bool bit = bit_of(operands[0], i);
    for (uint32_t k = 1; k < count; k++) {
        bool other = bit_of(operands[k], i);
        bit = op == 0 ? bit && other : op == 1 ? bit || other : bit != other;
    }
    return op == 3 ? !bit : bit;
}

static void any_operands(void **state)
{
    static const char *const words[] = { "AND", "OR", "XOR", "NOT" };
    static char text[OPERANDS_MAX][LENGTHS];
    struct harness *h = *state;
    struct random random;
    random_seed(&random, test_seed());
    for (int round = 0; round < 4000; round++) {
        int op = (int)random_below(&random, 4);
        uint32_t count = op == 3 ? 1 : 1 + (uint32_t)random_below(&random, OPERANDS_MAX);
        struct bytes operands[OPERANDS_MAX], line[3 + OPERANDS_MAX];
        static const char *const names[] = { "a", "b", "c", "d", "e" };
        size_t size = 0;
        line[0] = bytes_str("BITOP");
        line[1] = bytes_str(words[op]);
        line[2] = bytes_str(random_below(&random, 3) ? "result" : "a");
        for (uint32_t i = 0; i < count; i++) {
            size_t n = random_below(&random, LENGTHS);
            for (size_t k = 0; k < n; k++)
                text[i][k] = (char)random_next(&random);
            operands[i] = bytes_of(text[i], n);
            size = n > size ? n : size;
            line[3 + i] = bytes_str(names[i]);
            struct bytes set[] = { bytes_str("SET"), bytes_str(names[i]), operands[i] };
            harness_run_args(h, set, 3);
        }
        harness_run_args(h, line, 3 + count);
        char wanted[16];
        snprintf(wanted, sizeof(wanted), ":%zu\r\n", size);
        assert_string_equal(h->text, wanted);
        struct bytes get[] = { bytes_str("GET"), line[2] };
        harness_run_args(h, get, 2);
        if (size == 0)
            continue;
        const char *data = strchr(h->text, '\n') + 1;
        for (size_t i = 0; i < size * 8; i++)
            assert_int_equal(bit_of(bytes_of(data, size), i), model(op, operands, count, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(replies),          HARNESS_TEST(nothing_deletes_the_destination),
        HARNESS_TEST(refusals),         HARNESS_TEST(memory),
        HARNESS_TEST(operands_at_hand), HARNESS_TEST(any_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
