/*
 * test_settings.c - snapshots of the settings: all or nothing, never changed in place, freed when
 * asked.
 */
#include "shoal/server/settings.h"

#include "shoal/stats/stats.h"
#include "support/reactors.h"

enum { WORDS_MAX = 8, TEXT_MAX = 256 };

static char error[SETTINGS_ERROR_MAX];
static uint64_t version;

/* CONFIG SET with these words, ended by NULL. */
static bool change(const char *const *words)
{
    char text[TEXT_MAX];
    struct span spans[WORDS_MAX];
    struct args args = { text, spans, 0 };
    uint32_t at = 0;
    for (; words[args.count] != NULL; args.count++) {
        uint32_t size = (uint32_t)strlen(words[args.count]);
        memcpy(text + at, words[args.count], size);
        spans[args.count] = (struct span){ at, size };
        at += size;
    }
    error[0] = '\0';
    return settings_change(server, &args, 2, &version, error);
}
#define CHANGE(...) change((const char *const[]){ "config", "set", __VA_ARGS__, NULL })

static void a_change_makes_a_new_snapshot(void **state)
{
    (void)state;
    const struct settings *before = server->settings;
    uint64_t maxmemory = before->maxmemory;
    assert_true(CHANGE("maxmemory", "100mb", "timeout", "7"));
    assert_ptr_not_equal(server->settings, before);
    assert_int_equal(before->maxmemory, maxmemory);
    assert_int_equal(before->timeout_s, 0);
    assert_int_equal(server->settings->maxmemory, 100 * 1024 * 1024);
    assert_int_equal(server->settings->timeout_s, 7);
    assert_int_equal(version, 1);
    assert_int_equal(server->settings->version, 1);
}

static void a_refused_pair_changes_nothing(void **state)
{
    (void)state;
    const struct settings *before = server->settings;
    assert_false(CHANGE("timeout", "7", "maxmemory", "much"));
    assert_non_null(strstr(error, "ERR CONFIG SET failed (possibly related to argument "
                                  "'maxmemory') - "));
    assert_false(CHANGE("timeout", "7", "no-such", "1"));
    assert_string_equal(error,
                        "ERR Unknown option or number of arguments for CONFIG SET - 'no-such'");
    assert_false(CHANGE("timeout", "7", "TIMEOUT", "8"));
    assert_string_equal(error, "ERR CONFIG SET failed (possibly related to argument 'timeout') - "
                               "duplicate parameter");
    assert_false(CHANGE("timeout", "7", "port", "1"));
    assert_non_null(strstr(error, "can't set immutable config"));
    assert_ptr_equal(server->settings, before);
    assert_int_equal(before->timeout_s, 0);
}

static uint32_t snapshots(void)
{
    uint32_t count = 0;
    for (const struct settings *s = server->settings; s != NULL; s = s->_older)
        count++;
    return count;
}

static void older_snapshots_go(void **state)
{
    (void)state;
    assert_true(CHANGE("timeout", "1"));
    assert_true(CHANGE("timeout", "2"));
    assert_true(CHANGE("timeout", "3"));
    assert_int_equal(snapshots(), 4);
    settings_use(reactor_at(0));
    settings_retire(server, 2);
    assert_int_equal(snapshots(), 2);
    settings_retire(server, 2);
    assert_int_equal(snapshots(), 2);
    settings_retire(server, version);
    assert_int_equal(snapshots(), 1);
    assert_int_equal(server->settings->timeout_s, 3);
}

/* ---- the reactors switch ------------------------------------------------- */

static void a_change_reaches_every_reactor_before_the_reply(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    tell(client, "CONFIG SET timeout 9 maxmemory-policy volatile-ttl");
    turn(1);
    turn(1);
    assert_int_equal(heard_bytes(client), 0); /* the others do not know of it yet */
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
    for (uint32_t i = 0; i < 3; i++) {
        assert_ptr_equal(reactor_at(i)->settings, server->settings);
        assert_int_equal(reactor_at(i)->settings->timeout_s, 9);
        assert_true(timer_is_linked(&reactor_at(i)->loop->idle_look));
    }
    assert_int_equal(snapshots(), 1);
}

static void a_refused_change_reaches_nobody(void **state)
{
    (void)state;
    struct client *client = client_open(1);
    const struct settings *before = server->settings;
    assert_reply("-ERR CONFIG SET failed (possibly related to argument 'timeout') - "
                 "argument couldn't be parsed into an integer",
                 client, "CONFIG SET timeout soon");
    for (uint32_t i = 0; i < 3; i++)
        assert_ptr_equal(reactor_at(i)->settings, before);
}

static void nobody_goes_back_to_an_older_one(void **state)
{
    (void)state;
    assert_true(CHANGE("timeout", "1"));
    settings_use(reactor_at(1));
    const struct settings *used = reactor_at(1)->settings;
    assert_int_equal(used->timeout_s, 1);
    settings_use(reactor_at(1));
    assert_ptr_equal(reactor_at(1)->settings, used);
    assert_int_equal(reactor_at(2)->settings->timeout_s, 0); /* each for itself */
}

static void more_clients_are_let_in_by_the_sequencer(void **state)
{
    (void)state;
    char more[16];
    int before = (int)counter_get(&server->clients_max);
    snprintf(more, sizeof(more), "%d", before + 1);
    assert_true(CHANGE("maxclients", more));
    settings_use(reactor_at(1));
    assert_int_equal(counter_get(&server->clients_max), before);
    settings_use(reactor_at(SEQUENCER));
    assert_int_equal(counter_get(&server->clients_max), before + 1);
}

/* Other reactors look at what it says of its room, and may do so as soon as the change is answered. */
static void a_new_limit_is_known_at_once(void **state)
{
    (void)state;
    const struct reactor *any = reactor_at(0);
    assert_true(CHANGE("maxmemory", "1", "maxmemory-policy", "noeviction"));
    settings_use(reactor_at(1));
    assert_true(stats_shard_room(any, 1) <= 1);
    assert_true(CHANGE("maxmemory", "0"));
    settings_use(reactor_at(1));
    assert_true(stats_shard_room(any, 1) == UINT64_MAX);
}

static void many_changes_at_once_leave_one_snapshot(void **state)
{
    (void)state;
    struct client *client[3];
    for (uint32_t i = 0; i < 3; i++) {
        client[i] = client_open(i);
        for (uint32_t n = 1; n <= 5; n++)
            tell(client[i], "CONFIG SET timeout %u", 10 * i + n);
    }
    turn_until_quiet();
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(heard(client[i]), "+OK +OK +OK +OK +OK");
    assert_int_equal(snapshots(), 1);
    for (uint32_t i = 0; i < 3; i++)
        assert_ptr_equal(reactor_at(i)->settings, server->settings);
}

/* ---- the config file ----------------------------------------------------- */

static char path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int begin_from_file(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/shoal-settings-%d.conf", (int)getpid());
    write_file("timeout 5\n");
    reactors_begin(3, "--config", path);
    return 0;
}

static int end_with_file(void **state)
{
    unlink(path);
    return reactors_finish(state);
}

static void the_file_is_read_again_for_all(void **state)
{
    (void)state;
    assert_int_equal(reactor_at(2)->settings->timeout_s, 5);
    write_file("timeout 6\nslowlog-max-len 7\n");
    settings_reload(reactor_at(SEQUENCER));
    turn_until_quiet();
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(reactor_at(i)->settings->timeout_s, 6);
        assert_int_equal(reactor_at(i)->settings->slowlog_max_len, 7);
    }
    assert_int_equal(snapshots(), 1);
}

static void a_bad_file_changes_nothing(void **state)
{
    (void)state;
    write_file("timeout 6\nslowlog-max-len many\n");
    settings_reload(reactor_at(SEQUENCER));
    turn_until_quiet();
    assert_int_equal(reactor_at(2)->settings->timeout_s, 5);
    assert_int_equal(server->settings_version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, a_change_makes_a_new_snapshot),
        with_reactors(1, a_refused_pair_changes_nothing),
        with_reactors(1, older_snapshots_go),
        with_reactors(3, a_change_reaches_every_reactor_before_the_reply),
        with_reactors(3, a_refused_change_reaches_nobody),
        with_reactors(3, nobody_goes_back_to_an_older_one),
        with_reactors(3, more_clients_are_let_in_by_the_sequencer),
        with_reactors(3, a_new_limit_is_known_at_once),
        with_reactors(3, many_changes_at_once_leave_one_snapshot),
        cmocka_unit_test_setup_teardown(the_file_is_read_again_for_all, begin_from_file,
                                        end_with_file),
        cmocka_unit_test_setup_teardown(a_bad_file_changes_nothing, begin_from_file, end_with_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
