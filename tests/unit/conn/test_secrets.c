/*
 * test_secrets.c - which arguments no log may show, wherever in a command a password may stand.
 */
#include "shoal/conn/secrets.h"

#include "shoal/cmd/registry.h"
#include "shoal/commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 80 };

/* `line` with every hidden word as "*". */
static const char *shown(const char *line)
{
    static char out[1024];
    struct span spans[ARGS_MAX];
    struct args args = { .base = line, .v = spans };
    for (const char *p = line; *p != '\0'; p += *p == ' ') {
        size_t size = strcspn(p, " ");
        assert_true(args.count < ARGS_MAX);
        spans[args.count++] = (struct span){ (uint32_t)(p - line), (uint32_t)size };
        p += size;
    }
    const struct command *command = registry_find(args_at(&args, 0));
    assert_non_null(command);
    if (command->subs != NULL && args.count > 1)
        command = registry_find_sub(command, args_at(&args, 1));
    assert_non_null(command);
    uint64_t hidden = secrets_of(command, &args);
    size_t at = 0;
    for (uint32_t i = 0; i < args.count; i++) {
        struct bytes arg = i < 64 && hidden >> i & 1 ? bytes_str("*") : args_at(&args, i);
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%.*s", i > 0 ? " " : "",
                               (int)arg.size, arg.data);
    }
    return out;
}

static void passwords_are_hidden(void **state)
{
    (void)state;
    assert_string_equal(shown("AUTH secret"), "AUTH *");
    assert_string_equal(shown("auth user secret more"), "auth * * *");
    assert_string_equal(shown("HELLO 3 AUTH user secret SETNAME me"),
                        "HELLO 3 AUTH * * SETNAME me");
    assert_string_equal(shown("HELLO 3 SETNAME me auth secret"), "HELLO 3 SETNAME me auth *");
    assert_string_equal(shown("HELLO 3"), "HELLO 3");
    assert_string_equal(shown("CONFIG SET maxmemory 1 RequirePass secret timeout 3"),
                        "CONFIG SET maxmemory 1 RequirePass * timeout 3");
    assert_string_equal(shown("CONFIG SET masterauth secret masteruser secret"),
                        "CONFIG SET masterauth * masteruser *");
    assert_string_equal(shown("CONFIG SET tls-key-file-pass secret"),
                        "CONFIG SET tls-key-file-pass *");
}

static void what_is_no_password_is_shown(void **state)
{
    (void)state;
    assert_string_equal(shown("GET auth"), "GET auth");
    assert_string_equal(shown("SET auth x"), "SET auth x");
    assert_string_equal(shown("CONFIG GET requirepass"), "CONFIG GET requirepass");
    assert_string_equal(shown("CONFIG SET appendonly no"), "CONFIG SET appendonly no");
    assert_string_equal(shown("COMMAND DOCS auth get"), "COMMAND DOCS auth get");
    assert_string_equal(shown("CLIENT SETNAME auth"), "CLIENT SETNAME auth");
}

/* A slip moves the password elsewhere. */
static void in_doubt_it_is_hidden(void **state)
{
    (void)state;
    assert_string_equal(shown("CONFIG SET requirepas secret"), "CONFIG SET requirepas *");
    assert_string_equal(shown("CONFIG SET requirepass secret words"), "CONFIG SET requirepass * *");
    assert_string_equal(shown("CONFIG SET timeout requirepass secret"), "CONFIG SET timeout * *");
}

static void commands_about_commands_hide_the_same(void **state)
{
    (void)state;
    assert_string_equal(shown("COMMAND GETKEYS AUTH secret"), "COMMAND GETKEYS AUTH *");
    assert_string_equal(shown("COMMAND GETKEYS hello 3 auth u secret"),
                        "COMMAND GETKEYS hello 3 auth * *");
    assert_string_equal(shown("COMMAND GETKEYS CONFIG SET requirepass secret"),
                        "COMMAND GETKEYS CONFIG SET requirepass *");
    assert_string_equal(shown("COMMAND GETKEYS COMMAND GETKEYS AUTH secret"),
                        "COMMAND GETKEYS COMMAND GETKEYS AUTH *");
    assert_string_equal(shown("COMMAND GETKEYS SET k v"), "COMMAND GETKEYS SET k v");
    /* commands of Redis that are not here, and slips */
    assert_string_equal(shown("COMMAND GETKEYS MIGRATE h 1 k 0 9 AUTH secret"),
                        "COMMAND GETKEYS MIGRATE * * * * * * *");
    assert_string_equal(shown("COMMAND GETKEYS CONFIG SAT requirepass secret"),
                        "COMMAND GETKEYS CONFIG * * *");
}

/* Nested as deep as a command can be, and with more arguments than are looked at. */
static void long_ones_end(void **state)
{
    (void)state;
    char line[1024] = "";
    for (int i = 0; i < 35; i++)
        strcat(line, "COMMAND GETKEYS ");
    strcat(line, "AUTH secret");
    shown(line);
    static struct span spans[1000000];
    for (uint32_t i = 0; i < 1000000; i++)
        spans[i] = i % 2 == 0 ? (struct span){ 0, 7 } : (struct span){ 8, 7 };
    const struct args args = { .base = "command getkeys", .v = spans, .count = 1000000 };
    const struct command *getkeys =
        registry_find_sub(registry_find(bytes_str("command")), bytes_str("getkeys"));
    assert_int_equal(secrets_of(getkeys, &args), 0);
    strcpy(line, "CONFIG SET");
    for (int i = 0; i < 35; i++)
        strcat(line, " timeout 1");
    assert_string_equal(shown(line), line);
}

int main(void)
{
    commands_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(what_is_no_password_is_shown),
        cmocka_unit_test(in_doubt_it_is_hidden),
        cmocka_unit_test(commands_about_commands_hide_the_same),
        cmocka_unit_test(long_ones_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
