/*
 * test_options.c - what follows from several settings.
 */
#include "shoal/options/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t limit(uint64_t maxmemory, uint64_t clients_bytes, int clients_percent)
{
    static struct settings settings;
    settings.host_memory = 1000000000;
    settings.maxmemory = maxmemory;
    settings.maxmemory_clients = clients_bytes;
    settings.maxmemory_clients_percent = clients_percent;
    return settings_buffers_limit(&settings);
}

static void a_size_is_taken_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(limit(500000000, 1 << 20, 0), 1 << 20);
    assert_int_equal(limit(500000000, 0, 0), 0);
}

static void a_percentage_is_of_maxmemory(void **state)
{
    (void)state;
    assert_int_equal(limit(800000000, 0, 10), 80000000);
    assert_int_equal(limit(500000000, 0, 20), 100000000);
}

static void without_maxmemory_it_is_of_the_host_memory(void **state)
{
    (void)state;
    assert_int_equal(limit(0, 0, 10), 100000000);
}

static void a_small_percentage_leaves_a_minimum(void **state)
{
    (void)state;
    assert_int_equal(limit(100 << 20, 0, 10), SETTINGS_BUFFERS_MIN);
}

static void state_has_a_sixteenth(void **state)
{
    (void)state;
    struct settings settings = { .maxmemory = 3200u << 20, .host_memory = 1 << 20 };
    assert_int_equal(settings_state_limit(&settings), 200 << 20);
    settings.maxmemory = 100 << 20;
    assert_int_equal(settings_state_limit(&settings), SETTINGS_STATE_MIN);
    settings.maxmemory = 0;
    settings.host_memory = 1600u << 20;
    assert_int_equal(settings_state_limit(&settings), 100 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_taken_as_it_is),
        cmocka_unit_test(a_percentage_is_of_maxmemory),
        cmocka_unit_test(without_maxmemory_it_is_of_the_host_memory),
        cmocka_unit_test(a_small_percentage_leaves_a_minimum),
        cmocka_unit_test(state_has_a_sixteenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
