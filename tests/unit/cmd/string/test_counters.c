/*
 * test_counters.c - INCR and its relatives, at the edges of their ranges.
 */
#include "support/cmd_harness.h"

static void integers(void **state)
{
    RUN_STEPS(state, { "INCR a", ":1" }, { "INCRBY a 41", ":42" }, { "DECR a", ":41" },
              { "DECRBY a 50", ":-9" }, { "GET a", "$2 -9" }, { "EXPIRE a 10", ":1" },
              { "INCR a", ":-8" }, { "TTL a", ":10" }, { "SET a 9223372036854775807", "+OK" },
              { "INCR a", "-ERR increment or decrement would overflow" },
              { "GET a", "$19 9223372036854775807" },
              { "DECRBY a -1", "-ERR increment or decrement would overflow" },
              { "SET a -9223372036854775808", "+OK" },
              { "DECR a", "-ERR increment or decrement would overflow" },
              { "DECRBY a -9223372036854775808", "-ERR decrement would overflow" },
              { "INCRBY a -9223372036854775808", "-ERR increment or decrement would overflow" });
}

static void not_integers(void **state)
{
    static const char *const values[] = { "x",  "1.0", "+1",   "01",
                                          "-0", "1x",  "\"\"", "9223372036854775808" };
    struct harness *h = *state;
    const char *error = "-ERR value is not an integer or out of range";
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "SET a %s", values[i]);
        harness_run(h, line);
        assert_string_equal(harness_run(h, "INCR a"), error);
        snprintf(line, sizeof(line), "INCRBY n %s", values[i]);
        assert_string_equal(harness_run(h, line), error);
        snprintf(line, sizeof(line), "DECRBY n %s", values[i]);
        assert_string_equal(harness_run(h, line), error);
    }
    assert_string_equal(harness_run(h, "EXISTS n"), ":0");
}

static void floats(void **state)
{
    RUN_STEPS(state, { "INCRBYFLOAT a 1.5", "$3 1.5" }, { "INCRBYFLOAT a 1.5", "$1 3" },
              { "INCR a", ":4" }, { "INCRBYFLOAT a -0.25", "$4 3.75" },
              { "INCRBYFLOAT a 5.0e3", "$7 5003.75" }, { "EXPIRE a 10", ":1" },
              { "INCRBYFLOAT a 0", "$7 5003.75" }, { "TTL a", ":10" },
              { "INCR a", "-ERR value is not an integer or out of range" },
              { "INCRBYFLOAT a x", "-ERR value is not a valid float" },
              { "INCRBYFLOAT a nan", "-ERR value is not a valid float" },
              { "INCRBYFLOAT a 1e5000", "-ERR value is not a valid float" },
              { "INCRBYFLOAT a inf", "-ERR increment would produce NaN or Infinity" },
              { "INCRBYFLOAT n -inf", "-ERR increment would produce NaN or Infinity" },
              { "EXISTS n", ":0" }, { "SET a x", "+OK" },
              { "INCRBYFLOAT a 1", "-ERR value is not a valid float" });
}

static void huge_floats(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1e4900", "+OK" });
    harness_run(h, "INCRBYFLOAT a 1e4900");
    assert_memory_equal(h->text, "$4901 ", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(integers),
        HARNESS_TEST(not_integers),
        HARNESS_TEST(floats),
        HARNESS_TEST(huge_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
