/*
 * test_settings.c - snapshots of the settings: all or nothing, never changed in place, freed when
 * asked.
 */
#include "shoal/server/settings.h"

#include "shoal/options/assign.h"
#include "shoal/options/host_limits.h"
#include "shoal/server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORDS_MAX = 8, TEXT_MAX = 256 };

static struct server server;
static char error[SETTINGS_ERROR_MAX];
static uint64_t version;

static int setup(void **state)
{
    (void)state;
    struct host_limits host = { .cpus = 2, .cpus_affinity = 2, .memory = 1u << 30 };
    memset(&server, 0, sizeof(server));
    pthread_mutex_init(&server.settings_lock, NULL);
    server.settings = calloc(1, sizeof(*server.settings));
    options_defaults(server.settings, &host);
    options_resolve(server.settings, &host);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    settings_free_all(&server);
    assert_null(server.settings);
    pthread_mutex_destroy(&server.settings_lock);
    return 0;
}

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
    return settings_change(&server, &args, 2, &version, error);
}
#define CHANGE(...) change((const char *const[]){ "config", "set", __VA_ARGS__, NULL })

static void a_change_makes_a_new_snapshot(void **state)
{
    (void)state;
    const struct settings *before = server.settings;
    uint64_t maxmemory = before->maxmemory;
    assert_true(CHANGE("maxmemory", "100mb", "timeout", "7"));
    assert_ptr_not_equal(server.settings, before);
    assert_int_equal(before->maxmemory, maxmemory);
    assert_int_equal(before->timeout_s, 0);
    assert_int_equal(server.settings->maxmemory, 100 * 1024 * 1024);
    assert_int_equal(server.settings->timeout_s, 7);
    assert_int_equal(version, 1);
    assert_int_equal(server.settings->version, 1);
}

static void a_refused_pair_changes_nothing(void **state)
{
    (void)state;
    const struct settings *before = server.settings;
    assert_false(CHANGE("timeout", "7", "maxmemory", "much"));
    assert_non_null(strstr(error, "ERR CONFIG SET failed (possibly related to argument "
                                  "'maxmemory') - "));
    assert_false(CHANGE("timeout", "7", "no-such", "1"));
    assert_string_equal(error,
                        "ERR Unknown option or number of arguments for CONFIG SET - 'no-such'");
    assert_false(CHANGE("timeout", "7", "TIMEOUT", "8"));
    assert_string_equal(error, "ERR CONFIG SET failed (possibly related to argument 'TIMEOUT') - "
                               "duplicate parameter");
    assert_false(CHANGE("timeout", "7", "port", "1"));
    assert_non_null(strstr(error, "can't set immutable config"));
    assert_ptr_equal(server.settings, before);
    assert_int_equal(before->timeout_s, 0);
}

static uint32_t snapshots(void)
{
    uint32_t count = 0;
    for (const struct settings *s = server.settings; s != NULL; s = s->_older)
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
    settings_retire(&server, 2);
    assert_int_equal(snapshots(), 2);
    settings_retire(&server, 2);
    assert_int_equal(snapshots(), 2);
    settings_retire(&server, version);
    assert_int_equal(snapshots(), 1);
    assert_int_equal(server.settings->timeout_s, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_makes_a_new_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_pair_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(older_snapshots_go, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
