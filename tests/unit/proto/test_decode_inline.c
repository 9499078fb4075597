/*
 * test_decode_inline.c - words, quotes and escapes of commands that a person types.
 */
#include "unit/proto/decode_check.h"

/* The words of a line, each in brackets, or the error. */
static const char *words_of(const char *line)
{
    static char text[1 << 12];
    struct decoder d;
    size_t size = 0;
    decoder_init(&d);
    text[0] = '\0';
    enum decode_status status = decode(&d, PROTO_RESP2, &usual, line, strlen(line));
    if (status == DECODE_OK)
        for (uint32_t i = 0; i < d.argc; i++)
            size += (size_t)snprintf(text + size, sizeof(text) - size, "[%.*s]",
                                     (int)d.args[i].size, d.base + d.args[i].offset);
    else
        snprintf(text, sizeof(text), "%s", status == DECODE_MORE ? "more" : d.error);
    decoder_reset(&d);
    return text;
}

static void blanks_separate_words(void **state)
{
    (void)state;
    assert_string_equal(words_of("SET k v\r\n"), "[SET][k][v]");
    assert_string_equal(words_of("  SET \t k  v \n"), "[SET][k][v]");
    assert_string_equal(words_of("SET k v"), "more");
}

static void quotes_keep_blanks_together(void **state)
{
    (void)state;
    assert_string_equal(words_of("ECHO \"a  b\"\r\n"), "[ECHO][a  b]");
    assert_string_equal(words_of("ECHO 'a  b'\r\n"), "[ECHO][a  b]");
    assert_string_equal(words_of("ECHO \"\" ''\r\n"), "[ECHO][][]");
    assert_string_equal(words_of("ECHO a\"b c\"\r\n"), "[ECHO][ab c]");
    assert_string_equal(words_of("ECHO \"it's\" 'a \"b\"'\r\n"), "[ECHO][it's][a \"b\"]");
}

static void escapes_are_those_of_the_quote(void **state)
{
    (void)state;
    assert_string_equal(words_of("ECHO \"a\\x41\\t\\\"\"\r\n"), "[ECHO][aA\t\"]");
    assert_string_equal(words_of("ECHO 'a\\x41\\'b'\r\n"), "[ECHO][a\\x41'b]");
    assert_string_equal(words_of("ECHO a\\x41\r\n"), "[ECHO][a\\x41]");
}

static void quotes_must_be_closed_and_end_their_word(void **state)
{
    (void)state;
    static const char *const bad[] = { "ECHO \"a\r\n", "ECHO 'a\r\n", "ECHO \"a\"b\r\n",
                                       "ECHO \"a\\\"\r\n" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_string_equal(words_of(bad[i]), "Protocol error: unbalanced quotes in request");
}

static void a_line_has_a_longest_length(void **state)
{
    (void)state;
    static char line[DECODE_INLINE_MAX + 16];
    memset(line, 'a', DECODE_INLINE_MAX + 1);
    line[DECODE_INLINE_MAX] = '\n';
    struct decoder d;
    decoder_init(&d);
    assert_int_equal(decode(&d, PROTO_RESP2, &usual, line, DECODE_INLINE_MAX + 1), DECODE_OK);
    assert_int_equal(d.args[0].size, DECODE_INLINE_MAX);
    decoder_reset(&d);
    memset(line, 'a', DECODE_INLINE_MAX + 2);
    assert_bad(PROTO_RESP2, &usual, line, DECODE_INLINE_MAX + 2,
               "Protocol error: too big inline request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_separate_words),
        cmocka_unit_test(quotes_keep_blanks_together),
        cmocka_unit_test(escapes_are_those_of_the_quote),
        cmocka_unit_test(quotes_must_be_closed_and_end_their_word),
        cmocka_unit_test(a_line_has_a_longest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
