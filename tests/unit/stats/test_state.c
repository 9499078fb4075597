/*
 * test_state.c - memory of state: the sums over the reactors, and its bounds.
 */
#include "shoal/stats/state.h"

#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REACTORS = 3 };

static struct reactor reactor[REACTORS];
static struct reactor *const peer[REACTORS] = { &reactor[0], &reactor[1], &reactor[2] };

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < REACTORS; i++) {
        free(reactor[i].stats);
        reactor[i] = (struct reactor){ .id = i, .count = REACTORS, .peer = peer };
        reactor[i].stats = stats_new();
    }
    return 0;
}

static void sums_are_those_of_all_reactors(void **state)
{
    (void)state;
    state_set(&reactor[0], STATE_WATCHES, 100);
    state_add(&reactor[1], STATE_WATCHES, 50);
    state_add(&reactor[1], STATE_WATCHES, -20);
    state_set(&reactor[2], STATE_PUSHES, 7);
    state_set(&reactor[2], STATE_QUEUED, 1000);
    assert_int_equal(state_sum(&reactor[2], STATE_WATCHES), 130);
    assert_int_equal(state_sum(&reactor[0], STATE_QUEUED), 1000);
    assert_int_equal(state_total(&reactor[0]), 137); /* without what is counted elsewhere */
}

static void one_kind_leaves_half_to_the_others(void **state)
{
    (void)state;
    assert_true(state_fits(&reactor[0], 1000, STATE_WATCHES, 500));
    assert_false(state_fits(&reactor[0], 1000, STATE_WATCHES, 501));
    state_set(&reactor[1], STATE_WATCHES, 400);
    assert_false(state_fits(&reactor[0], 1000, STATE_WATCHES, 101));
    assert_true(state_fits(&reactor[0], 1000, STATE_PUSHES, 500));
    state_set(&reactor[1], STATE_WAITERS, 300);
    assert_true(state_fits(&reactor[0], 1000, STATE_PUSHES, 300));
    assert_false(state_fits(&reactor[0], 1000, STATE_PUSHES, 301));
    assert_true(state_fits(&reactor[0], 0, STATE_PUSHES, UINT64_MAX / 2)); /* no limit */
}

static void every_row_says_what_it_is(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    state_print_markdown(out);
    fclose(out);
    for (int kind = 0; kind < STATE_KINDS; kind++) {
        char name[64];
        assert_non_null(state_rows[kind].what);
        assert_non_null(state_rows[kind].at_bound);
        snprintf(name, sizeof(name), "| `%s` | ", state_rows[kind].name);
        assert_non_null(strstr(text, name));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sums_are_those_of_all_reactors, set_up),
        cmocka_unit_test_setup(one_kind_leaves_half_to_the_others, set_up),
        cmocka_unit_test_setup(every_row_says_what_it_is, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
