/*
 * test_bits.c - SETBIT, GETBIT, BITCOUNT, BITPOS; the last two against a walk over every bit.
 */
#include <time.h>

#include "support/cmd_harness.h"

#define BAD_OFFSET "-ERR bit offset is not an integer or out of range"
#define BAD_BIT "-ERR bit is not an integer or out of range"
#define NOT_INTEGER "-ERR value is not an integer or out of range"
#define SYNTAX "-ERR syntax error"

static void setbit_and_getbit(void **state)
{
    RUN_STEPS(state, { "GETBIT a 7", ":0" }, { "SETBIT a 1 1", ":0" }, { "GET a", "$1 @" },
              { "SETBIT a 1 1", ":1" }, { "SETBIT a 7 1", ":0" }, { "GET a", "$1 A" },
              { "GETBIT a 7", ":1" }, { "GETBIT a 6", ":0" }, { "GETBIT a 8", ":0" },
              { "GETBIT a 4294967295", ":0" }, { "SETBIT a 1 0", ":1" }, { "SETBIT a 17 0", ":0" },
              { "STRLEN a", ":3" }, { "EXPIRE a 10", ":1" }, { "SETBIT a 30 1", ":0" },
              { "TTL a", ":10" }, { "SET n 1", "+OK" }, { "GETBIT n 2", ":1" },
              { "SETBIT n 6 1", ":0" }, { "GET n", "$1 3" });
}

static void setbit_refuses(void **state)
{
    RUN_STEPS(state, { "SETBIT a -1 1", BAD_OFFSET }, { "SETBIT a 4294967296 1", BAD_OFFSET },
              { "SETBIT a x 1", BAD_OFFSET }, { "SETBIT a \"\" 1", BAD_OFFSET },
              { "SETBIT a 9223372036854775808 1", BAD_OFFSET }, { "SETBIT a 0 2", BAD_BIT },
              { "SETBIT a 0 -1", BAD_BIT }, { "SETBIT a 0 x", BAD_BIT }, { "EXISTS a", ":0" },
              { "GETBIT a -1", BAD_OFFSET }, { "GETBIT a 4294967296", BAD_OFFSET });
}

/* As Redis 7.0.15 sees it, whatever the value is kept as. */
static void setting_what_is_set_is_no_change(void **state)
{
    assert_false(harness_changes(*state, "SETBIT a 5 1", "SETBIT a 5 1"));
    assert_false(harness_changes(*state, "SETBIT a 5 1", "SETBIT a 6 0"));
    assert_false(harness_changes(*state, "SET a text", "SETBIT a 0 0"));
    assert_false(harness_changes(*state, "SET a 12", "SETBIT a 2 1"));
    assert_false(harness_changes(*state, "SETRANGE a 20000 x", "SETBIT a 0 0"));
    assert_true(harness_changes(*state, "SETBIT a 5 1", "SETBIT a 8 0")); /* longer */
    assert_true(harness_changes(*state, "SETBIT a 5 1", "SETBIT a 5 0"));
    assert_true(harness_changes(*state, "SET a 12", "SETBIT a 2 0"));
    assert_true(harness_changes(*state, "PING", "SETBIT a 0 0")); /* there is a key now */
}

static void encoding(void **state)
{
    RUN_STEPS(state, { "SET a 48", "+OK" }, { "OBJECT ENCODING a", "$3 int" },
              { "SETBIT a 0 0", ":0" }, { "OBJECT ENCODING a", "$3 int" }, { "GET a", "$2 48" },
              { "SETBIT a 7 1", ":0" }, { "OBJECT ENCODING a", "$3 raw" }, { "GET a", "$2 58" },
              { "SET a x", "+OK" }, { "OBJECT ENCODING a", "$6 embstr" }, { "SETBIT a 0 0", ":0" },
              { "OBJECT ENCODING a", "$3 raw" });
}

static void bitcount(void **state)
{
    RUN_STEPS(state, { "BITCOUNT a", ":0" }, { "BITCOUNT a x y z", ":0" },
              { "SET a foobar", "+OK" }, { "BITCOUNT a", ":26" }, { "BITCOUNT a 0 0", ":4" },
              { "BITCOUNT a 1 1", ":6" }, { "BITCOUNT a 1 1 BYTE", ":6" },
              { "BITCOUNT a 5 30 BIT", ":17" }, { "BITCOUNT a 5 5 bit", ":1" },
              { "BITCOUNT a -1 -1 BIT", ":0" }, { "BITCOUNT a -2 -2", ":3" },
              { "BITCOUNT a 3 1", ":0" }, { "BITCOUNT a -1 -2 foo", ":0" },
              { "BITCOUNT a 100 200", ":0" },
              { "BITCOUNT a -9223372036854775808 9223372036854775807 BIT", ":26" },
              { "BITCOUNT a 0", SYNTAX }, { "BITCOUNT a 0 1 foo", SYNTAX },
              { "BITCOUNT a 0 1 BIT x", SYNTAX }, { "BITCOUNT a x 1", NOT_INTEGER },
              { "BITCOUNT a 0 y", NOT_INTEGER }, { "SET n 7", "+OK" }, { "BITCOUNT n", ":5" },
              { "SET e \"\"", "+OK" }, { "BITCOUNT e", ":0" }, { "BITCOUNT e 0 -1", ":0" });
}

static void set_bytes(struct harness *h, const char *data, size_t size)
{
    struct bytes words[] = { bytes_str("SET"), bytes_str("a"), bytes_of(data, size) };
    harness_run_args(h, words, 3);
    assert_string_equal(h->text, "+OK\r\n");
}

static void bitpos(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "BITPOS a 0", ":0" }, { "BITPOS a 1", ":-1" }, { "BITPOS a 1 x", ":-1" },
              { "BITPOS a 2", "-ERR The bit argument must be 1 or 0." },
              { "BITPOS a x", NOT_INTEGER });
    set_bytes(h, "\xff\xff\xff", 3);
    RUN_STEPS(state, { "BITPOS a 0", ":24" }, { "BITPOS a 0 1", ":24" },
              { "BITPOS a 0 0 -1", ":-1" }, { "BITPOS a 0 3", ":-1" }, { "BITPOS a 0 2 1", ":-1" },
              { "BITPOS a 1 1", ":8" }, { "BITPOS a 1 10 -1 BIT", ":10" },
              { "BITPOS a 0 0 -1 BIT", ":-1" }, { "BITPOS a 0 0 -1 foo", SYNTAX },
              { "BITPOS a 0 0 -1 BIT x", SYNTAX }, { "BITPOS a 0 x", NOT_INTEGER },
              { "BITPOS a 0 0 x", NOT_INTEGER });
    set_bytes(h, "\x00\xff\xf0", 3);
    RUN_STEPS(state, { "BITPOS a 1", ":8" }, { "BITPOS a 1 2", ":16" }, { "BITPOS a 0 1", ":20" },
              { "BITPOS a 0 8 19 BIT", ":-1" }, { "BITPOS a 0 8 20 BIT", ":20" },
              { "BITPOS a 1 -3 -3", ":-1" }, { "BITPOS a 1 20 -1 BIT", ":-1" });
    set_bytes(h, "", 0);
    RUN_STEPS(state, { "BITPOS a 0", ":-1" }, { "BITPOS a 1", ":-1" });
}

/* ---- against a walk over every bit --------------------------------------- */

enum { MODEL_BYTES = 70 };

static bool model_bit(const char *data, int64_t at)
{
    return (unsigned char)data[at / 8] >> (7 - at % 8) & 1;
}

static void model_range(struct harness *h, const char *data, int64_t first, int64_t last)
{
    char line[64];
    int64_t count = 0, position[2] = { -1, -1 };
    for (int64_t at = first; at <= last; at++) {
        bool bit = model_bit(data, at);
        count += bit;
        position[bit] = position[bit] < 0 ? at : position[bit];
    }
    snprintf(line, sizeof(line), "BITCOUNT a %d %d BIT", (int)first, (int)last);
    assert_int_equal(atoll(harness_run(h, line) + 1), count);
    for (int bit = 0; bit <= 1; bit++) {
        snprintf(line, sizeof(line), "BITPOS a %d %d %d BIT", bit, (int)first, (int)last);
        assert_int_equal(atoll(harness_run(h, line) + 1), position[bit]);
    }
}

/* Mostly one byte throughout, so that whole words are skipped, with one bit turned over. */
static void ranges_like_the_model(void **state)
{
    struct harness *h = *state;
    char data[MODEL_BYTES];
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 300; round++) {
        int size = 1 + rand() % MODEL_BYTES, odd = rand() % (size * 8);
        memset(data, rand() % 3 == 0 ? rand() : rand() % 2 * 0xff, (size_t)size);
        data[odd / 8] = (char)(data[odd / 8] ^ 1 << odd % 8);
        set_bytes(h, data, (size_t)size);
        for (int i = 0; i < 20; i++) {
            int first = rand() % (size * 8);
            model_range(h, data, first, first + rand() % (size * 8 - first));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(setbit_and_getbit),
        HARNESS_TEST(setbit_refuses),
        HARNESS_TEST(setting_what_is_set_is_no_change),
        HARNESS_TEST(encoding),
        HARNESS_TEST(bitcount),
        HARNESS_TEST(bitpos),
        HARNESS_TEST(ranges_like_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
