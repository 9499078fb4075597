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

/* What each claim's owner has allocated, and where that is counted. */
static uint64_t has[CLAIMS];
static enum budget_share counted[CLAIMS];

static int fresh(void **state)
{
    (void)state;
    budget = (struct budget){ .part_bytes = PART };
    memset(claim, 0, sizeof(claim));
    memset(has, 0, sizeof(has));
    memset(counted, 0, sizeof(counted));
    return 0;
}

static int number(const struct reservation *it)
{
    return it != NULL ? (int)(it - claim) : -1;
}

static void follow(int i)
{
    budget_freed(&budget, counted[i], has[i]);
    counted[i] = claim[i].share;
    budget_allocated(&budget, counted[i], has[i]);
}

static bool reserve(int i, uint64_t total)
{
    bool granted = budget_reserve(&budget, &claim[i], has[i], total);
    follow(i);
    return granted;
}

static int next(void)
{
    int i = number(budget_next(&budget));
    if (i >= 0)
        follow(i);
    return i;
}

static bool let_in(int i, uint64_t total)
{
    bool granted = budget_let_in(&budget, &claim[i], has[i], total);
    follow(i);
    return granted;
}

/* Its owner allocates all it was promised. */
static void allocate(int i)
{
    uint64_t more = claim[i].promised;
    budget_allocated(&budget, counted[i], more);
    has[i] += more;
    budget_used(&budget, &claim[i], more);
    assert_int_equal(claim[i].promised, 0);
}

static void let_go(int i)
{
    budget_freed(&budget, counted[i], has[i]);
    counted[i] = BUDGET_PART;
    has[i] = 0;
}

static void done(int i)
{
    budget_release(&budget, &claim[i]);
    let_go(i);
}

#define assert_taken(part, beside, whole)                                                          \
    do {                                                                                           \
        assert_int_equal(budget.taken[BUDGET_PART], (part));                                       \
        assert_int_equal(budget.taken[BUDGET_BESIDE], (beside));                                   \
        assert_int_equal(budget.taken[BUDGET_WHOLE], (whole));                                     \
    } while (0)

static void what_fits_need_not_wait(void **state)
{
    (void)state;
    assert_true(reserve(0, 400));
    assert_true(reserve(1, 600));
    assert_int_equal(budget.promised_bytes, PART);
    assert_int_equal(budget_request_bytes(&budget), 0);
    allocate(0);
    assert_taken(PART, 0, 0);
    assert_int_equal(budget_request_bytes(&budget), 400);
    assert_true(reserve(0, 300)); /* it has that */
    assert_taken(PART, 0, 0);
    done(0);
    done(1);
    assert_taken(0, 0, 0);
}

static void one_goes_beside_and_the_others_wait_in_order(void **state)
{
    (void)state;
    assert_true(reserve(0, 900));
    assert_true(reserve(1, 200));
    assert_int_equal(claim[1].share, BUDGET_BESIDE);
    assert_false(reserve(2, 200));
    assert_false(reserve(2, 200)); /* it waits already */
    assert_false(reserve(3, 50));  /* it fits, but has come later */
    assert_int_equal(budget.waiting, 2);
    assert_int_equal(next(), -1);
    done(0);
    assert_int_equal(next(), 2);
    assert_int_equal(next(), 3);
    assert_int_equal(next(), -1);
    assert_taken(250, 200, 0);
    done(1);
    assert_taken(250, 0, 0);
}

static void the_first_in_line_is_the_next_beside(void **state)
{
    (void)state;
    assert_true(reserve(0, PART));
    assert_true(reserve(1, 500));
    assert_false(reserve(2, 500));
    allocate(1);
    done(1);
    assert_int_equal(next(), 2);
    assert_int_equal(claim[2].share, BUDGET_BESIDE);
    assert_true(reserve(2, 5000)); /* it may go on to the end */
}

static void nobody_goes_beside_one_that_is_still_there(void **state)
{
    (void)state;
    assert_true(reserve(0, PART));
    assert_true(reserve(1, 500));
    assert_false(reserve(2, 500));
    allocate(1);
    budget_release(&budget, &claim[1]);
    assert_int_equal(next(), -1);
    assert_taken(PART, 500, 0);
    let_go(1);
    assert_int_equal(next(), 2);
}

static void who_can_never_fit_lets_others_pass(void **state)
{
    (void)state;
    assert_true(reserve(0, 2 * PART));
    assert_int_equal(claim[0].share, BUDGET_BESIDE);
    assert_false(reserve(1, 3 * PART));
    assert_false(reserve(2, 100)); /* behind it in line */
    assert_int_equal(next(), 2);
    assert_int_equal(next(), -1);
    done(0);
    assert_int_equal(next(), 1);
}

/* Two that hold a half each and want more of it: one goes beside. */
static void those_that_hold_and_want_more_do_not_block_each_other(void **state)
{
    (void)state;
    assert_true(reserve(0, PART / 2));
    assert_true(reserve(1, PART / 2));
    allocate(0);
    allocate(1);
    assert_true(reserve(0, PART + 1));
    assert_taken(PART / 2, PART + 1, 0);
    assert_false(reserve(1, PART + 1));
    assert_int_equal(next(), -1);
    allocate(0);
    done(0);
    assert_int_equal(next(), 1);
    assert_taken(0, PART + 1, 0);
}

static void what_cannot_be_used_is_given_back(void **state)
{
    (void)state;
    assert_true(reserve(0, PART));
    assert_true(reserve(1, 500));
    assert_false(reserve(2, 700));
    budget_cancel(&budget, &claim[1]);
    assert_taken(PART, 0, 0);
    assert_int_equal(next(), 2);
    assert_int_equal(claim[2].share, BUDGET_BESIDE);
    budget_cancel(&budget, &claim[0]);
    assert_taken(0, 700, 0);
    assert_true(reserve(1, 500)); /* anew */
}

static void leaving_the_line(void **state)
{
    (void)state;
    assert_true(reserve(0, PART));
    assert_true(reserve(9, PART));
    for (int i = 1; i <= 4; i++)
        assert_false(reserve(i, 100));
    done(2);
    done(4);
    done(1);
    assert_int_equal(budget.waiting, 1);
    assert_ptr_equal(budget.first, &claim[3]);
    assert_ptr_equal(budget.last, &claim[3]);
    done(3);
    assert_null(budget.first);
    assert_int_equal(budget.waiting, 0);
}

/* ---- requests that have arrived whole ------------------------------------ */

/* Two that hold all there is have stopped, and so have those before it in line. */
static void one_that_is_whole_need_not_wait(void **state)
{
    (void)state;
    assert_true(reserve(0, PART));
    assert_true(reserve(1, 2 * PART));
    allocate(0);
    allocate(1);
    for (int i = 2; i < 10; i++)
        assert_false(reserve(i, 300));
    assert_true(let_in(9, 320)); /* longer than was known */
    assert_taken(PART, 2 * PART, 320);
    assert_int_equal(budget.waiting, 7);
    allocate(9);
    assert_taken(PART, 2 * PART, 320);
    budget_release(&budget, &claim[9]);
    assert_taken(PART, 2 * PART, 320); /* until it is answered */
    let_go(9);
    assert_taken(PART, 2 * PART, 0);
}

/* What it has moves with it. */
static void one_that_has_some_of_the_part_leaves_it(void **state)
{
    (void)state;
    assert_true(reserve(0, 300));
    allocate(0);
    assert_true(reserve(1, PART - 300));
    assert_true(reserve(2, PART));
    assert_false(reserve(0, 500));
    assert_true(let_in(0, 500));
    assert_taken(PART - 300, PART, 500);
    assert_true(reserve(0, 900)); /* its share is never too small for it */
    assert_taken(PART - 300, PART, 900);
}

static void those_that_are_whole_have_a_limit_too(void **state)
{
    (void)state;
    enum { LARGE = BUDGET_WHOLE_BYTES * 2 / 3 };
    assert_true(reserve(0, PART));
    assert_true(reserve(1, PART));
    assert_false(reserve(2, LARGE));
    assert_false(reserve(3, LARGE));
    assert_true(let_in(2, LARGE));
    assert_false(let_in(3, LARGE));
    assert_int_equal(budget.waiting, 1);
    allocate(2);
    done(2);
    assert_true(let_in(3, LARGE));
}

static void all_in_line_are_looked_at_in_turn(void **state)
{
    (void)state;
    assert_null(budget_look(&budget));
    assert_true(reserve(0, PART));
    assert_true(reserve(1, PART));
    for (int i = 2; i < 6; i++)
        assert_false(reserve(i, 100));
    assert_int_equal(number(budget_look(&budget)), 2);
    assert_int_equal(number(budget_look(&budget)), 3);
    done(4); /* the next */
    assert_int_equal(number(budget_look(&budget)), 5);
    assert_int_equal(number(budget_look(&budget)), 2);
    done(5);
    assert_int_equal(number(budget_look(&budget)), 3);
    assert_int_equal(number(budget_look(&budget)), 2);
    done(2);
    done(3);
    assert_null(budget_look(&budget));
}

static void no_limit(void **state)
{
    (void)state;
    budget.part_bytes = UINT64_MAX;
    for (int i = 0; i < CLAIMS; i++)
        assert_true(reserve(i, 1ull << 40));
    assert_int_equal(budget.taken[BUDGET_BESIDE], 0);
}

static void check_sums(void)
{
    uint64_t promised = 0, allocated = 0, taken[BUDGET_SHARES] = { 0 };
    uint32_t waiting = 0;
    for (int i = 0; i < CLAIMS; i++) {
        promised += claim[i].promised;
        allocated += has[i];
        taken[claim[i].share] += claim[i].promised;
        taken[counted[i]] += has[i];
        waiting += claim[i].needed > 0;
    }
    assert_int_equal(promised, budget.promised_bytes);
    assert_int_equal(allocated, budget_request_bytes(&budget));
    assert_int_equal(waiting, budget.waiting);
    assert_memory_equal(taken, budget.taken, sizeof(taken));
    assert_true(taken[BUDGET_PART] <= PART);
    assert_true(waiting == 0 || taken[BUDGET_BESIDE] > 0);
}

/* Whatever the order: sums agree, the budget is kept but for the other shares, and all end. */
static void at_random(void **state)
{
    (void)state;
    unsigned seed = getenv("SEED") != NULL ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
    int ended = 0;
    printf("seed %u\n", seed);
    srand(seed);
    for (int step = 0; ended < 5000; step++) {
        int i = rand() % CLAIMS;
        struct reservation *it = &claim[i];
        assert_true(step < 10000000);
        if (it->needed > 0 && rand() % 50 == 0) {
            done(i); /* its connection closes */
        } else if (it->needed > 0 && rand() % 50 == 0) {
            let_in(i, it->total + (uint64_t)(rand() % 10));
        } else if (it->needed == 0 && it->promised + has[i] == 0) {
            reserve(i, 1 + (uint64_t)(rand() % (PART * 3 / 2)));
        } else if (it->needed == 0 && it->promised > 0 && rand() % 20 == 0) {
            budget_cancel(&budget, it);
            let_go(i);
        } else if (it->needed == 0 && it->promised > 0) {
            allocate(i);
        } else if (it->needed == 0 && rand() % 4 == 0) {
            reserve(i, has[i] + 1 + (uint64_t)(rand() % PART));
        } else if (it->needed == 0) {
            done(i);
            ended++;
        }
        while (next() >= 0)
            ;
        check_sums();
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
        cmocka_unit_test_setup(what_cannot_be_used_is_given_back, fresh),
        cmocka_unit_test_setup(leaving_the_line, fresh),
        cmocka_unit_test_setup(one_that_is_whole_need_not_wait, fresh),
        cmocka_unit_test_setup(one_that_has_some_of_the_part_leaves_it, fresh),
        cmocka_unit_test_setup(those_that_are_whole_have_a_limit_too, fresh),
        cmocka_unit_test_setup(all_in_line_are_looked_at_in_turn, fresh),
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
