/*
 * test_purge_jemalloc.c - freed pages go back by pieces, with rests between them.
 */
#include "shoal/base/clock.h"
#include "shoal/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { RETURNED_BLOCKS = 4096, RETURNED_BLOCK_BYTES = 16 * 1024, RETURN_SECONDS = 120 };

static size_t resident_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* In place of the clock and the sleep of the allocator's threads: a piece takes half of what they
 * may do before they rest nine times as long. */
enum { PIECE_BYTES = 256 * 1024, PIECE_NS = 100 * 1000, REST_NS = 9 * 2 * PIECE_NS };
static _Atomic unsigned rests, wrong_rests;

uint64_t __wrap_clock_thread_cpu_ns(void);
uint64_t __wrap_clock_thread_cpu_ns(void)
{
    static __thread uint64_t own_ns;
    return own_ns += PIECE_NS;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left_unused)
{
    (void)left_unused;
    atomic_fetch_add(&rests, 1);
    atomic_fetch_add(&wrong_rests, wanted->tv_sec != 0 || wanted->tv_nsec != REST_NS);
    return 0;
}

static void fill(struct arena *arena, char *block[RETURNED_BLOCKS])
{
    for (int i = 0; i < RETURNED_BLOCKS; i++) {
        block[i] = arena_alloc(arena, RETURNED_BLOCK_BYTES);
        memset(block[i], 1, RETURNED_BLOCK_BYTES);
    }
}

static void empty(struct arena *arena, char *block[RETURNED_BLOCKS])
{
    for (int i = 0; i < RETURNED_BLOCKS; i++)
        arena_free(arena, block[i], RETURNED_BLOCK_BYTES);
}
/* 64 MB: at once when somebody asks for it, by itself in pieces with rests between them. */
static void pages_return_a_little_at_a_time(void **state)
{
    (void)state;
    enum {
        RETURNED_BYTES = RETURNED_BLOCKS * RETURNED_BLOCK_BYTES,
        WANTED = RETURNED_BYTES / 4 * 3
    };
    static char *block[RETURNED_BLOCKS];
    struct arena *arena = arena_new();

    fill(arena, block);
    size_t full = resident_bytes();
    empty(arena, block);
    mem_purge();
    assert_true(resident_bytes() + WANTED < full);
    assert_int_equal(rests, 0);

    mem_return_in_background();
    fill(arena, block);
    full = resident_bytes();
    empty(arena, block);
    for (int i = 0; i < RETURN_SECONDS * 100 && resident_bytes() + WANTED > full; i++)
        usleep(10 * 1000);
    assert_true(resident_bytes() + WANTED <= full);
    print_message("%u rests\n", atomic_load(&rests));
    assert_true(atomic_load(&rests) >= WANTED / PIECE_BYTES / 2);
    assert_int_equal(atomic_load(&wrong_rests), 0);
    arena_free_all(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_return_a_little_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
