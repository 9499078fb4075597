/*
 * test_budget.c - reservations: who fits, who waits, who goes on; and reactors that share one
 * budget.
 */
#include "shoal/conn/budget.h"

#include "shoal/conn/backpressure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PART = 1000, CLAIMS = 50 };

static struct budget budget;
static struct reservation claim[CLAIMS];

static int fresh(void **state)
{
    (void)state;
    budget = (struct budget){ .part_bytes = PART };
    memset(claim, 0, sizeof(claim));
    return 0;
}

/* Its owner allocates all it was promised. */
static void allocate(struct reservation *it)
{
    uint64_t more = it->promised;
    budget.request_bytes += more;
    budget_grown(&budget, it, it->allocated + more);
    assert_int_equal(it->promised, 0);
}

static void done(struct reservation *it)
{
    uint64_t freed = it->allocated;
    if (budget_release(&budget, it)) {
        assert_int_equal(budget.oversize_left_bytes, freed);
        budget_passed(&budget);
    }
    budget.request_bytes -= freed;
}

static void what_fits_need_not_wait(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], 400));
    assert_true(budget_reserve(&budget, &claim[1], 600));
    assert_int_equal(budget.promised_bytes, PART);
    allocate(&claim[0]);
    assert_int_equal(budget_taken(&budget), PART);
    assert_true(budget_reserve(&budget, &claim[0], 300)); /* it has that */
    assert_int_equal(budget_taken(&budget), PART);
    done(&claim[0]);
    done(&claim[1]);
    assert_int_equal(budget_taken(&budget), 0);
    assert_null(budget.oversize);
}

static void one_goes_beside_and_the_others_wait_in_order(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], 900));
    assert_true(budget_reserve(&budget, &claim[1], 200));
    assert_ptr_equal(budget.oversize, &claim[1]);
    assert_false(budget_reserve(&budget, &claim[2], 200));
    assert_false(budget_reserve(&budget, &claim[2], 200)); /* it waits already */
    assert_false(budget_reserve(&budget, &claim[3], 50));  /* it fits, but has come later */
    assert_int_equal(budget.waiting, 2);
    assert_null(budget_next(&budget));
    done(&claim[0]);
    assert_ptr_equal(budget_next(&budget), &claim[2]);
    assert_ptr_equal(budget_next(&budget), &claim[3]);
    assert_null(budget_next(&budget));
    assert_int_equal(budget_taken(&budget), 250); /* the one beside does not count */
    done(&claim[1]);
    assert_int_equal(budget_taken(&budget), 250);
}

static void the_first_in_line_is_the_next_beside(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], PART));
    assert_true(budget_reserve(&budget, &claim[1], 500));
    assert_false(budget_reserve(&budget, &claim[2], 500));
    allocate(&claim[1]);
    done(&claim[1]);
    assert_ptr_equal(budget_next(&budget), &claim[2]);
    assert_ptr_equal(budget.oversize, &claim[2]);
    assert_true(budget_reserve(&budget, &claim[2], 5000)); /* it may go on to the end */
}

static void nobody_goes_beside_one_that_is_still_there(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], PART));
    assert_true(budget_reserve(&budget, &claim[1], 500));
    assert_false(budget_reserve(&budget, &claim[2], 500));
    allocate(&claim[1]);
    assert_true(budget_release(&budget, &claim[1]));
    assert_null(budget_next(&budget));
    assert_int_equal(budget_taken(&budget), PART);
    budget.request_bytes -= 500;
    budget_passed(&budget);
    assert_ptr_equal(budget_next(&budget), &claim[2]);
}

static void who_can_never_fit_lets_others_pass(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], 2 * PART));
    assert_ptr_equal(budget.oversize, &claim[0]);
    assert_false(budget_reserve(&budget, &claim[1], 3 * PART));
    assert_false(budget_reserve(&budget, &claim[2], 100)); /* behind it in line */
    assert_ptr_equal(budget_next(&budget), &claim[2]);
    assert_null(budget_next(&budget));
    done(&claim[0]);
    assert_ptr_equal(budget_next(&budget), &claim[1]);
}

/* Two that hold a half each and want more of it: one goes beside. */
static void those_that_hold_and_want_more_do_not_block_each_other(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], PART / 2));
    assert_true(budget_reserve(&budget, &claim[1], PART / 2));
    allocate(&claim[0]);
    allocate(&claim[1]);
    assert_true(budget_reserve(&budget, &claim[0], PART + 1));
    assert_ptr_equal(budget.oversize, &claim[0]);
    assert_false(budget_reserve(&budget, &claim[1], PART + 1));
    assert_null(budget_next(&budget));
    allocate(&claim[0]);
    done(&claim[0]);
    assert_ptr_equal(budget_next(&budget), &claim[1]);
}

static void what_cannot_be_used_is_waived(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], PART));
    assert_true(budget_reserve(&budget, &claim[1], 500));
    assert_false(budget_reserve(&budget, &claim[2], 700));
    budget_cancel(&budget, &claim[1]);
    assert_int_equal(budget_taken(&budget), PART);
    assert_ptr_equal(budget_next(&budget), &claim[2]);
    assert_ptr_equal(budget.oversize, &claim[2]);
    budget_cancel(&budget, &claim[0]);
    assert_int_equal(budget_taken(&budget), 0);
    assert_true(budget_reserve(&budget, &claim[1], 500)); /* anew */
}

static void leaving_the_line(void **state)
{
    (void)state;
    assert_true(budget_reserve(&budget, &claim[0], PART));
    assert_true(budget_reserve(&budget, &claim[9], PART));
    for (int i = 1; i <= 4; i++)
        assert_false(budget_reserve(&budget, &claim[i], 100));
    done(&claim[2]);
    done(&claim[4]);
    done(&claim[1]);
    assert_int_equal(budget.waiting, 1);
    assert_ptr_equal(budget.first, &claim[3]);
    assert_ptr_equal(budget.last, &claim[3]);
    done(&claim[3]);
    assert_null(budget.first);
    assert_int_equal(budget.waiting, 0);
}

static void no_limit(void **state)
{
    (void)state;
    budget.part_bytes = UINT64_MAX;
    for (int i = 0; i < CLAIMS; i++)
        assert_true(budget_reserve(&budget, &claim[i], 1ull << 40));
    assert_null(budget.oversize);
}

/* Whatever the order: sums agree, the budget is kept but for the one beside, and all end. */
static void at_random(void **state)
{
    (void)state;
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
    int ended = 0;
    printf("seed %u\n", seed);
    srand(seed);
    for (int step = 0; ended < 5000; step++) {
        struct reservation *it = &claim[rand() % CLAIMS];
        assert_true(step < 10000000);
        if (it->needed > 0 && rand() % 50 == 0) {
            done(it); /* its connection closes */
        } else if (it->needed == 0 && it->promised + it->allocated == 0) {
            budget_reserve(&budget, it, 1 + (uint64_t)(rand() % (PART * 3 / 2)));
        } else if (it->needed == 0 && it->promised > 0) {
            allocate(it);
        } else if (it->needed == 0 && rand() % 4 == 0) {
            budget_reserve(&budget, it, it->allocated + 1 + (uint64_t)(rand() % PART));
        } else if (it->needed == 0) {
            done(it);
            ended++;
        }
        while (budget_next(&budget) != NULL)
            ;
        uint64_t promised = 0, allocated = 0;
        uint32_t waiting = 0;
        for (int i = 0; i < CLAIMS; i++) {
            promised += claim[i].promised;
            allocated += claim[i].allocated;
            waiting += claim[i].needed > 0;
        }
        assert_int_equal(promised, budget.promised_bytes);
        assert_int_equal(allocated, budget.request_bytes);
        assert_int_equal(waiting, budget.waiting);
        assert_true(waiting == 0 || budget.oversize != NULL);
    }
}

/* ---- shared -------------------------------------------------------------- */

static void parts_of_a_shared_budget(void **state)
{
    (void)state;
    assert_int_equal(budget_part(0, 4, 5, 5), UINT64_MAX);
    assert_int_equal(budget_part(2000, 1, 700, 700), 1000);
    assert_int_equal(budget_part(8000, 4, 0, 0), 1000);
    assert_int_equal(budget_part(8000, 4, 1000, 1000), 1750); /* and so on, up to all of it */
    assert_int_equal(budget_part(8000, 4, 0, 4000), 250);     /* nobody is left without */
    assert_int_equal(budget_part(8000, 4, 4000, 8000), 2000); /* over it: each gives back */
}

/* Whoever asks for all there is gets it while the others ask for nothing; all together never get
 * more. */
static void reactors_fill_the_budget_and_no_more(void **state)
{
    (void)state;
    enum { SHARDS = 8, LIMIT = 2000000 };
    for (int busy = 1; busy <= SHARDS; busy++) {
        uint64_t used[SHARDS] = { 0 }, seen[SHARDS] = { 0 }, total = 0;
        for (int round = 0; round < 200; round++) {
            for (int i = 0; i < busy; i++) {
                uint64_t others = 0;
                for (int j = 0; j < SHARDS; j++)
                    others += j != i ? seen[j] : 0;
                used[i] = budget_part(LIMIT, SHARDS, used[i], others + used[i]);
            }
            memcpy(seen, used, sizeof(seen));
            total = 0;
            for (int i = 0; i < SHARDS; i++)
                total += used[i];
            assert_true(total <= LIMIT / 2);
        }
        assert_true(total > LIMIT / 2 * 0.99);
    }
}

static void levels(void **state)
{
    (void)state;
    assert_int_equal(budget_level(0, 1ull << 50), BUDGET_EASY);
    assert_int_equal(budget_level(1000, 249), BUDGET_EASY);
    assert_int_equal(budget_level(1000, 250), BUDGET_TIGHT);
    assert_int_equal(budget_level(1000, 499), BUDGET_TIGHT);
    assert_int_equal(budget_level(1000, 500), BUDGET_FULL);
}

/* Each time those at the head of the line get the room and stop as well. */
static void a_line_of_many_that_stop_is_through_in_time(void **state)
{
    (void)state;
    enum { ROUNDS = 20, LOOK_MS = 1000 };
    int64_t now_ms = 0;
    assert_int_equal(backpressure_stall_ms(UINT64_MAX, 0), BACKPRESSURE_STALL_MS);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t since_ms = now_ms;
        do
            now_ms += LOOK_MS;
        while (now_ms - since_ms < backpressure_stall_ms(BACKPRESSURE_HELD_BYTES, now_ms));
        assert_true(round > 0 || now_ms == BACKPRESSURE_STALL_MS);
    }
    assert_in_range(now_ms, BACKPRESSURE_STALL_MS,
                    2 * BACKPRESSURE_STALL_MS + ROUNDS * BACKPRESSURE_STALL_MIN_MS);
}

/* A pipeline of GETs whose replies are not read has a few bytes of the next request, too. */
static void unread_replies_keep_all_their_time(void **state)
{
    (void)state;
    assert_int_equal(backpressure_stall_ms(0, INT64_MAX), BACKPRESSURE_STALL_MS);
    assert_int_equal(backpressure_stall_ms(100, INT64_MAX), BACKPRESSURE_STALL_MS);
    assert_int_equal(backpressure_stall_ms(BACKPRESSURE_HELD_BYTES, INT64_MAX),
                     BACKPRESSURE_STALL_MIN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_fits_need_not_wait, fresh),
        cmocka_unit_test_setup(one_goes_beside_and_the_others_wait_in_order, fresh),
        cmocka_unit_test_setup(the_first_in_line_is_the_next_beside, fresh),
        cmocka_unit_test_setup(nobody_goes_beside_one_that_is_still_there, fresh),
        cmocka_unit_test_setup(who_can_never_fit_lets_others_pass, fresh),
        cmocka_unit_test_setup(those_that_hold_and_want_more_do_not_block_each_other, fresh),
        cmocka_unit_test_setup(what_cannot_be_used_is_waived, fresh),
        cmocka_unit_test_setup(leaving_the_line, fresh),
        cmocka_unit_test_setup(no_limit, fresh),
        cmocka_unit_test_setup(at_random, fresh),
        cmocka_unit_test(parts_of_a_shared_budget),
        cmocka_unit_test(reactors_fill_the_budget_and_no_more),
        cmocka_unit_test(levels),
        cmocka_unit_test(a_line_of_many_that_stop_is_through_in_time),
        cmocka_unit_test(unread_replies_keep_all_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
