/*
 * test_directory.c - buckets keep their places while the directory grows and shrinks; without memory
 * nothing changes.
 */
#include "shoal/base/random.h"
#include "shoal/store/table/directory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "support/seed.h"

enum { BUCKETS = 200 * 1000 };

static struct arena *arena;
static struct directory directory;
static uint64_t bytes;
static bool out_of_memory;

void *__real_arena_alloc_aligned(struct arena *of, size_t size, size_t align);
void *__wrap_arena_alloc_aligned(struct arena *of, size_t size, size_t align);
void *__wrap_arena_alloc_aligned(struct arena *of, size_t size, size_t align)
{
    return out_of_memory ? NULL : __real_arena_alloc_aligned(of, size, align);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    directory = (struct directory){ 0 };
    bytes = 0;
    out_of_memory = false;
    return !directory_open(&directory, arena, &bytes);
}

static int tear_down(void **state)
{
    (void)state;
    directory_close(&directory, arena, &bytes);
    arena_free_all(&arena);
    return bytes != 0;
}

static void push_until(uint64_t count)
{
    while (directory.count < count) {
        struct bucket *bucket = directory_push(&directory, arena, &bytes);
        assert_ptr_equal(bucket, directory_at(&directory, directory.count - 1));
    }
}

static bool is_clear(const struct bucket *bucket)
{
    static const struct bucket clear;
    return memcmp(bucket, &clear, sizeof(clear)) == 0;
}

static void the_first_page_is_there_and_clear(void **state)
{
    (void)state;
    assert_int_equal(directory.count, BUCKETS_MIN);
    assert_int_equal(bytes, directory_bytes(&directory));
    for (uint64_t i = 0; i < directory.count; i++)
        assert_true(is_clear(directory_at(&directory, i)));
}

static void buckets_stay_where_they_are(void **state)
{
    (void)state;
    push_until(BUCKETS);
    assert_int_equal(bytes, directory_bytes(&directory));
    for (uint64_t i = 0; i < BUCKETS; i++) {
        struct bucket *bucket = directory_at(&directory, i);
        assert_int_equal((uintptr_t)bucket % sizeof(*bucket), 0);
        bucket->slot[0] = i; /* no two are one */
    }
    for (uint64_t i = 0; i < BUCKETS; i++)
        assert_int_equal(directory_at(&directory, i)->slot[0], i);
    while (directory.count > BUCKETS_MIN) {
        assert_int_equal(directory_at(&directory, directory.count - 1)->slot[0],
                         directory.count - 1);
        directory_pop(&directory, arena, &bytes);
    }
    assert_int_equal(bytes, directory_bytes(&directory));
}

static void a_bucket_that_comes_back_is_clear(void **state)
{
    (void)state;
    push_until(100);
    memset(directory_at(&directory, 99), 0xff, sizeof(struct bucket));
    directory_pop(&directory, arena, &bytes);
    assert_true(is_clear(directory_push(&directory, arena, &bytes)));
}

/* Until its bucket is split at a level, a hash is found under one bit less. */
static void check_level(struct random *random)
{
    uint64_t half = directory_half(&directory), split = directory_split(&directory);
    assert_true(half <= directory.count && directory.count < 2 * half);
    assert_int_equal(half + split, directory.count);
    for (int i = 0; i < 100; i++) {
        uint64_t hash = random_next(random);
        uint64_t index = hash % half < split ? hash % (2 * half) : hash % half;
        assert_int_equal(directory_index(&directory, hash), index);
    }
}

static void a_hash_is_found_under_the_bits_of_its_level(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, test_seed());
    for (uint64_t count = BUCKETS_MIN; count < 1000; count++) {
        push_until(count);
        check_level(&random);
    }
    while (directory.count > BUCKETS_MIN) {
        directory_pop(&directory, arena, &bytes);
        check_level(&random);
    }
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    out_of_memory = true;
    struct directory before = directory;
    uint64_t bytes_before = bytes;
    assert_null(directory_push(&directory, arena, &bytes));
    assert_memory_equal(&directory, &before, sizeof(before));
    assert_int_equal(bytes, bytes_before);
    out_of_memory = false;
    assert_non_null(directory_push(&directory, arena, &bytes));
    out_of_memory = true; /* the chunk is there */
    assert_non_null(directory_push(&directory, arena, &bytes));
}

static void one_that_does_not_open_leaves_nothing(void **state)
{
    (void)state;
    struct directory other = { 0 };
    uint64_t other_bytes = 0;
    out_of_memory = true; /* for the first chunk, and not for the list of chunks */
    assert_false(directory_open(&other, arena, &other_bytes));
    assert_int_equal(other_bytes, 0);
    assert_int_equal(directory_bytes(&other), 0);
    out_of_memory = false;
    assert_true(directory_open(&other, arena, &other_bytes));
    directory_close(&other, arena, &other_bytes);
    assert_int_equal(other_bytes, 0);
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPENED(the_first_page_is_there_and_clear),
        OPENED(buckets_stay_where_they_are),
        OPENED(a_bucket_that_comes_back_is_clear),
        OPENED(a_hash_is_found_under_the_bits_of_its_level),
        OPENED(without_memory_nothing_changes),
        OPENED(one_that_does_not_open_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
