/*
 * test_commandstats.c - INFO's sections Commandstats, Errorstats and Latencystats, over all
 * reactors.
 */
#include "support/admin_harness.h"

#include "shoal/admin/info/commandstats.h"

static const struct command *command(const char *name)
{
    return registry_find(bytes_str(name));
}

static uint64_t ticks_of_us(uint64_t us)
{
    return clock_ns_to_ticks(us * 1000);
}

static void calls_and_times_are_added(void **state)
{
    struct admin_harness *h = *state;
    struct command_figures figures;
    struct reactor_stats *first = admin_reactor(h, 0)->stats, *second = admin_reactor(h, 1)->stats;
    stats_commands(first, command("get"), 3, ticks_of_us(10));
    stats_commands(second, command("get"), 1, ticks_of_us(50));
    counter_add(&second->command[command("get")->id].failed, 2);
    counter_add(&first->command[command("set")->id].rejected, 1);
    command_figures_read(admin_reactor(h, 0), command("get")->id, &figures);
    assert_int_equal(figures.calls, 4);
    assert_int_equal(figures.failed, 2);
    assert_in_range(figures.us, 79, 80); /* ticks are whole */
    admin_run(h, "info commandstats");
    assert_non_null(strstr(h->text, "\ncmdstat_get:calls=4,usec="));
    assert_non_null(strstr(h->text, ",rejected_calls=0,failed_calls=2\n"));
    admin_assert_line(
        h, "cmdstat_set:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0");
    assert_null(strstr(h->text, "cmdstat_del"));
}

static void sub_commands_have_lines_of_their_own(void **state)
{
    struct admin_harness *h = *state;
    const struct command *sub = registry_find_sub(command("config"), bytes_str("get"));
    stats_commands(admin_reactor(h, 0)->stats, sub, 1, 0);
    admin_run(h, "info commandstats");
    assert_non_null(strstr(h->text, "\ncmdstat_config|get:calls=1,"));
    assert_null(strstr(h->text, "\ncmdstat_config:"));
}

static void errors_are_added_by_name(void **state)
{
    struct admin_harness *h = *state;
    struct reactor_stats *first = admin_reactor(h, 0)->stats, *second = admin_reactor(h, 1)->stats;
    stats_error(first, "ERR");
    stats_error(second, "WRONGTYPE"); /* the two have their names in another order */
    stats_error(second, "ERR");
    stats_error(second, "ERR");
    stats_error(second, "OOM");
    counter_set(&second->errors[2].count, 0);
    admin_run(h, "info errorstats");
    admin_assert_line(h, "errorstat_ERR:count=3");
    admin_assert_line(h, "errorstat_WRONGTYPE:count=1");
    assert_null(strstr(h->text, "OOM"));
}

static void percentiles_are_those_of_the_settings(void **state)
{
    struct admin_harness *h = *state;
    struct settings *settings = admin_settings(h);
    settings->latency_tracking = true;
    settings->latency_percentile_count = 2;
    settings->latency_percentiles[0] = 50;
    settings->latency_percentiles[1] = 99.9;
    stats_commands(admin_reactor(h, 0)->stats, command("get"), 99, ticks_of_us(10));
    stats_commands(admin_reactor(h, 1)->stats, command("get"), 1, ticks_of_us(5000));
    admin_run(h, "info latencystats");
    double half, most;
    const char *line = strstr(h->text, "\nlatency_percentiles_usec_get:");
    assert_non_null(line);
    assert_int_equal(
        sscanf(line, "\nlatency_percentiles_usec_get:p50=%lf,p99.9=%lf\n", &half, &most), 2);
    assert_true(half >= 10 && half <= 15); /* a bucket's end is at most half too high */
    assert_true(most >= 5000 && most <= 7500);
    assert_null(strstr(h->text, "usec_set"));
    settings->latency_tracking = false;
    assert_null(strstr(admin_run(h, "info latencystats"), "usec_get"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_and_times_are_added, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(sub_commands_have_lines_of_their_own, admin_setup,
                                        admin_teardown),
        cmocka_unit_test_setup_teardown(errors_are_added_by_name, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(percentiles_are_those_of_the_settings, admin_setup,
                                        admin_teardown),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
