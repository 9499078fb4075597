/*
 * test_descriptors.c - the limit of open files, against a system that allows what a test says.
 */
#include "shoal/server/descriptors.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct rlimit limit;
static bool privileged, unknown;

int __wrap_getrlimit(int resource, struct rlimit *to);
int __wrap_getrlimit(int resource, struct rlimit *to)
{
    assert_int_equal(resource, RLIMIT_NOFILE);
    *to = limit;
    return unknown ? -1 : 0;
}

int __wrap_setrlimit(int resource, const struct rlimit *wanted);
int __wrap_setrlimit(int resource, const struct rlimit *wanted)
{
    assert_int_equal(resource, RLIMIT_NOFILE);
    if (wanted->rlim_cur > wanted->rlim_max || (wanted->rlim_max > limit.rlim_max && !privileged)) {
        errno = EPERM;
        return -1;
    }
    limit = *wanted;
    return 0;
}

static void system_allows(rlim_t soft, rlim_t hard, bool root)
{
    limit = (struct rlimit){ soft, hard };
    privileged = root;
    unknown = false;
}

static void a_sufficient_limit_is_left_alone(void **state)
{
    (void)state;
    system_allows(5000, 6000, false);
    assert_int_equal(descriptors_raise(1000), 1000);
    assert_int_equal(limit.rlim_cur, 5000);
    system_allows(1000 + DESCRIPTORS_OWN, 6000, false);
    assert_int_equal(descriptors_raise(1000), 1000);
    assert_int_equal(limit.rlim_cur, 1000 + DESCRIPTORS_OWN);
}

static void it_is_raised_as_far_as_needed(void **state)
{
    (void)state;
    system_allows(100, 6000, false);
    assert_int_equal(descriptors_raise(1000), 1000);
    assert_int_equal(limit.rlim_cur, 1000 + DESCRIPTORS_OWN);
    assert_int_equal(limit.rlim_max, 6000);
}

static void beyond_the_hard_limit_fewer_clients_fit(void **state)
{
    (void)state;
    system_allows(100, 500, false);
    assert_int_equal(descriptors_raise(1000), 500 - DESCRIPTORS_OWN);
    assert_int_equal(limit.rlim_cur, 500);
}

static void the_privileged_raise_both(void **state)
{
    (void)state;
    system_allows(100, 500, true);
    assert_int_equal(descriptors_raise(1000), 1000);
    assert_int_equal(limit.rlim_cur, 1000 + DESCRIPTORS_OWN);
    assert_int_equal(limit.rlim_max, 1000 + DESCRIPTORS_OWN);
}

static void there_is_always_room_for_one(void **state)
{
    (void)state;
    system_allows(20, 20, false);
    assert_int_equal(descriptors_raise(1000), 1);
}

static void a_system_that_does_not_say_is_trusted(void **state)
{
    (void)state;
    system_allows(100, 100, false);
    unknown = true;
    assert_int_equal(descriptors_raise(1000), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sufficient_limit_is_left_alone),
        cmocka_unit_test(it_is_raised_as_far_as_needed),
        cmocka_unit_test(beyond_the_hard_limit_fewer_clients_fit),
        cmocka_unit_test(the_privileged_raise_both),
        cmocka_unit_test(there_is_always_room_for_one),
        cmocka_unit_test(a_system_that_does_not_say_is_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
