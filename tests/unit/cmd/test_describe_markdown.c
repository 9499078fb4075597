/*
 * test_describe_markdown.c - the table of docs/commands.md: its rows, their order, its bars.
 */
#include "shoal/cmd/describe.h"

#include "support/cmd_harness.h"

static char *text;

static int print(void **state)
{
    size_t size;
    (void)state;
    harness_registry_with(NULL);
    FILE *out = open_memstream(&text, &size);
    describe_markdown(out);
    fclose(out);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static void a_row_a_command(void **state)
{
    (void)state;
    static const char head[] = "| group | command | arguments | |\n|---|---|---|---|\n| ";
    assert_memory_equal(text, head, sizeof(head) - 1);
    assert_non_null(strstr(text, "\n| string | GET | `key` | Returns the value of a key. |\n"));
    assert_non_null(strstr(text, "\n| server | DBSIZE |  | "));
}

/* A container has no row of its own. */
static void a_row_a_sub_command(void **state)
{
    (void)state;
    assert_non_null(strstr(text, "\n| generic | OBJECT ENCODING | `key` | "));
    assert_null(strstr(text, "| OBJECT |"));
}

/* A bar of the syntax would end the cell. */
static void bars_are_escaped(void **state)
{
    (void)state;
    assert_non_null(strstr(text, "| `[ASYNC \\| SYNC]` |"));
    assert_null(strstr(text, "ASYNC |"));
}

static void by_group_then_by_name(void **state)
{
    (void)state;
    static const char *const rows[] = { "| bitmap | BITCOUNT |", "| generic | COPY |",
                                        "| generic | DEL |", "| string | APPEND |" };
    const char *at = text;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        at = strstr(at, rows[i]);
        assert_non_null(at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_a_command),
        cmocka_unit_test(a_row_a_sub_command),
        cmocka_unit_test(bars_are_escaped),
        cmocka_unit_test(by_group_then_by_name),
    };
    return cmocka_run_group_tests(tests, print, forget);
}
