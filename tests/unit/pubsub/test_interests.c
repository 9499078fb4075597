/*
 * test_interests.c - counts of channels by reactor, against an array; patterns by name.
 */
#include "shoal/pubsub/interests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { REACTORS = 5, HASHES = 400 };

static struct interests interests;
static uint32_t count[HASHES][REACTORS];
static bool memory_is_out;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return memory_is_out ? NULL : __real_calloc(n, size);
}

/* Many in few places: probing has to pass others. */
static uint64_t hash_of(uint32_t n)
{
    return (uint64_t)n << 32 | n % 7;
}

static void check(void)
{
    uint32_t distinct = 0;
    for (uint32_t n = 0; n < HASHES; n++) {
        uint32_t at = 0, seen[REACTORS] = { 0 };
        bool any = false;
        for (const struct interest *it; (it = interests_next(&interests, hash_of(n), &at)) != NULL;)
            seen[it->reactor] += it->count;
        for (int r = 0; r < REACTORS; r++) {
            assert_int_equal(seen[r], count[n][r]);
            any |= count[n][r] > 0;
        }
        distinct += any;
    }
    assert_int_equal(interests.distinct[TOPIC_CHANNEL], distinct);
}

static void change(uint32_t n, uint32_t reactor, bool more)
{
    if (more) {
        assert_true(interests_add(&interests, TOPIC_CHANNEL, hash_of(n), bytes_of("", 0), reactor));
        count[n][reactor]++;
    } else if (count[n][reactor] > 0) {
        interests_remove(&interests, TOPIC_CHANNEL, hash_of(n), reactor);
        count[n][reactor]--;
    }
}

static void counts_go_up_and_down(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    interests_init(&interests, REACTORS);
    for (int phase = 0; phase < 4; phase++) {
        for (int i = 0; i < 5000; i++)
            change((uint32_t)rand() % HASHES, (uint32_t)rand() % REACTORS,
                   rand() % 10 < (phase % 2 == 0 ? 7 : 2));
        check();
    }
    for (uint32_t n = 0; n < HASHES; n++)
        for (uint32_t r = 0; r < REACTORS; r++)
            while (count[n][r] > 0)
                change(n, r, false);
    check();
    assert_int_equal(interests.used, 0);
    assert_true(interests.size <= 16);
    interests_fini(&interests);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    interests_init(&interests, REACTORS);
    memory_is_out = true;
    assert_false(interests_add(&interests, TOPIC_CHANNEL, 1, bytes_of("", 0), 0));
    assert_false(interests_add(&interests, TOPIC_PATTERN, 1, bytes_str("a*"), 0));
    memory_is_out = false;
    for (uint32_t n = 0; n < 12; n++)
        change(n, 0, true);
    memory_is_out = true;
    assert_false(interests_add(&interests, TOPIC_CHANNEL, hash_of(12), bytes_of("", 0), 0));
    check();
    memory_is_out = false;
    for (uint32_t n = 0; n < 12; n++)
        change(n, 0, false);
    interests_fini(&interests);
}

static void patterns_keep_their_names(void **state)
{
    (void)state;
    interests_init(&interests, REACTORS);
    assert_true(interests_add(&interests, TOPIC_PATTERN, 1, bytes_str("a*"), 0));
    assert_true(interests_add(&interests, TOPIC_PATTERN, 2, bytes_str("b?"), 1));
    assert_true(interests_add(&interests, TOPIC_PATTERN, 1, bytes_str("a*"), 3));
    assert_int_equal(interests.distinct[TOPIC_PATTERN], 2);
    const struct known_pattern *it = interests.patterns;
    assert_true(bytes_equal(known_pattern_name(&interests, it), bytes_str("a*")));
    assert_int_equal(it->total, 2);
    assert_int_equal(it->count[3], 1);
    assert_true(bytes_equal(known_pattern_name(&interests, it->next), bytes_str("b?")));
    interests_remove(&interests, TOPIC_PATTERN, 1, 0);
    assert_int_equal(interests.distinct[TOPIC_PATTERN], 2);
    interests_remove(&interests, TOPIC_PATTERN, 1, 3);
    assert_int_equal(interests.distinct[TOPIC_PATTERN], 1);
    assert_true(interests_bytes(&interests) > 0);
    interests_fini(&interests); /* and what is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_go_up_and_down),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(patterns_keep_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
