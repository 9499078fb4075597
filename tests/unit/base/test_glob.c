/*
 * test_glob.c - patterns against a table taken from redis-server 7.0, and hostile sizes.
 */
#include "shoal/base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "support/seed.h"

static bool matches(const char *pattern, const char *text)
{
    return glob_match(bytes_str(pattern), bytes_str(text), false);
}

static void literals_and_wildcards(void **state)
{
    (void)state;
    assert_true(matches("", ""));
    assert_false(matches("", "a"));
    assert_true(matches("abc", "abc"));
    assert_false(matches("abc", "abcd"));
    assert_false(matches("abcd", "abc"));
    assert_true(matches("*", ""));
    assert_true(matches("*", "anything"));
    assert_true(matches("a*c", "abbbc"));
    assert_true(matches("a*b*c", "aXbYbZc"));
    assert_false(matches("a*b*c", "aXbYbZ"));
    assert_true(matches("user:*:name", "user:42:name"));
    assert_true(matches("*a*a*a", "bananaa"));
    assert_true(matches("a**", "a"));
    assert_true(matches("h?llo", "hello"));
    assert_false(matches("h?llo", "hllo"));
    assert_false(matches("?", ""));
}

static void classes(void **state)
{
    (void)state;
    assert_true(matches("h[ae]llo", "hallo"));
    assert_false(matches("h[ae]llo", "hillo"));
    assert_true(matches("h[^e]llo", "hallo"));
    assert_false(matches("h[^e]llo", "hello"));
    assert_true(matches("[a-c]", "b"));
    assert_true(matches("[c-a]", "b"));
    assert_false(matches("[a-c]", "d"));
    assert_true(matches("[\\]]", "]"));
    assert_true(matches("[\\-a]", "-"));
    assert_false(matches("[]", "a"));
    assert_true(matches("[^]", "a"));
    /* never closed: up to the end of the pattern */
    assert_true(matches("[abc", "b"));
    assert_false(matches("[", "["));
    assert_false(matches("[", ""));
    /* the ']' is the end of the range, as in Redis */
    assert_true(matches("[a-]", "^"));
    assert_true(matches("*[0-9]", "key7"));
}

static void escapes(void **state)
{
    (void)state;
    assert_true(matches("h\\?llo", "h?llo"));
    assert_false(matches("h\\?llo", "hello"));
    assert_true(matches("\\*", "*"));
    assert_true(matches("\\[a]", "[a]"));
    assert_true(matches("a\\", "a\\"));
    assert_true(matches("\\\\", "\\"));
}

static void ignores_case_when_asked(void **state)
{
    (void)state;
    assert_true(glob_match(bytes_str("MAX*"), bytes_str("maxmemory"), true));
    assert_true(glob_match(bytes_str("[A-C]x"), bytes_str("bX"), true));
    assert_false(glob_match(bytes_str("MAX*"), bytes_str("maxmemory"), false));
}

static void bytes_are_not_characters(void **state)
{
    (void)state;
    assert_true(glob_match(bytes_of("a\0?", 3), bytes_of("a\0b", 3), false));
    assert_true(glob_match(bytes_of("[\x80-\xff]", 5), bytes_of("\xc3", 1), false));
    assert_false(glob_match(bytes_of("[\x80-\xff]", 5), bytes_of("c", 1), false));
}

/* A star and a class of `class_size` bytes, against a text whose last byte alone is in it. */
static bool class_finds_the_last(size_t class_size, size_t text_size)
{
    char *text = malloc(text_size), *pattern = malloc(class_size + 2);
    memset(text, 'a', text_size);
    text[text_size - 1] = 'x';
    memset(pattern, 'x', class_size + 2);
    memcpy(pattern, "*[", 2);
    bool found = glob_match(bytes_of(pattern, class_size + 2), bytes_of(text, text_size), false);
    free(text);
    free(pattern);
    return found;
}

/* Steps are counted, not time: what takes more than GLOB_STEPS_MAX does not match. */
static void hostile_patterns_are_bounded(void **state)
{
    (void)state;
    enum { STARS = 100, SIZE = GLOB_STEPS_MAX / 2 };
    char *text = malloc(2 * SIZE), *pattern = malloc(SIZE);
    memset(text, 'a', 2 * SIZE);
    text[SIZE - 1] = 'b';
    for (int i = 0; i < STARS; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[2 * STARS] = 'b';
    /* one star is gone back to, whatever the number of them: twice the text is the most */
    assert_true(glob_match(bytes_of(pattern, 2 * STARS + 1), bytes_of(text, SIZE), false));
    assert_false(glob_match(bytes_of(pattern, 2 * STARS + 1), bytes_of(text, SIZE - 1), false));
    text[SIZE - 1] = 'a';
    text[2 * SIZE - 1] = 'b';
    assert_false(glob_match(bytes_of(pattern, 2 * STARS + 1), bytes_of(text, 2 * SIZE), false));
    memset(pattern, '*', SIZE);
    assert_true(glob_match(bytes_of(pattern, SIZE), bytes_of(text, 2 * SIZE), false));
    /* what a class is looked through for counts too */
    assert_true(class_finds_the_last(1000, GLOB_STEPS_MAX / 1000 / 2));
    assert_false(class_finds_the_last(1000, GLOB_STEPS_MAX / 1000 * 2));
    assert_false(class_finds_the_last(GLOB_STEPS_MAX, GLOB_STEPS_MAX));
    free(text);
    free(pattern);
}

/* The obvious recursive definition, for patterns of letters, '?' and '*'. */
static bool model(const char *p, const char *t)
{
    if (*p == '\0')
        return *t == '\0';
    if (*p == '*')
        return model(p + 1, t) || (*t != '\0' && model(p, t + 1));
    return *t != '\0' && (*p == '?' || *p == *t) && model(p + 1, t + 1);
}

static void agrees_with_a_model(void **state)
{
    (void)state;
    unsigned seed = test_seed();
    for (int round = 0; round < 50000; round++) {
        char pattern[9], text[9];
        int p = rand_r(&seed) % 9, t = rand_r(&seed) % 9;
        for (int i = 0; i < p; i++)
            pattern[i] = "ab?**"[rand_r(&seed) % 5];
        for (int i = 0; i < t; i++)
            text[i] = "ab"[rand_r(&seed) % 2];
        pattern[p] = text[t] = '\0';
        if (matches(pattern, text) != model(pattern, text))
            fail_msg("pattern \"%s\" text \"%s\"", pattern, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_wildcards),
        cmocka_unit_test(classes),
        cmocka_unit_test(escapes),
        cmocka_unit_test(ignores_case_when_asked),
        cmocka_unit_test(bytes_are_not_characters),
        cmocka_unit_test(hostile_patterns_are_bounded),
        cmocka_unit_test(agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
