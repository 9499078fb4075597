/*
 * test_uring_explain.c - each refusal has its own advice, and unknown names of features are found.
 */
#include "shoal/net/ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct ring_engine *uring(void)
{
    return ring_engine_find("uring");
}

static void each_refusal_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *words;
    } refusals[] = {
        { ENOSYS, "Linux 6.1" },     { EINVAL, "Linux 6.1" },     { ENOMEM, "RLIMIT_MEMLOCK" },
        { EMFILE, "RLIMIT_NOFILE" }, { ENFILE, "RLIMIT_NOFILE" }, { EPERM, "io_uring is " },
        { EACCES, "io_uring is " },
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        assert_non_null(strstr(uring()->explain(-refusals[i].error), refusals[i].words));
    assert_string_equal(uring()->explain(-EIO), "io_uring could not be set up");
}

static void known_features_are_known(void **state)
{
    (void)state;
    assert_null(uring()->features_unknown("all"));
    assert_null(uring()->features_unknown("6.1"));
    assert_null(uring()->features_unknown("incremental-buffers"));
    assert_null(uring()->features_unknown("incremental-buffers,registered-files"));
    assert_null(uring()->features_unknown(" registered-files, incremental-buffers "));
    assert_null(uring()->features_unknown(""));
}

static void the_first_unknown_name_is_given(void **state)
{
    (void)state;
    assert_string_equal(uring()->features_unknown("al"), "al");
    assert_string_equal(uring()->features_unknown("alls"), "alls");
    assert_string_equal(uring()->features_unknown("all,sqpoll,napi"), "sqpoll,napi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_says_what_to_do),
        cmocka_unit_test(known_features_are_known),
        cmocka_unit_test(the_first_unknown_name_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
