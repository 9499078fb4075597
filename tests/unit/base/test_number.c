/*
 * test_number.c - the edges of every conversion, and the trip there and back.
 */
#include "shoal/base/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

static void parses_canonical_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        { "0", 0 },
        { "7", 7 },
        { "-1", -1 },
        { "1000000", 1000000 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
        { "-9223372036854775807", -INT64_MAX },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int64_t value = 42;
        assert_true(number_parse_i64(bytes_str(good[i].text), &value));
        assert_int_equal(value, good[i].value);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "-0",
        "-01",
        "00",
        "1.0",
        "1a",
        "a",
        "0x1",
        "--1",
        "1e3",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "99999999999999999999",
        "123456789012345678901234",
    };
    int64_t value;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (number_parse_i64(bytes_str(bad[i]), &value))
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_false(number_parse_i64(bytes_of("1\0", 2), &value));
}

static void assert_trip(int64_t value)
{
    char text[INT64_TEXT_MAX], expected[32];
    size_t size = number_format_i64(text, value);
    int expected_size = sprintf(expected, "%lld", (long long)value);
    int64_t back;
    assert_int_equal(size, expected_size);
    assert_memory_equal(text, expected, size);
    assert_true(number_parse_i64(bytes_of(text, size), &back));
    assert_int_equal(back, value);
}

static void integers_make_the_trip(void **state)
{
    (void)state;
    unsigned seed = test_seed();
    assert_trip(INT64_MIN);
    assert_trip(INT64_MAX);
    for (int64_t v = -1100; v <= 1100; v++)
        assert_trip(v);
    for (int64_t power = 1; power < INT64_MAX / 10; power *= 10) {
        assert_trip(power);
        assert_trip(power - 1);
        assert_trip(-power);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t bits =
            (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 20 ^ rand_r(&seed);
        assert_trip((int64_t)(bits >> (rand_r(&seed) % 64)));
    }
}

static void floats_as_redis_reads_them(void **state)
{
    (void)state;
    static const char *const good[] = { "1",   "1.5",  "-1.5e3", ".5",    "+3",
                                        "inf", "-inf", "0x10",   "1e-300" };
    static const char *const bad[] = { "",    " 1",     "1 ",      "abc", "1.5x",
                                       "nan", "1e5000", "1e-5000", "1 2" };
    long double ld;
    double d;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(number_parse_long_double(bytes_str(good[i]), &ld));
        assert_true(number_parse_double(bytes_str(good[i]), &d));
        assert_true((double)ld == d);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(number_parse_long_double(bytes_str(bad[i]), &ld));
        assert_false(number_parse_double(bytes_str(bad[i]), &d));
    }
    assert_true(number_parse_long_double(bytes_str("1e400"), &ld));
    assert_false(number_parse_double(bytes_str("1e400"), &d));
    assert_false(number_parse_double(bytes_of("1\0", 2), &d));
    char longer[LONG_DOUBLE_TEXT_MAX + 1];
    memset(longer, '1', sizeof(longer));
    assert_false(number_parse_long_double(bytes_of(longer, sizeof(longer)), &ld));
}

static void assert_long_double(long double value, const char *expected)
{
    static char text[LONG_DOUBLE_TEXT_MAX];
    size_t size = number_format_long_double(text, value);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
}

static void long_doubles_lose_their_zeros(void **state)
{
    (void)state;
    static char text[LONG_DOUBLE_TEXT_MAX];
    assert_long_double(3.0L, "3");
    assert_long_double(10.5L, "10.5");
    assert_long_double(0.1L, "0.1");
    assert_long_double(-0.0L, "0");
    assert_long_double(-1e-30L, "0");
    assert_long_double(100.0L, "100");
    assert_long_double(5.0e3L, "5000");
    assert_long_double(HUGE_VALL, "inf");
    assert_true(number_format_long_double(text, 1e4932L) > 4900);
}

static void assert_double(double value, const char *expected)
{
    char text[DOUBLE_TEXT_MAX];
    size_t size = number_format_double(text, value);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
}

static void doubles_are_short(void **state)
{
    (void)state;
    assert_double(3, "3");
    assert_double(3.1, "3.1");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(-0.0, "-0");
    assert_double(1e20, "1e+20");
    assert_double(5e-324, "5e-324");
    assert_double(1.7976931348623157e308, "1.7976931348623157e+308");
    assert_double(HUGE_VAL, "inf");
    assert_double(-HUGE_VAL, "-inf");
    assert_double(NAN, "nan");
}

static void memory_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        { "0", 0 },        { "100", 100 },       { "1b", 1 },
        { "1k", 1000 },    { "1kb", 1024 },      { "64MB", 64 << 20 },
        { "2m", 2000000 }, { "1g", 1000000000 }, { "1Gb", 1 << 30 },
    };
    static const char *const bad[] = {
        "", "k", "-1", "1.5g", "1t", "1 k", "10xb", " 10", "18446744073709551616", "99999999999gb"
    };
    uint64_t bytes;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(number_parse_memory(bytes_str(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(number_parse_memory(bytes_str(bad[i]), &bytes));
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
        const char *printed;
    } good[] = {
        { "0", 0, "0" },           { "30", 30000, "30" },         { "30s", 30000, "30" },
        { "500ms", 500, "500ms" }, { "2000MS", 2000, "2" },       { "5m", 300000, "300" },
        { "1h", 3600000, "3600" }, { "7D", 604800000, "604800" }, { "1001ms", 1001, "1001ms" },
    };
    static const char *const bad[] = { "",
                                       "s",
                                       "-1",
                                       "1.5s",
                                       "1 s",
                                       "10x",
                                       "1sec",
                                       "+1",
                                       "18446744073709551616",
                                       "9999999999999999999d" };
    uint64_t ms, again;
    char text[DURATION_TEXT_MAX];
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(number_parse_duration(bytes_str(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
        number_format_duration(text, ms);
        assert_string_equal(text, good[i].printed);
        assert_true(number_parse_duration(bytes_str(text), &again) && again == ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(number_parse_duration(bytes_str(bad[i]), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_canonical_integers),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(integers_make_the_trip),
        cmocka_unit_test(floats_as_redis_reads_them),
        cmocka_unit_test(long_doubles_lose_their_zeros),
        cmocka_unit_test(doubles_are_short),
        cmocka_unit_test(memory_sizes),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
