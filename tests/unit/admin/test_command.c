/*
 * test_command.c - COMMAND: which rows are asked for, in what order, and what is unknown.
 */
#include "support/row_harness.h"

static const char *begin_of(const char *text, const char *wanted)
{
    static char begin[256];
    snprintf(begin, sizeof(begin), "%.*s", (int)strlen(wanted), text);
    return begin;
}

#define assert_begins(line, wanted) assert_string_equal(begin_of(row_run(line), wanted), wanted)

static void all(void **state)
{
    char head[32];
    (void)state;
    snprintf(head, sizeof(head), "*%u *10 $", registry_top_count());
    assert_begins("COMMAND", head);
    assert_begins("COMMAND INFO", head);
    snprintf(head, sizeof(head), ":%u", registry_top_count());
    assert_string_equal(row_run("COMMAND COUNT"), head);
    snprintf(head, sizeof(head), "*%u $", 2 * registry_top_count());
    assert_begins("COMMAND DOCS", head);
}

static void info_of_some(void **state)
{
    (void)state;
    assert_begins("COMMAND INFO Get nosuch", "*2 *10 $3 get :2 ");
    assert_begins("COMMAND INFO nosuch get", "*2 $-1 *10 $3 get :2 ");
    assert_begins("COMMAND INFO config|Set", "*1 *10 $10 config|set :-4 ");
    assert_string_equal(row_run("COMMAND INFO get|set config| |"), "*3 $-1 $-1 $-1");
}

/* Unlike INFO, DOCS leaves unknown names out. */
static void docs_of_some(void **state)
{
    (void)state;
    assert_begins("COMMAND DOCS nosuch get", "*2 $3 get *");
    assert_string_equal(row_run("COMMAND DOCS nosuch"), "*0");
}

static void list(void **state)
{
    (void)state;
    assert_string_equal(row_run("COMMAND LIST FILTERBY PATTERN config|*t"),
                        "*3 $10 config|get $10 config|set $16 config|resetstat");
    assert_string_equal(row_run("COMMAND LIST FILTERBY MODULE json"), "*0");
    assert_string_equal(row_run("COMMAND LIST FILTERBY ACLCAT nosuch"), "*0");
    assert_non_null(strstr(row_run("COMMAND LIST FILTERBY ACLCAT Bitmap"), " $6 bitpos"));
    assert_string_equal(row_run("COMMAND LIST FILTERBY what x"), "-ERR syntax error");
    assert_string_equal(row_run("COMMAND LIST FILTERBY PATTERN"), "-ERR syntax error");
}

static void getkeys(void **state)
{
    (void)state;
    assert_string_equal(row_run("COMMAND GETKEYS GET k"), "*1 $1 k");
    assert_string_equal(row_run("COMMAND GETKEYS mset a 1 b 2"), "*2 $1 a $1 b");
    assert_string_equal(row_run("COMMAND GETKEYS object encoding k"), "*1 $1 k");
    assert_string_equal(row_run("COMMAND GETKEYSANDFLAGS MGET a b"),
                        "*2 *2 $1 a *2 +RO +access *2 $1 b *2 +RO +access");
    assert_string_equal(row_run("COMMAND GETKEYSANDFLAGS SET k v"),
                        "*1 *2 $1 k *3 +RW +access +update");
    assert_string_equal(row_run("COMMAND GETKEYSANDFLAGS ping x"),
                        "-ERR The command has no key arguments");
    assert_string_equal(row_run("COMMAND GETKEYS nosuch k"), "-ERR Invalid command specified");
    assert_string_equal(row_run("COMMAND GETKEYS object nosuch k"),
                        "-ERR Invalid command specified");
    assert_string_equal(row_run("COMMAND GETKEYS ping x"), "-ERR The command has no key arguments");
    assert_string_equal(row_run("COMMAND GETKEYS ping"),
                        "-ERR wrong number of arguments for 'command|getkeys' command");
    assert_string_equal(row_run("COMMAND GETKEYS mset a 1 b"),
                        "-ERR Invalid number of arguments specified for command");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(all),  ROW_TEST(info_of_some), ROW_TEST(docs_of_some),
        ROW_TEST(list), ROW_TEST(getkeys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
