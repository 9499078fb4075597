/*
 * test_escape.c - each escape gives its character and ends where it should.
 */
#include "shoal/base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The escape that `text` begins with, the backslash left out, gives `wanted` and has `size` bytes. */
static void expect(const char *text, char wanted, size_t size)
{
    char out = '?';
    const char *behind = escape_read(text, text + strlen(text), &out);
    assert_int_equal(out, wanted);
    assert_int_equal(behind - text, size);
}

static void named_characters(void **state)
{
    (void)state;
    expect("n", '\n', 1);
    expect("r.", '\r', 1);
    expect("t", '\t', 1);
    expect("b", '\b', 1);
    expect("a", '\a', 1);
}

static void others_stand_for_themselves(void **state)
{
    (void)state;
    expect("\\n", '\\', 1);
    expect("\"", '"', 1);
    expect("q", 'q', 1);
    expect("N", 'N', 1);
}

static void two_hexadecimal_digits(void **state)
{
    (void)state;
    expect("x41", 'A', 3);
    expect("xfF0", (char)0xff, 3);
    expect("x00", '\0', 3);
    expect("x0g", 'x', 1);
    expect("xg0", 'x', 1);
    expect("X41", 'X', 1);
}

/* The third digit is there, but not ours. */
static void nothing_is_read_past_the_end(void **state)
{
    (void)state;
    char out = '?';
    const char *text = "x41";
    assert_ptr_equal(escape_read(text, text + 2, &out), text + 1);
    assert_int_equal(out, 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_characters),
        cmocka_unit_test(others_stand_for_themselves),
        cmocka_unit_test(two_hexadecimal_digits),
        cmocka_unit_test(nothing_is_read_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
