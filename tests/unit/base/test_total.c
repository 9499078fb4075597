/*
 * test_total.c - a sum of parts: what one thread changes, and a last piece that several (pthread)
 * want.
 */
#include "shoal/base/total.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void parts_make_the_sum(void **state)
{
    (void)state;
    struct total total = { 0 };
    uint64_t a = 0, b = 0;
    total_set_part(&total, &a, 10);
    total_set_part(&total, &b, 5);
    total_set_part(&total, &a, 3);
    total_set_part(&total, &a, 3);
    assert_true(a == 3 && b == 5 && total_get(&total) == 8);
    total_set_part(&total, &b, (uint64_t)-2); /* below zero */
    assert_int_equal(total_get(&total), 1);
}

static void no_more_is_taken_than_there_is(void **state)
{
    (void)state;
    struct total total = { 0 };
    uint64_t a = 0, b = 0;
    assert_true(total_take(&total, &a, 7, 10));
    assert_false(total_take(&total, &b, 4, 10));
    assert_false(total_take(&total, &b, UINT64_MAX, 10));
    assert_true(total_take(&total, &b, 3, 10));
    assert_false(total_take(&total, &a, 1, 10));
    assert_false(total_take(&total, &a, 1, 5)); /* there is less now */
    assert_true(a == 7 && b == 3 && total_get(&total) == 10);
}

enum { THREADS = 4, MOST = 1000, ROUNDS = 20000 };

struct taker {
    struct total *total;
    uint64_t part;
    unsigned taken;
    bool above;
};

/* Takes pieces and gives them back, so that there is next to nothing left all the time. */
static void *take_and_give(void *argument)
{
    struct taker *taker = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (total_take(taker->total, &taker->part, 1 + i % 97, MOST))
            taker->taken++;
        taker->above |= total_get(taker->total) > MOST;
        if (i % 3 == 0)
            total_set_part(taker->total, &taker->part, taker->part / 2);
    }
    return NULL;
}

static void threads_never_exceed_the_end(void **state)
{
    (void)state;
    struct total total = { 0 };
    struct taker taker[THREADS];
    pthread_t thread[THREADS];
    uint64_t sum = 0;
    for (int i = 0; i < THREADS; i++) {
        taker[i] = (struct taker){ .total = &total };
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &taker[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_true(taker[i].taken > 0);
        assert_false(taker[i].above);
        sum += taker[i].part;
    }
    assert_true(sum == total_get(&total) && sum <= MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_make_the_sum),
        cmocka_unit_test(no_more_is_taken_than_there_is),
        cmocka_unit_test(threads_never_exceed_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
