/*
 * test_ring.c - engines are found by the words that ask for them. What each does: test_engine.c.
 */
#include "shoal/net/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void engines_are_found_by_their_words(void **state)
{
    (void)state;
    const struct ring_engine *uring = ring_engine_find("uring");
    assert_non_null(uring);
    assert_string_equal(uring->name, "io_uring");
    assert_string_equal(uring->option, "uring");
    const struct ring_engine *epoll = ring_engine_find("epoll");
    assert_non_null(epoll);
    assert_string_equal(epoll->name, "epoll");
    assert_string_equal(epoll->option, "epoll");
}

static void other_words_find_none(void **state)
{
    (void)state;
    assert_null(ring_engine_find("auto"));
    assert_null(ring_engine_find("io_uring"));
    assert_null(ring_engine_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_are_found_by_their_words),
        cmocka_unit_test(other_words_find_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
