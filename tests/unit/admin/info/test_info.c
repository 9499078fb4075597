/*
 * test_info.c - which sections INFO has, in which order, and that it shows every counter there is.
 */
#include "support/admin_harness.h"

/* The sections' titles in the last reply. */
static const char *titles(const struct admin_harness *h)
{
    static char text[256];
    size_t size = 0;
    for (const char *at = strstr(h->text, "# "); at != NULL; at = strstr(at + 2, "\n# ")) {
        at += *at == '\n';
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%.*s", size > 0 ? " " : "",
                                 (int)strcspn(at + 2, "\n"), at + 2);
    }
    return text;
}

static void sections_are_those_asked_for(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info");
    assert_string_equal(titles(h), "Server Clients Memory Persistence Stats Replication CPU "
                                   "Modules Errorstats Cluster Keyspace Shoal");
    admin_run(h, "info default");
    assert_string_equal(titles(h), "Server Clients Memory Persistence Stats Replication CPU "
                                   "Modules Errorstats Cluster Keyspace Shoal");
    admin_run(h, "info everything");
    assert_string_equal(titles(h),
                        "Server Clients Memory Persistence Stats Replication CPU Modules "
                        "Commandstats Errorstats Latencystats Cluster Keyspace Shoal Shards");
    admin_run(h, "info all");
    assert_null(strstr(titles(h), "Shards"));
    assert_non_null(strstr(titles(h), "Latencystats"));
    admin_run(h, "info KEYSPACE cpu");
    assert_string_equal(titles(h), "CPU Keyspace");
    assert_string_equal(admin_run(h, "info nosuch"), "$0\n\n");
}

static void every_counter_is_in_its_section_once(void **state)
{
    struct admin_harness *h = *state;
    admin_run(h, "info everything");
    for (uint32_t i = 0; i < counters_count(); i++) {
        char line[128], title[32];
        const struct counter_row *row = counters_at(i);
        snprintf(line, sizeof(line), "\n%s:", row->name);
        snprintf(title, sizeof(title), "# %s\n", row->section);
        const char *at = strstr(h->text, line), *section = strstr(h->text, title);
        if (at == NULL || section == NULL || section > at)
            fail_msg("%s is not in section %s", row->name, row->section);
        assert_null(strstr(at + 1, line));
        const char *next = strstr(section + 1, "\n# ");
        assert_true(next == NULL || at < next);
    }
}

static void counters_of_all_reactors_are_added(void **state)
{
    struct admin_harness *h = *state;
    counter_add(&admin_reactor(h, 0)->stats->commands, 40);
    counter_add(&admin_reactor(h, 1)->stats->commands, 2);
    admin_reactor(h, 0)->keyspace->_hits = 3;
    admin_reactor(h, 1)->keyspace->_hits = 4;
    h->ring[0].overflows = 5;
    h->ring[1].overflows = 6;
    admin_run(h, "info");
    admin_assert_line(h, "total_commands_processed:42");
    admin_assert_line(h, "keyspace_hits:7"); /* each reactor has published for this */
    admin_assert_line(h, "ring_overflows:11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sections_are_those_asked_for, admin_setup, admin_teardown),
        cmocka_unit_test_setup_teardown(every_counter_is_in_its_section_once, admin_setup,
                                        admin_teardown),
        cmocka_unit_test_setup_teardown(counters_of_all_reactors_are_added, admin_setup,
                                        admin_teardown),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
