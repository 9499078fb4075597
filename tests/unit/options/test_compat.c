/*
 * test_compat.c - the directives of Redis that have no meaning here: what is remembered, what is
 * refused, and what is warned of.
 */
#include "shoal/options/compat.h"

#include "shoal/options/find.h"
#include "shoal/options/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct settings settings;
static struct option_error error;

static int set_up(void **state)
{
    (void)state;
    memset(&settings, 0, sizeof(settings));
    options_notes_clear();
    return 0;
}

static int index_of(const char *name)
{
    int index = compat_find(bytes_str(name));
    assert_true(index >= 0);
    return index;
}

static void load(const char *name, const char *value)
{
    compat_load(&settings, index_of(name), bytes_str(value));
}

static enum option_set_result set(const char *name, const char *value)
{
    memset(&error, 0, sizeof(error));
    return compat_set(&settings, index_of(name), bytes_str(value), &error);
}

static const char *get(const char *name)
{
    const char *value = compat_get(&settings, index_of(name));
    return value != NULL ? value : "(absent)";
}

static void refused(const char *name, const char *value, enum option_set_result result,
                    const char *reason)
{
    struct settings before = settings;
    assert_int_equal(set(name, value), result);
    assert_string_equal(error.text, reason);
    assert_memory_equal(&before, &settings, sizeof(settings));
}

static void thresholds_are_remembered(void **state)
{
    (void)state;
    static const char *const names[] = { "list-max-listpack-size", "hash-max-listpack-entries",
                                         "set-max-intset-entries", "zset-max-listpack-entries",
                                         "list-compress-depth",    "lfu-log-factor" };
    for (int i = 0; i < 6; i++) {
        assert_int_equal(set(names[i], "3"), OPTION_SET);
        assert_string_equal(get(names[i]), "3");
    }
    assert_int_equal(set("hash-max-ziplist-value", "1kb"), OPTION_SET);
    assert_string_equal(get("hash-max-listpack-value"), "1024");
    load("set-max-listpack-entries", "7");
    assert_string_equal(get("set-max-listpack-entries"), "7");
    assert_null(options_warnings()[0]);
}

/* A test suite sets and restores it; a config file that wants snapshots does not get them. */
static void save_is_remembered_from_config_set_only(void **state)
{
    (void)state;
    load("save", "900 1");
    assert_string_equal(get("save"), "");
    assert_int_equal(set("save", "3000 5"), OPTION_SET);
    assert_string_equal(get("save"), "3000 5");
    assert_int_equal(set("save", ""), OPTION_SET);
    assert_string_equal(get("save"), "");
}

static void what_does_not_exist_cannot_be_turned_on(void **state)
{
    (void)state;
    assert_int_equal(set("appendonly", "no"), OPTION_SET);
    refused("appendonly", "yes", OPTION_BAD, "not available in this server: only 'no' is accepted");
    refused("notify-keyspace-events", "KEA", OPTION_BAD,
            "not available in this server: only '' is accepted");
    refused("tls-port", "6380", OPTION_BAD, "not available in this server: only '0' is accepted");
    refused("io-threads", "4", OPTION_IMMUTABLE, "can't set immutable config");
    assert_int_equal(set("io-threads", "1"), OPTION_SET);
    refused("dir", "/etc", OPTION_BAD, "can't set protected config");
    refused("loadmodule", "x", OPTION_UNKNOWN, "");
    assert_string_equal(get("loadmodule"), "(absent)");
}

static void a_value_must_be_of_its_type(void **state)
{
    (void)state;
    refused("hash-max-listpack-entries", "x", OPTION_BAD,
            "argument couldn't be parsed into an integer");
    refused("hash-max-listpack-value", "x", OPTION_BAD, "argument must be a memory value");
    refused("rdbcompression", "x", OPTION_BAD, "argument must be 'yes' or 'no'");
    refused("maxmemory-samples", "0", OPTION_BAD,
            "argument must be between 1 and 2147483647 inclusive");
    refused("active-expire-effort", "11", OPTION_BAD,
            "argument must be between 1 and 10 inclusive");
    refused("repl-backlog-size", "0", OPTION_BAD,
            "argument must be between 1 and 9223372036854775807 inclusive");
    refused("hash-max-listpack-value", "9223372036854775808", OPTION_BAD,
            "argument must be between 0 and 9223372036854775807 inclusive");
    assert_int_equal(set("list-max-listpack-size", "-5"), OPTION_SET);
    assert_int_equal(set("maxmemory-samples", "1"), OPTION_SET);
    load("maxmemory-samples", "0");
    assert_string_equal(get("maxmemory-samples"), "1");
    char text[SETTINGS_REMEMBERED_BYTES];
    memset(text, 'x', sizeof(text));
    text[SETTINGS_REMEMBERED_BYTES - 2] = '\0'; /* the '=' and the zero beside it */
    assert_int_equal(set("save", text), OPTION_SET);
    assert_string_equal(get("save"), text);
    text[SETTINGS_REMEMBERED_BYTES - 2] = 'x';
    text[SETTINGS_REMEMBERED_BYTES - 1] = '\0';
    refused("save", text, OPTION_BAD, "argument must be shorter than 103 bytes");
    assert_int_equal(compat_set(&settings, index_of("save"), bytes_of("a\0b", 3), &error),
                     OPTION_BAD);
}

/* While loading, a wrong value is dropped like any other. */
static void loading_takes_anything(void **state)
{
    (void)state;
    load("rdbcompression", "nonsense");
    load("hash-max-listpack-entries", "nonsense");
    assert_string_equal(get("rdbcompression"), "yes");
    assert_string_equal(get("hash-max-listpack-entries"), "512");
}

/* What would weaken the server in silence is named. */
static void a_loss_is_warned_of(void **state)
{
    (void)state;
    load("appendonly", "yes");
    load("user", "bob on >secretword ~* +@all");
    load("tls-port", "nonsense");
    load("save", "900 1");
    assert_string_equal(options_warnings()[0], "appendonly is ignored: nothing is written to disk");
    assert_string_equal(options_warnings()[1],
                        "user is ignored: there are no access lists: the user does not exist");
    assert_string_equal(options_warnings()[2],
                        "tls-port is ignored: there is no TLS: nothing listens on that port");
    assert_null(options_warnings()[3]);
}

static void the_default_is_no_loss(void **state)
{
    (void)state;
    load("appendonly", "no");
    load("tls-port", "0");
    load("replicaof", "");
    assert_null(options_warnings()[0]);
}

static void a_hidden_one_is_remembered_too(void **state)
{
    (void)state;
    assert_true(compat_hidden(index_of("key-load-delay")));
    assert_false(compat_hidden(index_of("appendonly")));
    assert_int_equal(set("key-load-delay", "5"), OPTION_SET);
    assert_string_equal(get("key-load-delay"), "5");
    load("watchdog-period", "9");
    assert_string_equal(get("watchdog-period"), "9");
}

static void names_are_told_apart(void **state)
{
    (void)state;
    for (int i = 0; i < compat_count(); i++) {
        assert_int_equal(compat_find(bytes_str(compat_name(i))), i);
        assert_true(compat_alias(i) == NULL || compat_find(bytes_str(compat_alias(i))) == i);
    }
}

/* Setting what is shown changes nothing, as tools do that restore what they have read. */
static void every_default_can_be_set(void **state)
{
    (void)state;
    for (int i = 0; i < compat_count(); i++) {
        const char *value = compat_get(&settings, i);
        if (value == NULL)
            continue;
        assert_int_equal(compat_set(&settings, i, bytes_str(value), &error), OPTION_SET);
        assert_string_equal(compat_get(&settings, i), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(thresholds_are_remembered, set_up),
        cmocka_unit_test_setup(save_is_remembered_from_config_set_only, set_up),
        cmocka_unit_test_setup(what_does_not_exist_cannot_be_turned_on, set_up),
        cmocka_unit_test_setup(a_value_must_be_of_its_type, set_up),
        cmocka_unit_test_setup(loading_takes_anything, set_up),
        cmocka_unit_test_setup(a_loss_is_warned_of, set_up),
        cmocka_unit_test_setup(the_default_is_no_loss, set_up),
        cmocka_unit_test_setup(a_hidden_one_is_remembered_too, set_up),
        cmocka_unit_test_setup(names_are_told_apart, set_up),
        cmocka_unit_test_setup(every_default_can_be_set, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
