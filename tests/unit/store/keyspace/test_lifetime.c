/*
 * test_lifetime.c - what TTLs become under a default, a maximum and jitter.
 */
#include "shoal/base/random.h"
#include "shoal/store/keyspace/lifetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

static const int64_t now = 1000 * 1000;
static struct random random_state;

static void off_changes_nothing(void **state)
{
    (void)state;
    struct lifetime off = lifetime_of(0, 0, 0);
    assert_false(off.on);
    assert_int_equal(lifetime_apply_explicit(&off, 0, now, 7), 0);
    assert_int_equal(lifetime_apply_explicit(&off, now + 5, now, 7), now + 5);
    assert_int_equal(lifetime_apply_explicit(&off, INT64_MAX, now, 7), INT64_MAX);
    assert_int_equal(lifetime_apply_default(&off, now, 7), 0);
    assert_int_equal(lifetime_apply_kept(&off, 0, now, 7), 0);
}

static void a_default_is_for_those_who_ask_for_nothing(void **state)
{
    (void)state;
    struct lifetime rules = lifetime_of(500, 0, 0);
    assert_true(rules.on);
    assert_int_equal(lifetime_apply_default(&rules, now, 7), now + 500);
    assert_int_equal(lifetime_apply_explicit(&rules, 0, now, 7), 0);
    assert_int_equal(lifetime_apply_explicit(&rules, now + 900, now, 7), now + 900);
    assert_int_equal(lifetime_apply_kept(&rules, 0, now, 7), 0);
    assert_int_equal(lifetime_apply_kept(&rules, now + 900, now, 7), now + 900);
}

static void a_maximum_is_for_all(void **state)
{
    (void)state;
    struct lifetime rules = lifetime_of(0, 500, 0), both = lifetime_of(900, 500, 0);
    assert_int_equal(lifetime_apply_default(&rules, now, 7), now + 500);
    assert_int_equal(lifetime_apply_default(&both, now, 7), now + 500);
    assert_int_equal(lifetime_apply_explicit(&rules, 0, now, 7), now + 500);
    assert_int_equal(lifetime_apply_explicit(&rules, INT64_MAX, now, 7), now + 500);
    assert_int_equal(lifetime_apply_explicit(&rules, now + 501, now, 7), now + 500);
    assert_int_equal(lifetime_apply_explicit(&rules, now + 499, now, 7), now + 499);
    assert_int_equal(lifetime_apply_kept(&rules, 0, now, 7), now + 500);
    assert_int_equal(lifetime_apply_kept(&rules, now + 501, now, 7), now + 500);
    assert_int_equal(lifetime_apply_kept(&rules, now + 500, now, 7), now + 500);
}

static void what_has_passed_stays(void **state)
{
    (void)state;
    struct lifetime rules = lifetime_of(500, 500, 50);
    assert_int_equal(lifetime_apply_explicit(&rules, now, now, 7), now);
    assert_int_equal(lifetime_apply_explicit(&rules, 1, now, 7), 1);
}

/* Every value of the range, none beyond it, and each about as often. */
static void jitter_is_even_and_only_shortens(void **state)
{
    (void)state;
    enum { TTL = 200, PERCENT = 10, LOW = TTL - TTL * PERCENT / 100, DRAWS = 210 * 1000 };
    struct lifetime rules = lifetime_of(0, 0, PERCENT);
    unsigned seen[TTL + 1] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        int64_t ttl =
            lifetime_apply_explicit(&rules, now + TTL, now, random_next(&random_state)) - now;
        assert_in_range(ttl, LOW, TTL);
        seen[ttl]++;
    }
    for (int ttl = LOW; ttl <= TTL; ttl++)
        assert_in_range(seen[ttl], DRAWS / 21 * 9 / 10, DRAWS / 21 * 11 / 10);
}

static void jitter_comes_after_default_and_maximum(void **state)
{
    (void)state;
    struct lifetime rules = lifetime_of(10000, 1000, 50);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(lifetime_apply_default(&rules, now, random_next(&random_state)), now + 500,
                        now + 1000);
        assert_in_range(lifetime_apply_kept(&rules, 0, now, random_next(&random_state)), now + 500,
                        now + 1000);
        assert_int_equal(lifetime_apply_kept(&rules, now + 900, now, random_next(&random_state)),
                         now + 900);
    }
}

static void extremes(void **state)
{
    (void)state;
    struct lifetime all = lifetime_of(0, 0, LIFETIME_JITTER_MAX);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(lifetime_apply_explicit(&all, now + 3, now, random_next(&random_state)),
                        now + 1, now + 3);
        assert_true(lifetime_apply_explicit(&all, INT64_MAX, now, random_next(&random_state)) >
                    now);
    }
    struct lifetime century = lifetime_of(LIFETIME_MS_MAX, LIFETIME_MS_MAX, 0);
    assert_int_equal(lifetime_apply_default(&century, now, 7), now + LIFETIME_MS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_changes_nothing),
        cmocka_unit_test(a_default_is_for_those_who_ask_for_nothing),
        cmocka_unit_test(a_maximum_is_for_all),
        cmocka_unit_test(what_has_passed_stays),
        cmocka_unit_test(jitter_is_even_and_only_shortens),
        cmocka_unit_test(jitter_comes_after_default_and_maximum),
        cmocka_unit_test(extremes),
    };
    random_seed(&random_state, test_seed());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
