/*
 * test_mem.c - arenas that hand out what was asked, whichever the allocator.
 */
#include "shoal/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void a_class_index_stands_for_its_size(void **state)
{
    (void)state;
    unsigned before = 0;
    for (size_t size = 1; size <= (size_t)1 << 26; size += 1 + size / 100) {
        unsigned index = mem_class_index(size);
        assert_true(mem_class_at(index) >= size);
        assert_true(index == 0 || mem_class_at(index - 1) < size);
        assert_true(index >= before && index < 256);
        before = index;
    }
}

static void memory_is_aligned_and_writable(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    static const size_t sizes[] = { 1, 8, 9, 64, 100, 4096, 16384, 100000, 1 << 21 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        void *plain = arena_alloc(arena, sizes[i]);
        void *line = arena_alloc_aligned(arena, sizes[i], 64);
        assert_int_equal((uintptr_t)plain % (sizes[i] < 16 ? 8 : 16), 0);
        assert_int_equal((uintptr_t)line % 64, 0);
        memset(plain, 1, sizes[i]);
        memset(line, 2, sizes[i]);
        arena_free(arena, plain, sizes[i]);
        arena_free_aligned(arena, line, sizes[i], 64);
    }
    arena_free(arena, NULL, 10);
    arena_free_all(&arena);
    assert_null(arena);
}

static void *fill_and_free(void *argument)
{
    struct arena *arena = argument;
    bool good = true;
    char *block[500];
    for (int i = 0; i < 500; i++) {
        block[i] = arena_alloc(arena, (size_t)i + 1);
        good = good && block[i] != NULL;
        memset(block[i], i, (size_t)i + 1);
    }
    for (int i = 0; i < 500; i++) {
        good = good && block[i][i] == (char)i;
        arena_free(arena, block[i], (size_t)i + 1);
    }
    return good ? argument : NULL;
}

static void an_arena_made_at_startup_serves_its_thread(void **state)
{
    (void)state;
    struct arena *arena[2] = { arena_new(), arena_new() };
    pthread_t thread[2];
    void *result[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, fill_and_free, arena[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], &result[i]);
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(result[i], arena[i]);
        arena_free_all(&arena[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_index_stands_for_its_size),
        cmocka_unit_test(memory_is_aligned_and_writable),
        cmocka_unit_test(an_arena_made_at_startup_serves_its_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
