/*
 * test_bitfield.c - BITFIELD and BITFIELD_RO: widths, signs, overflow, growth and refusals.
 */
#include "support/cmd_harness.h"

#define BAD_TYPE                                                                                   \
    "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "   \
    "i64 is."
#define BAD_OFFSET "-ERR bit offset is not an integer or out of range"
#define SYNTAX "-ERR syntax error"

static void get_and_set(void **state)
{
    RUN_STEPS(state, { "BITFIELD a", "*0" }, { "BITFIELD a GET u8 0", "*1 :0" },
              { "BITFIELD a OVERFLOW SAT", "*0" }, { "EXISTS a", ":0" },
              { "BITFIELD a SET u8 0 97 SET u8 8 98 GET u16 0", "*3 :0 :0 :24930" },
              { "GET a", "$2 ab" },
              { "BITFIELD a SET i8 #1 -1 GET u8 8 GET i8 #1", "*3 :98 :255 :-1" },
              { "BITFIELD a SET u3 6 5 GET u3 6", "*2 :3 :5" },
              { "BITFIELD a GET u8 12 GET u8 100", "*2 :240 :0" }, { "STRLEN a", ":2" },
              { "BITFIELD b SET i64 3 -2 GET i64 3 GET u63 3", "*3 :0 :-2 :9223372036854775807" },
              { "STRLEN b", ":9" }, { "SET n 12", "+OK" }, { "BITFIELD n GET u8 0", "*1 :49" },
              { "OBJECT ENCODING n", "$3 int" }, { "BITFIELD n SET u8 0 57", "*1 :49" },
              { "OBJECT ENCODING n", "$3 raw" }, { "GET n", "$2 92" });
}

static void incrby_wraps(void **state)
{
    RUN_STEPS(state, { "BITFIELD a INCRBY u8 0 255 INCRBY u8 0 1", "*2 :255 :0" },
              { "BITFIELD a INCRBY u8 0 -1", "*1 :255" },
              { "BITFIELD a INCRBY i8 8 127 INCRBY i8 8 1 INCRBY i8 8 -1", "*3 :127 :-128 :127" },
              { "BITFIELD a INCRBY u2 16 9223372036854775807", "*1 :3" },
              { "BITFIELD a INCRBY i64 64 9223372036854775807 INCRBY i64 64 1",
                "*2 :9223372036854775807 :-9223372036854775808" },
              { "BITFIELD a SET u8 0 -1 GET u8 0", "*2 :255 :255" },
              { "BITFIELD a SET i8 0 128 GET i8 0", "*2 :-1 :-128" });
}

static void overflow(void **state)
{
    RUN_STEPS(state, { "BITFIELD a OVERFLOW SAT INCRBY u8 0 300 INCRBY u8 0 -300", "*2 :255 :0" },
              { "BITFIELD a OVERFLOW SAT INCRBY i8 0 128 INCRBY i8 0 -300", "*2 :127 :-128" },
              { "BITFIELD a OVERFLOW SAT SET u8 0 -1 GET u8 0", "*2 :128 :255" },
              { "BITFIELD c OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0", "*2 :0 :-128" },
              { "BITFIELD a OVERFLOW fail INCRBY u8 0 1 SET i8 0 200 GET u8 0", "*3 $-1 $-1 :255" },
              { "BITFIELD a OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 1", "*2 $-1 :0" },
              { "BITFIELD b OVERFLOW FAIL INCRBY u8 16 256", "*1 $-1" }, { "STRLEN b", ":3" });
}

static void refuses(void **state)
{
    RUN_STEPS(state, { "BITFIELD a GET u64 0", BAD_TYPE }, { "BITFIELD a GET i65 0", BAD_TYPE },
              { "BITFIELD a GET u0 0", BAD_TYPE }, { "BITFIELD a GET x8 0", BAD_TYPE },
              { "BITFIELD a GET \"\" 0", BAD_TYPE }, { "BITFIELD a GET i 0", BAD_TYPE },
              { "BITFIELD a GET U8 0", BAD_TYPE }, { "BITFIELD a GET u8 -1", BAD_OFFSET },
              { "BITFIELD a GET u8 #", BAD_OFFSET }, { "BITFIELD a GET u8 4294967296", BAD_OFFSET },
              { "BITFIELD a GET u8 #536870912", BAD_OFFSET },
              { "BITFIELD a GET u8 #536870911", "*1 :0" }, { "BITFIELD a GET u8", SYNTAX },
              { "BITFIELD a SET u8 0", SYNTAX }, { "BITFIELD a OVERFLOW", SYNTAX },
              { "BITFIELD a foo u8 0", SYNTAX },
              { "BITFIELD a OVERFLOW foo", "-ERR Invalid OVERFLOW type specified" },
              { "BITFIELD a SET u8 0 x", "-ERR value is not an integer or out of range" },
              { "BITFIELD a SET u8 0 1 GET u8 x", BAD_OFFSET }, { "EXISTS a", ":0" },
              { "BITFIELD a SET u8 4294967295 1",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)" },
              { "EXISTS a", ":0" });
}

static void read_only(void **state)
{
    RUN_STEPS(state, { "SET a ab", "+OK" }, { "BITFIELD_RO a GET u8 0 GET u8 #1", "*2 :97 :98" },
              { "BITFIELD_RO a OVERFLOW SAT GET u8 0", "*1 :97" }, { "BITFIELD_RO a", "*0" },
              { "BITFIELD_RO a SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand" },
              { "BITFIELD_RO a SET u8 0 x", "-ERR value is not an integer or out of range" },
              { "BITFIELD_RO b GET i8 0", "*1 :0" }, { "EXISTS b", ":0" });
}

/* As Redis 7.0.15 sees it; but where it grows without a word for a write that fails, WATCH sees that
 * the key is another. */
static void what_changes_nothing_is_no_change(void **state)
{
    static const char *const nothing[] = {
        "BITFIELD a SET u8 0 97",
        "BITFIELD a INCRBY u8 0 0",
        "BITFIELD a INCRBY u8 0 256",
        "BITFIELD a OVERFLOW FAIL INCRBY u8 0 200",
        "BITFIELD a OVERFLOW SAT INCRBY i1 0 7",
        "BITFIELD a GET u8 #100",
        "BITFIELD a SET u8 0 97 GET u8 0 SET u8 #1 98 OVERFLOW FAIL SET u2 0 9",
    };
    static const char *const something[] = {
        "BITFIELD a SET u8 0 98",
        "BITFIELD a SET u8 0 97 SET u8 #1 97",
        "BITFIELD a SET u8 0 98 SET u8 0 97",
        "BITFIELD a OVERFLOW FAIL INCRBY u8 0 200 INCRBY u8 0 1",
        "BITFIELD a SET u8 #3 0",
        "BITFIELD a OVERFLOW FAIL INCRBY u8 #3 300",
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        assert_false(harness_changes(*state, "SET a abc", nothing[i]));
    for (size_t i = 0; i < sizeof(something) / sizeof(something[0]); i++)
        assert_true(harness_changes(*state, "SET a abc", something[i]));
    assert_false(harness_changes(*state, "SET a 12", "BITFIELD a SET u8 0 49"));
    assert_false(harness_changes(*state, "SETRANGE a 20000 x", "BITFIELD a SET u64 0 0"));
    assert_true(harness_changes(*state, "PING", "BITFIELD a SET u8 0 0"));
    RUN_STEPS(state, { "SET a abc", "+OK" },
              { "BITFIELD a SET u8 0 97 OVERFLOW FAIL INCRBY u8 0 200 GET u8 #1 INCRBY u8 #2 0",
                "*4 :97 $-1 :98 :99" },
              { "GET a", "$3 abc" });
}

static void one_that_changes_nothing_makes_it_raw_all_the_same(void **state)
{
    RUN_STEPS(state, { "SET k k0", "+OK" }, { "OBJECT ENCODING k", "$6 embstr" },
              { "BITFIELD k INCRBY i5 1 0", "*1 :-6" }, { "OBJECT ENCODING k", "$3 raw" },
              { "GET k", "$2 k0" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(one_that_changes_nothing_makes_it_raw_all_the_same),
        HARNESS_TEST(get_and_set),
        HARNESS_TEST(incrby_wraps),
        HARNESS_TEST(overflow),
        HARNESS_TEST(refuses),
        HARNESS_TEST(read_only),
        HARNESS_TEST(what_changes_nothing_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
