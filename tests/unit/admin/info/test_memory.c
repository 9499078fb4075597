/*
 * test_memory.c - INFO's section Memory, and the figures that MEMORY shares with it.
 */
#include "support/admin_harness.h"

#include "shoal/admin/info/memory.h"

/* A key of `size` bytes, by the harness's own keyspace. */
static void add_key(struct keyspace *keyspace, const char *name, size_t size)
{
    char *value = calloc(1, size);
    struct key key = { .name = bytes_str(name), .hash = hash_key(bytes_str(name)) };
    assert_true(keyspace_set(keyspace, key, bytes_of(value, size), 0));
    free(value);
}

static void used_is_the_sum_of_its_parts(void **state)
{
    struct admin_harness *h = *state;
    struct memory_figures before, after;
    h->server->startup_bytes = 1000;
    admin_run(h, "info memory");
    memory_figures_read(admin_reactor(h, 0), &before);
    add_key(admin_reactor(h, 1)->keyspace, "k", 100000);
    admin_run(h, "info memory");
    memory_figures_read(admin_reactor(h, 0), &after);
    assert_int_equal(after.keys, before.keys + 1);
    assert_true(after.data >= before.data + 100000);
    assert_true(after.data < before.data + 200000);
    assert_int_equal(after.used, 1000 + after.data + after.buffers);
    assert_true(admin_number(h, "used_memory") == (double)after.used);
    assert_true(admin_number(h, "used_memory_dataset") == (double)after.data);
    admin_assert_line(h, "used_memory_startup:1000");
    assert_true(admin_number(h, "used_memory_rss") > 100000);
}

static void the_peak_stays(void **state)
{
    struct admin_harness *h = *state;
    counter_set(&admin_reactor(h, 1)->stats->used_peak, 3ull << 30);
    admin_run(h, "info memory");
    admin_assert_line(h, "used_memory_peak:3221225472");
    admin_assert_line(h, "used_memory_peak_human:3.00G");
    struct reactor_stats *stats = admin_reactor(h, 0)->stats;
    memory_note_peak(stats, 4ull << 30);
    memory_note_peak(stats, 1);
    admin_run(h, "info memory");
    admin_assert_line(h, "used_memory_peak:4294967296");
}

static void bytes_have_units(void **state)
{
    struct admin_harness *h = *state;
    admin_settings(h)->maxmemory = 1023;
    admin_run(h, "info memory");
    admin_assert_line(h, "maxmemory:1023");
    admin_assert_line(h, "maxmemory_human:1023B");
    admin_settings(h)->maxmemory = 1536;
    admin_run(h, "info memory");
    admin_assert_line(h, "maxmemory_human:1.50K");
}

static void defragmentation_shows_its_share_where_it_runs(void **state)
{
    struct admin_harness *h = *state;
    admin_settings(h)->defrag_cycle_max = 17;
    admin_run(h, "info memory");
    admin_assert_line(h, "active_defrag_running:0");
    admin_reactor(h, 1)->keyspace->defrag.running = true;
    admin_run(h, "info memory");
    admin_assert_line(h, "active_defrag_running:17");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(used_is_the_sum_of_its_parts, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(the_peak_stays, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(bytes_have_units, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(defragmentation_shows_its_share_where_it_runs, admin_setup,
                                        admin_teardown),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
