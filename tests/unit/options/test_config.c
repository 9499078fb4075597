/*
 * test_config.c - CONFIG GET, CONFIG SET and SIGHUP, on our own options and on Redis's.
 */
#include "shoal/options/config.h"

#include "shoal/base/slab.h"
#include "shoal/options/assign.h"
#include "shoal/options/compat.h"
#include "shoal/options/find.h"
#include "shoal/options/load.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWERS_MAX = 512 };

struct answer {
    char name[64], value[OPTION_TEXT_MAX];
};

static const struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
static struct settings settings;
static struct option_error error;
static struct answer answers[ANSWERS_MAX];
static int answer_count;

static int set_up(void **state)
{
    (void)state;
    options_notes_clear();
    options_defaults(&settings, &host);
    options_resolve(&settings, &host);
    return 0;
}

static void collect(void *context, const char *name, const char *value)
{
    assert_ptr_equal(context, answers);
    assert_true(answer_count < ANSWERS_MAX);
    struct answer *answer = &answers[answer_count++];
    snprintf(answer->name, sizeof(answer->name), "%s", name);
    snprintf(answer->value, sizeof(answer->value), "%s", value);
}

static int ask(const char *pattern)
{
    answer_count = 0;
    options_match(&settings, bytes_str(pattern), collect, answers);
    return answer_count;
}

static const char *get(const char *name)
{
    for (int i = 0, count = ask(name); i < count; i++) {
        if (strcmp(answers[i].name, name) == 0)
            return answers[i].value;
    }
    return "(absent)";
}

static enum option_set_result set(const char *name, const char *value)
{
    memset(&error, 0, sizeof(error));
    return option_set(&settings, bytes_str(name), bytes_str(value), &error);
}

static void refused(const char *name, const char *value, const char *reason)
{
    struct settings before = settings;
    assert_int_equal(set(name, value), OPTION_BAD);
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void test_get_by_pattern(void **state)
{
    (void)state;
    assert_int_equal(ask("port"), 1);
    assert_string_equal(answers[0].value, "6379");
    assert_int_equal(ask("PORT"), 1);
    assert_true(ask("maxmemory*") >= 4);
    assert_int_equal(ask("*of"), 2); /* replicaof and its alias */
    assert_int_equal(ask("nosuch"), 0);
    assert_int_equal(ask("no*such"), 0);
    assert_int_equal(ask("[pq]ort"), 1);
    assert_int_equal(ask("threads"), 1);
    assert_string_equal(answers[0].value, "4");
}

static void test_hidden_ones_answer_to_their_name(void **state)
{
    (void)state;
    int all = ask("*");
    assert_true(all > 150);
    for (int i = 0; i < all; i++) {
        assert_string_not_equal(answers[i].name, "key-load-delay");
        assert_string_not_equal(answers[i].name, "loadmodule");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(answers[i].name, answers[j].name);
    }
    assert_string_equal(get("key-load-delay"), "0");
    assert_string_equal(get("loadmodule"), "(absent)");
    assert_string_equal(get("hz"), "10");
}

/* What clients and load generators read at the start. */
static void test_what_clients_read(void **state)
{
    (void)state;
    assert_string_equal(get("save"), "");
    assert_string_equal(get("appendonly"), "no");
    assert_string_equal(get("timeout"), "0");
    assert_string_equal(get("databases"), "16");
    assert_string_equal(get("replica-read-only"), "yes");
    assert_string_equal(get("slave-read-only"), "yes");
    assert_string_equal(get("maxmemory"), "800000000");
    assert_string_equal(get("maxmemory-policy"), "allkeys-s3fifo");
    assert_string_equal(get("default-ttl"), "0");
    assert_string_equal(get("max-ttl"), "0");
    assert_string_equal(get("ttl-jitter"), "0");
    assert_string_equal(get("notify-keyspace-events"), "");
    assert_string_equal(get("activedefrag"), slabs_available() ? "yes" : "no");
    assert_string_equal(get("active-defrag-ignore-bytes"), "8388608");
    assert_string_equal(get("active-defrag-threshold-lower"), "10");
    assert_string_equal(get("active-defrag-cycle-max"), "5");
    assert_string_equal(get("bind"), "127.0.0.1 -::1");
    assert_string_equal(get("unixsocketperm"), "0");
    assert_string_equal(get("latency-tracking-info-percentiles"), "50 99 99.9");
    assert_string_equal(get("client-output-buffer-limit"),
                        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
    assert_string_equal(get("hash-max-ziplist-value"), "64");
}

/* Reading everything and setting it again changes nothing, as Redis's own suite does. */
static void test_everything_can_be_set_to_what_it_is(void **state)
{
    (void)state;
    static struct answer first[ANSWERS_MAX];
    int count = ask("*");
    memcpy(first, answers, sizeof(first));
    for (int i = 0; i < count; i++) {
        if (set(first[i].name, first[i].value) != OPTION_SET)
            fail_msg("%s \"%s\": %s", first[i].name, first[i].value, error.text);
    }
    assert_int_equal(ask("*"), count);
    assert_memory_equal(first, answers, sizeof(first));
}

static void test_fixed_at_start(void **state)
{
    (void)state;
    static const char *const names[] = {
        "port",      "bind",       "shards",          "databases",
        "daemonize", "io-threads", "cluster-enabled", "enable-debug-command"
    };
    static const char *const values[] = { "1", "0.0.0.0", "2", "3", "yes", "4", "yes", "yes" };
    for (int i = 0; i < 8; i++) {
        struct settings before = settings;
        assert_int_equal(set(names[i], values[i]), OPTION_IMMUTABLE);
        assert_string_equal(error.text, "can't set immutable config");
        assert_memory_equal(&before, &settings, sizeof(settings));
    }
    refused("dir", "/etc", "can't set protected config");
    refused("dbfilename", "authorized_keys", "can't set protected config");
}

static void test_set(void **state)
{
    (void)state;
    assert_int_equal(set("maxclients", "77"), OPTION_SET);
    assert_int_equal(settings.maxclients, 77);
    assert_string_equal(get("maxclients"), "77");
    assert_int_equal(set("MAX_CLIENTS", "78"), OPTION_UNKNOWN);
    assert_int_equal(set("MaxMemory_Policy", "allkeys-clock"), OPTION_SET);
    assert_string_equal(get("maxmemory-policy"), "allkeys-clock");
    assert_int_equal(set("list-max-ziplist-size", "3"), OPTION_SET);
    assert_string_equal(get("list-max-listpack-size"), "3");
    refused("maxclients", "abc", "argument couldn't be parsed into an integer");
    refused("appendonly", "yes", "not available in this server: only 'no' is accepted");
    assert_int_equal(set("nosuch", "1"), OPTION_UNKNOWN);
    assert_int_equal(set("loadmodule", "x"), OPTION_UNKNOWN);
}

/* A clone is one memcpy, and what changes in it stays in it. */
static void test_a_clone_is_independent(void **state)
{
    (void)state;
    assert_int_equal(set("requirepass", "one"), OPTION_SET);
    struct settings clone = settings;
    assert_int_equal(option_set(&clone, bytes_str("requirepass"), bytes_str("two"), &error),
                     OPTION_SET);
    assert_string_equal(settings.requirepass, "one");
    assert_string_equal(clone.requirepass, "two");
}

/* ---- SIGHUP -------------------------------------------------------------- */

static char path[] = "/tmp/shoal-test-config-XXXXXX";

static void write_main(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* Starts with this file, and the arguments. */
static void load_with(const char *text, int more, char **arguments)
{
    char *argv[8] = { "shoal", path }, *none[] = { NULL };
    struct options_request request;
    write_main(text);
    for (int i = 0; i < more; i++)
        argv[2 + i] = arguments[i];
    assert_true(options_parse(&settings, &host, 2 + more, argv, none, &request, &error));
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void test_reload(void **state)
{
    (void)state;
    char *arguments[] = { "--timeout", "5" };
    load_with(
        "port 7000\nmaxclients 10\nshutdown-timeout 4\ntimeout 1\nmaxmemory 50%\nloglevel debug\n",
        2, arguments);
    assert_int_equal(option_set(&settings, bytes_str("slowlog-max-len"), bytes_str("9"), &error),
                     OPTION_SET);
    assert_int_equal(set("shutdown-timeout", "8"), OPTION_SET);
    write_main("maxmemory 40%\n");
    assert_true(options_reload(&settings, &error));
    assert_string_equal(settings.maxmemory_text, "40%"); /* not the bytes that CONFIG GET shows */
    write_main("port 7001\nmaxclients 20\ntimeout 2\nmaxmemory 5mb\nset-max-intset-entries 3\n");
    assert_true(options_reload(&settings, &error));
    assert_int_equal(settings.port, 7000);
    assert_string_equal(options_warnings()[0], "port: the new value counts from the next start");
    assert_int_equal(settings.maxclients, 20);
    assert_int_equal(settings.timeout_s, 5);          /* the command line is stronger */
    assert_int_equal(settings.slowlog_max_len, 9);    /* not in the file: CONFIG SET stays */
    assert_int_equal(settings.shutdown_timeout_s, 8); /* no longer in the file: the same */
    assert_int_equal(settings.maxmemory, 5 << 20);
    assert_int_equal(settings.loglevel, 2); /* left the file: the default */
    assert_string_equal(compat_get(&settings, compat_find(bytes_str("set-max-intset-entries"))),
                        "3");
}

static void test_a_bad_reload_changes_nothing(void **state)
{
    (void)state;
    load_with("maxclients 10\n", 0, NULL);
    struct settings before = settings;
    write_main("maxclients 20\ntimeout x\n");
    assert_false(options_reload(&settings, &error));
    assert_non_null(strstr(error.text, ":2: timeout: argument couldn't be parsed"));
    assert_memory_equal(&before, &settings, sizeof(settings));
    settings.config_file[0] = '\0';
    assert_false(options_reload(&settings, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_get_by_pattern, set_up),
        cmocka_unit_test_setup(test_hidden_ones_answer_to_their_name, set_up),
        cmocka_unit_test_setup(test_what_clients_read, set_up),
        cmocka_unit_test_setup(test_everything_can_be_set_to_what_it_is, set_up),
        cmocka_unit_test_setup(test_set, set_up),
        cmocka_unit_test_setup(test_fixed_at_start, set_up),
        cmocka_unit_test_setup(test_a_clone_is_independent, set_up),
        cmocka_unit_test_setup(test_reload, set_up),
        cmocka_unit_test_setup(test_a_bad_reload_changes_nothing, set_up),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
