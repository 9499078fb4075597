/*
 * test_clock.c - server time against the wall clock, with clocks that the test sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "shoal/base/clock.h"

static int64_t fake_wall_ns, fake_boot_ns;

/* In place of the C library's, for the whole program. Other clocks are the kernel's own. */
int clock_gettime(clockid_t id, struct timespec *time)
{
    if (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME)
        return (int)syscall(SYS_clock_gettime, id, time);
    int64_t ns = id == CLOCK_REALTIME ? fake_wall_ns : fake_boot_ns;
    time->tv_sec = ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
    return 0;
}

enum { START_S = 1000000, HOUR_MS = 3600 * 1000 };

static int setup(void **state)
{
    (void)state;
    fake_wall_ns = (int64_t)START_S * 1000000000;
    fake_boot_ns = 77000000000;
    clock_init();
    return 0;
}

static void advance(int64_t ms)
{
    fake_wall_ns += ms * 1000000;
    fake_boot_ns += ms * 1000000;
}

static void begins_at_the_wall_clock(void **state)
{
    (void)state;
    assert_int_equal(clock_now_ms(), START_S * 1000LL);
    advance(1234);
    assert_int_equal(clock_now_ms(), START_S * 1000LL + 1234);
    assert_int_equal(clock_wall_us(), (START_S * 1000LL + 1234) * 1000);
    assert_int_equal(clock_from_wall(5000), 5000);
    assert_int_equal(clock_to_wall(5000), 5000);
}

/* The clocks' milliseconds need not begin together: what a client has just read is never ahead. */
static void is_not_behind_the_wall_clock(void **state)
{
    (void)state;
    fake_wall_ns += 100000; /* .1 ms into its millisecond; the other one .9 ms into its own */
    fake_boot_ns += 900000;
    clock_init();
    for (int i = 0; i < 30; i++) {
        assert_int_equal(clock_now_ms(), fake_wall_ns / 1000000);
        fake_wall_ns += 100000;
        fake_boot_ns += 100000;
    }
}

static void a_step_moves_absolute_times_only(void **state)
{
    (void)state;
    fake_wall_ns += (int64_t)HOUR_MS * 1000000;
    assert_int_equal(clock_now_ms(), START_S * 1000LL);
    int64_t wall = START_S * 1000LL + HOUR_MS;
    assert_int_equal(clock_from_wall(wall), clock_now_ms());
    assert_int_equal(clock_to_wall(clock_now_ms()), wall);
    fake_wall_ns -= 2 * (int64_t)HOUR_MS * 1000000;
    assert_int_equal(clock_to_wall(clock_now_ms()), wall - 2 * HOUR_MS);
}

/* Small differences are slewing: following them would change the answer to the same question. */
static void ignores_less_than_a_second(void **state)
{
    (void)state;
    fake_wall_ns += 1000LL * 1000000;
    assert_int_equal(clock_to_wall(5000), 5000);
    fake_wall_ns += 1000000;
    assert_int_equal(clock_to_wall(5000), 6001);
}

static void saturates(void **state)
{
    (void)state;
    fake_wall_ns += (int64_t)HOUR_MS * 1000000;
    assert_true(clock_from_wall(INT64_MIN + 5) == INT64_MIN);
    assert_true(clock_to_wall(INT64_MAX - 5) == INT64_MAX);
    assert_true(clock_from_wall(INT64_MAX) == INT64_MAX);
    assert_true(clock_to_wall(clock_from_wall(INT64_MAX)) == INT64_MAX);
    assert_true(clock_to_wall(clock_from_wall(INT64_MAX - 1)) == INT64_MAX - 1);
}

/* The true time lies between the reads around each tick, whenever this thread was interrupted. */
static void converts_ticks(void **state)
{
    enum { WAIT_NS = 5000000 };
    (void)state;
    uint64_t before = clock_mono_ns(), first = clock_ticks(), after = clock_mono_ns();
    uint64_t now = after;
    while (now - after < WAIT_NS)
        now = clock_mono_ns();
    uint64_t ns = clock_ticks_to_ns(clock_ticks() - first), end = clock_mono_ns();
    assert_in_range(ns, (now - after) * 99 / 100, (end - before) * 101 / 100);
    assert_int_equal(clock_ticks_to_ns(0), 0);
    assert_true(clock_ticks_to_ns((uint64_t)1 << 62) > (uint64_t)1 << 59);
}

/* ---- another source ------------------------------------------------------ */

/* Each read takes a nanosecond; the clocks are a day apart. */
struct made_up {
    struct clock clock;
    int64_t now_ns;
};

static int64_t made_up_ns(struct clock *clock, clockid_t id)
{
    struct made_up *made_up = (struct made_up *)clock;
    return ++made_up->now_ns + id * 24 * (int64_t)HOUR_MS * 1000000;
}

static void another_source_makes_all_time(void **state)
{
    (void)state;
    struct made_up made_up = { { made_up_ns }, 5000000 };
    int64_t days_ms = CLOCK_MONOTONIC * 24 * (int64_t)HOUR_MS;
    clock_use(&made_up.clock);
    clock_init();
    assert_int_equal(clock_now_ms(), 5);
    assert_int_equal(clock_wall_us(), 5000);
    int64_t before_ns = made_up.now_ns;
    assert_int_equal(clock_mono_ns(), days_ms * 1000000 + before_ns + 1);
    assert_int_equal(clock_ticks(), days_ms * 1000000 + before_ns + 2);
    assert_true(clock_thread_cpu_ns() > clock_mono_ns());
    assert_int_equal(clock_ticks_to_ns(12345), 12345);
    assert_int_equal(clock_ns_to_ticks(12345), 12345);
    made_up.now_ns += 77 * 1000000;
    assert_int_equal(clock_now_ms(), 82);
    clock_use(NULL);
    clock_init();
    assert_int_equal(clock_now_ms(), START_S * 1000LL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(begins_at_the_wall_clock, setup),
        cmocka_unit_test_setup(is_not_behind_the_wall_clock, setup),
        cmocka_unit_test_setup(a_step_moves_absolute_times_only, setup),
        cmocka_unit_test_setup(ignores_less_than_a_second, setup),
        cmocka_unit_test_setup(saturates, setup),
        cmocka_unit_test_setup(converts_ticks, setup),
        cmocka_unit_test_setup(another_source_makes_all_time, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
