/*
 * test_help.c - HELP of a container: the lines of its rows.
 */
#include "shoal/cmd/help.h"

#include "support/cmd_harness.h"

static void noop(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_ok(reply);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "no-thing", .group = "", .arity = 2, .home = noop, .syntax = "", .summary = "Does nothing." },
    { .name = "twice", .group = "", .arity = 3, .home = noop, .syntax = "key [COUNT n]", .summary = "Does it twice." },
    HELP_ROW("generic", "1.2.3", CMD_STALE),
    { 0 },
};
static const struct command commands[] = {
    { .name = "box", .group = "", .arity = -2, .subs = subs },
    { .name = "alone", .group = "", .arity = -1, .home = noop, .subs = subs, .summary = "Does all." },
    { 0 },
};
/* clang-format on */

static int setup(void **state)
{
    static const struct command *const families[] = { commands };
    (void)state;
    registry_init(families, 1);
    return 0;
}

/* Runs `name` HELP by its row's handler. */
static void assert_help(const char *name, const char *wanted)
{
    static char text[4096];
    char line[64];
    size_t name_size = strlen(name);
    struct reply reply;
    snprintf(line, sizeof(line), "%shelp", name);
    const struct span spans[] = { { 0, (uint32_t)name_size }, { (uint32_t)name_size, 4 } };
    struct args args = { .base = line, .v = spans, .count = 2 };
    const struct command *row =
        registry_find_sub(registry_find(bytes_str(name)), bytes_str("help"));
    reply_init(&reply, PROTO_RESP2, text, sizeof(text) - 1, NULL, 0);
    row->home(NULL, &args, &reply);
    text[reply.size] = '\0';
    assert_string_equal(text, wanted);
    reply_fini(&reply);
}

static void two_lines_a_row(void **state)
{
    (void)state;
    assert_help("Box", "*7\r\n"
                       "+BOX <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"
                       "+NO-THING\r\n+    Does nothing.\r\n"
                       "+TWICE key [COUNT n]\r\n+    Does it twice.\r\n"
                       "+HELP\r\n+    Describes the sub-commands.\r\n");
}

static void a_container_that_is_a_command(void **state)
{
    (void)state;
    assert_help("alone", "*9\r\n"
                         "+ALONE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"
                         "+(no subcommand)\r\n+    Does all.\r\n"
                         "+NO-THING\r\n+    Does nothing.\r\n"
                         "+TWICE key [COUNT n]\r\n+    Does it twice.\r\n"
                         "+HELP\r\n+    Describes the sub-commands.\r\n");
}

static void the_row(void **state)
{
    (void)state;
    const struct command *row =
        registry_find_sub(registry_find(bytes_str("box")), bytes_str("help"));
    assert_string_equal(row->group, "generic");
    assert_string_equal(row->since, "1.2.3");
    assert_int_equal(row->flags, CMD_STALE);
    assert_int_equal(row->arity, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_lines_a_row),
        cmocka_unit_test(a_container_that_is_a_command),
        cmocka_unit_test(the_row),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
