/*
 * test_auth.c - the comparison of passwords, and who is refused.
 */
#include "shoal/admin/auth.h"

#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char secret[PASSWORD_SIZE];

static bool equals(const char *given)
{
    return password_equals(secret, bytes_str(given));
}

static void only_the_same_text_is_equal(void **state)
{
    (void)state;
    strcpy(secret, "s3cret");
    assert_true(equals("s3cret"));
    assert_false(equals(""));
    assert_false(equals("s3cre"));
    assert_false(equals("s3crets"));
    assert_false(equals("S3cret"));
    assert_false(equals("t3cret"));
    assert_false(password_equals(secret, bytes_of("s3cret\0", 7)));
    assert_false(password_equals(secret, bytes_of("s3cret\0x", 8)));
}

/* CONFIG SET of a shorter password may leave the end of a longer one behind its zero. */
static void what_is_behind_the_zero_is_ignored(void **state)
{
    (void)state;
    memset(secret, 'x', sizeof(secret));
    strcpy(secret, "short");
    assert_true(equals("short"));
    assert_false(password_equals(secret, bytes_of("short\0xxx", 9)));
}

static void every_length_works(void **state)
{
    (void)state;
    char given[2 * PASSWORD_SIZE];
    memset(given, 'p', sizeof(given));
    for (size_t size = 0; size < PASSWORD_SIZE; size++) {
        memset(secret, 0, sizeof(secret));
        memset(secret, 'p', size);
        assert_true(password_equals(secret, bytes_of(given, size)));
        assert_false(password_equals(secret, bytes_of(given, size + 1)));
        assert_false(password_equals(secret, bytes_of(given, sizeof(given))));
        if (size > 0)
            assert_false(password_equals(secret, bytes_of(given, size - 1)));
    }
}

static void refusals_are_counted(void **state)
{
    (void)state;
    static struct settings settings;
    static struct reactor reactor;
    struct conn conn = { .reactor = &reactor };
    struct reactor_stats *stats = aligned_alloc(64, sizeof(*stats));
    memset(stats, 0, sizeof(*stats));
    reactor.stats = stats;
    reactor.settings = &settings;

    assert_null(auth_refusal(&conn, bytes_str("default"), bytes_str("anything")));
    assert_non_null(auth_refusal(&conn, bytes_str("somebody"), bytes_str("anything")));
    assert_int_equal(counter_get(&stats->auth_denied), 1);

    strcpy(settings.requirepass, "pw");
    assert_null(auth_refusal(&conn, bytes_str("default"), bytes_str("pw")));
    assert_string_equal(auth_refusal(&conn, bytes_str("default"), bytes_str("pv")),
                        "WRONGPASS invalid username-password pair or user is disabled.");
    assert_non_null(auth_refusal(&conn, bytes_str("Default"), bytes_str("pw")));
    assert_int_equal(counter_get(&stats->auth_denied), 3);
    free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_text_is_equal),
        cmocka_unit_test(what_is_behind_the_zero_is_ignored),
        cmocka_unit_test(every_length_works),
        cmocka_unit_test(refusals_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
