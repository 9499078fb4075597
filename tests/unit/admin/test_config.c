/*
 * test_config.c - CONFIG: options read and changed on all reactors, and the counters that RESETSTAT
 * sets to zero.
 */
#include "support/admin_harness.h"

static void get_answers_names_and_values(void **state)
{
    struct admin_harness *h = *state;
    admin_settings(h)->timeout_s = 33;
    assert_string_equal(admin_run(h, "config get timeout"), "*2\n$7\ntimeout\n$2\n33\n");
    assert_string_equal(admin_run(h, "config get nosuch"), "*0\n");
    /* an option that two patterns match comes once */
    assert_string_equal(admin_run(h, "config get timeou* TIMEOUT"), "*2\n$7\ntimeout\n$2\n33\n");
}

static void set_reaches_every_reactor(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(admin_run(h, "config set timeout 44 slowlog-max-len 7"), "+OK\n");
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        assert_int_equal(admin_reactor(h, i)->settings->timeout_s, 44);
        assert_int_equal(admin_reactor(h, i)->settings->slowlog_max_len, 7);
    }
    assert_null(h->server->settings->_older); /* no reactor uses the old settings any more */
}

static void a_refused_set_changes_nothing(void **state)
{
    struct admin_harness *h = *state;
    const struct settings *before = h->server->settings;
    assert_non_null(
        strstr(admin_run(h, "config set timeout 44 maxmemory much"), "-ERR CONFIG SET"));
    assert_non_null(strstr(admin_run(h, "config set timeout 44 maxmemory"), "-ERR syntax error"));
    assert_ptr_equal(h->server->settings, before);
    assert_ptr_equal(admin_reactor(h, 1)->settings, before);
    assert_int_equal(before->timeout_s, 0);
}

static struct counter *counter_of(const struct reactor *reactor, const struct counter_row *row)
{
    return (struct counter *)((char *)reactor->stats + row->offset);
}

/* What publishing takes its figures from. */
static void happen(struct reactor *reactor)
{
    struct keyspace *keyspace = reactor->keyspace;
    for (uint32_t i = 0; i < counters_count(); i++)
        counter_set(counter_of(reactor, counters_at(i)), 7);
    keyspace->_hits = keyspace->_misses = keyspace->_expired = keyspace->_evicted = 7;
    keyspace->_ghosts.hits = 7;
    keyspace->defrag.figures = (struct defrag_figures){
        .moved = 7, .left = 7, .items_moved = 7, .items_left = 7, .ns = 7
    };
    keyspace->_lazyfree_items = 7;
    reactor->ring->turns = reactor->ring->overflows = 7;
    reactor->loop->sampled_commands = 7;
}

/* After RESETSTAT has published: so also the keyspace's, which it keeps itself, stay at zero. */
static void resetstat_zeroes_the_events_of_every_reactor(void **state)
{
    struct admin_harness *h = *state;
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
        happen(admin_reactor(h, i));
    assert_string_equal(admin_run(h, "config resetstat"), "+OK\n");
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        for (uint32_t k = 0; k < counters_count(); k++) {
            const struct counter_row *row = counters_at(k);
            uint64_t value = counter_get(counter_of(admin_reactor(h, i), row));
            if (strcmp(row->name, "lanes_looked_at") == 0)
                continue; /* the port's own, and it has looked at none */
            if (row->kind == COUNTER_EVENTS ? value != 0 : row->kind == COUNTER_TOTAL && value != 7)
                fail_msg("%s of reactor %u is %lu", row->name, i, (unsigned long)value);
        }
        assert_int_equal(counter_get(&admin_reactor(h, i)->stats->clients), 7);
        assert_int_equal(counter_get(&admin_reactor(h, i)->stats->keyspace.lazyfree_pending), 7);
        assert_int_equal(admin_reactor(h, i)->loop->sampled_commands, 0);
        admin_reactor(h, i)->keyspace->_lazyfree_items = 0;
    }
}

static void rewrite_says_why_it_refuses(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(admin_run(h, "config rewrite"),
                        "-ERR The server is running without a config file\n");
    strcpy(admin_settings(h)->config_file, "/etc/shoal.conf");
    assert_non_null(strstr(admin_run(h, "config rewrite"), "no command writes a file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)
        TEST(get_answers_names_and_values),  TEST(set_reaches_every_reactor),
        TEST(a_refused_set_changes_nothing), TEST(resetstat_zeroes_the_events_of_every_reactor),
        TEST(rewrite_says_why_it_refuses),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
