/*
 * test_errors.c - the errors that repeat a client's words, byte for byte.
 */
#include "support/cmd_harness.h"

static void check(struct harness *h, const struct bytes *words, uint32_t count,
                  const char *expected)
{
    harness_run_args(h, words, count);
    assert_string_equal(h->text, expected);
}

static void unknown_command(void **state)
{
    struct harness *h = *state;
    struct bytes words[] = { bytes_str("foo"), bytes_str("a"), bytes_str("b\r\nc") };
    check(h, words, 1, "-ERR unknown command 'foo', with args beginning with: \r\n");
    check(h, words, 3, "-ERR unknown command 'foo', with args beginning with: 'a' 'b  c' \r\n");
    struct bytes zeros[] = { bytes_of("foo\0bar", 7), bytes_of("a\0b", 3) };
    check(h, zeros, 2, "-ERR unknown command 'foo', with args beginning with: 'a' \r\n");
}

static void long_words_are_cut(void **state)
{
    char name[201], expected[600];
    struct harness *h = *state;
    memset(name, 'f', 200);
    name[200] = '\0';
    struct bytes words[] = { bytes_str(name), bytes_str(name), bytes_str("y") };
    snprintf(expected, sizeof(expected),
             "-ERR unknown command '%.128s', with args beginning with: '%.128s' \r\n", name, name);
    check(h, words, 3, expected);
    struct bytes cut[] = { bytes_str("foo"), bytes_of(name, 120), bytes_of("yyyyyyyyyyyyyyyyy", 17),
                           bytes_str("z") };
    snprintf(expected, sizeof(expected),
             "-ERR unknown command 'foo', with args beginning with: '%.120s' 'yyyyy' \r\n", name);
    check(h, cut, 4, expected);
}

static void unknown_subcommand(void **state)
{
    char name[201], expected[300];
    struct harness *h = *state;
    memset(name, 'x', 200);
    name[200] = '\0';
    struct bytes words[] = { bytes_str("oBject"), bytes_str(name), bytes_str("k") };
    snprintf(expected, sizeof(expected), "-ERR unknown subcommand '%.128s'. Try OBJECT HELP.\r\n",
             name);
    check(h, words, 3, expected);
}

static void wrong_subcommand(void **state)
{
    char words[207] = "oBject", text[ERROR_WRONG_SUB_MAX], expected[300];
    const char *name = words + 6;
    (void)state;
    memset(words + 6, 'x', 200);
    struct span spans[] = { { 0, 6 }, { 6, 200 } };
    struct args args = { .base = words, .v = spans, .count = 2 };
    snprintf(expected, sizeof(expected),
             "ERR unknown subcommand or wrong number of arguments for '%.128s'. Try OBJECT HELP.",
             name);
    assert_string_equal(error_wrong_sub(text, &args), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(unknown_command),
        HARNESS_TEST(long_words_are_cut),
        HARNESS_TEST(unknown_subcommand),
        HARNESS_TEST(wrong_subcommand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
