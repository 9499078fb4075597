/*
 * test_server.c - INFO's sections Server and Clients.
 */
#include "support/admin_harness.h"

#include <unistd.h>

static void the_process_is_described(void **state)
{
    struct admin_harness *h = *state;
    char line[128];
    admin_settings(h)->port = 6399;
    admin_settings(h)->hz = 25;
    strcpy(admin_settings(h)->config_file, "/etc/shoal.conf");
    admin_run(h, "info server");
    snprintf(line, sizeof(line), "process_id:%d", (int)getpid());
    admin_assert_line(h, line);
    snprintf(line, sizeof(line), "run_id:%s", h->server->run_id);
    admin_assert_line(h, line);
    admin_assert_line(h, "server_name:shoal");
    admin_assert_line(h, "shoal_version:" SHOAL_VERSION);
    admin_assert_line(h, "multiplexing_api:stand-in");
    admin_assert_line(h, "tcp_port:6399");
    admin_assert_line(h, "hz:25");
    admin_assert_line(h, "config_file:/etc/shoal.conf");
}

static void uptime_counts_from_the_start(void **state)
{
    struct admin_harness *h = *state;
    enum { DAY_S = 24 * 60 * 60 };
    h->server->started_mono_ns = clock_mono_ns() - (3ull * DAY_S + 7) * 1000000000;
    admin_run(h, "info server");
    assert_true(admin_number(h, "uptime_in_seconds") - (3 * DAY_S + 7) < 60);
    assert_true(admin_number(h, "uptime_in_seconds") >= 3 * DAY_S + 7);
    admin_assert_line(h, "uptime_in_days:3");
}

static void clients_are_added_up_and_limited(void **state)
{
    struct admin_harness *h = *state;
    counter_set(&admin_reactor(h, 0)->stats->clients, 5);
    counter_set(&admin_reactor(h, 1)->stats->clients, 6);
    admin_settings(h)->maxclients = 100;
    counter_set(&h->server->clients_max, 1000);
    admin_run(h, "info clients");
    admin_assert_line(h, "connected_clients:11");
    admin_assert_line(h, "maxclients:100");
    counter_set(&h->server->clients_max, 60); /* there are descriptors for so many */
    admin_run(h, "info clients");
    admin_assert_line(h, "maxclients:60");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_process_is_described, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(uptime_counts_from_the_start, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(clients_are_added_up_and_limited, admin_setup,
                                        admin_teardown),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
