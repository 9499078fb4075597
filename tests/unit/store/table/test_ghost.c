/*
 * test_ghost.c - a ghost is found once, by its own hash, for one turnover, and follows its bucket.
 */
#include "shoal/store/table/ghost.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ITEMS = 256 * 10 }; /* ten ghosts an epoch, 257 epochs a turnover */

static struct bucket head;
static struct ghost_book book;

static int set_up(void **state)
{
    (void)state;
    bucket_clear(&head);
    book = (struct ghost_book){ 0 };
    return 0;
}

static uint64_t hash_at(uint64_t i)
{
    return (i + 1) << 20;
}

static void evict_others(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ghost_of(&book, hash_at(1000 + i), ITEMS);
}

static void a_ghost_is_found_once(void **state)
{
    (void)state;
    head.slot[4] = ghost_of(&book, hash_at(1), ITEMS);
    assert_true(word_is_ghost(head.slot[4]));
    assert_int_equal(ghost_hash(head.slot[4]), hash_at(1));
    assert_false(ghost_recall(&book, &head, hash_at(2)));
    assert_true(ghost_recall(&book, &head, hash_at(1)));
    assert_int_equal(head.slot[4], 0);
    assert_false(ghost_recall(&book, &head, hash_at(1)));
    assert_int_equal(book.hits, 1);
}

static void after_a_turnover_it_is_too_late(void **state)
{
    (void)state;
    head.slot[0] = ghost_of(&book, hash_at(1), ITEMS);
    evict_others(ITEMS);
    head.slot[1] = ghost_of(&book, hash_at(2), ITEMS);
    evict_others(20);
    assert_false(ghost_recall(&book, &head, hash_at(1)));
    assert_int_equal(head.slot[0], 0);
    assert_int_equal(book.hits, 0);
    assert_true(ghost_recall(&book, &head, hash_at(2)));
    assert_int_equal(book.hits, 1);
}

static void hits_are_counted_by_the_half_of_the_turnover(void **state)
{
    (void)state;
    head.slot[0] = ghost_of(&book, hash_at(1), ITEMS);
    head.slot[1] = ghost_of(&book, hash_at(2), ITEMS);
    evict_others(ITEMS / 4);
    assert_true(ghost_recall(&book, &head, hash_at(1)));
    assert_true(book.would_hit[0] == 1 && book.would_hit[1] == 0);
    evict_others(ITEMS / 2);
    assert_true(ghost_recall(&book, &head, hash_at(2)));
    assert_true(book.would_hit[0] == 1 && book.would_hit[1] == 1);
}

/* Epochs come round after 2^15. */
static void the_older_of_two_is_known_across_the_end_of_the_epochs(void **state)
{
    (void)state;
    static const uint32_t at[] = { 0, 5, 32000, 32767 };
    for (unsigned i = 0; i < 4; i++) {
        uint64_t old = ghost_word(hash_at(9), at[i]), young = ghost_word(hash_at(3), at[i] + 100);
        assert_true(ghost_is_older(old, young));
        assert_false(ghost_is_older(young, old));
        assert_false(ghost_is_older(old, old));
    }
}

static void a_split_takes_along_what_belongs_to_the_new_bucket(void **state)
{
    (void)state;
    const uint64_t half = 1 << 12, stays = 5 << 13, goes = 6 << 13 | half;
    struct bucket high;
    bucket_clear(&high);
    head.slot[0] = ghost_of(&book, stays, ITEMS);
    head.slot[1] = ghost_of(&book, goes, ITEMS);
    ghost_split(&head, &high, half);
    assert_true(ghost_recall(&book, &head, stays));
    assert_false(ghost_recall(&book, &head, goes));
    assert_true(ghost_recall(&book, &high, goes));
}

/* Half of the ghosts are overwritten: each hit that is seen stands for two. */
static void hits_are_weighted_by_the_census(void **state)
{
    (void)state;
    struct bucket seen;
    bucket_clear(&seen);
    evict_others(3 * ITEMS);
    seen.tag[0] = seen.tag[1] = seen.tag[2] = seen.tag[3] = 9;
    seen.slot[4] = ghost_of(&book, hash_at(1), ITEMS);
    for (int i = 0; i < 1000; i++)
        ghost_census(&book, &seen);
    assert_true(ghost_recall(&book, &seen, hash_at(1)));
    assert_true(book.would_hit[0] > 1.9 && book.would_hit[0] < 2.1);
}

#define WITH_BUCKET(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BUCKET(a_ghost_is_found_once),
        WITH_BUCKET(after_a_turnover_it_is_too_late),
        WITH_BUCKET(hits_are_counted_by_the_half_of_the_turnover),
        WITH_BUCKET(the_older_of_two_is_known_across_the_end_of_the_epochs),
        WITH_BUCKET(a_split_takes_along_what_belongs_to_the_new_bucket),
        WITH_BUCKET(hits_are_weighted_by_the_census),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
