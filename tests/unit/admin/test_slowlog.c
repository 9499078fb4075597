/*
 * test_slowlog.c - SLOWLOG: the slow commands of all reactors, newest first.
 */
#include "support/admin_harness.h"

/* A command "get <name>" that took `us` on this reactor. */
static void add(struct admin_harness *h, uint32_t shard, const char *name, int64_t us)
{
    char line[64];
    struct span spans[2] = { { 0, 3 }, { 4, (uint32_t)strlen(name) } };
    snprintf(line, sizeof(line), "get %s", name);
    const struct args args = { .base = line, .v = spans, .count = 2 };
    slowlog_add(&admin_reactor(h, shard)->records->slowlog, &args, 0, us, 5000000, "127.0.0.1:9",
                "me", (uint32_t)h->server->settings->slowlog_max_len);
}

/* The second arguments of the last reply's entries: "c b a". */
static const char *names(const struct admin_harness *h)
{
    static char text[256];
    static const char before[] = "$3\nget\n$1\n";
    size_t size = 0;
    text[0] = '\0';
    for (const char *at = strstr(h->text, before); at != NULL; at = strstr(at + 1, before))
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%c", size > 0 ? " " : "",
                                 at[sizeof(before) - 1]);
    return text;
}

static void entries_of_all_reactors_are_newest_first(void **state)
{
    struct admin_harness *h = *state;
    assert_string_equal(admin_run(h, "slowlog get"), "*0\n");
    add(h, 0, "a", 10);
    add(h, 1, "b", 20);
    add(h, 1, "c", 30);
    add(h, 0, "d", 40);
    admin_run(h, "slowlog get");
    assert_string_equal(names(h), "d c b a");
    assert_memory_equal(h->text, "*4\n*6\n", 6);
    assert_non_null(
        strstr(h->text, "\n:5\n:40\n*2\n$3\nget\n$1\nd\n$11\n127.0.0.1:9\n$2\nme\n*6\n"));
    admin_run(h, "slowlog get 3");
    assert_string_equal(names(h), "d c b");
}

static void ten_come_unless_more_are_asked_for(void **state)
{
    struct admin_harness *h = *state;
    for (int i = 0; i < 12; i++)
        add(h, (uint32_t)i % 2, (char[]){ 'a' + (char)i, '\0' }, 10);
    admin_run(h, "slowlog get");
    assert_string_equal(names(h), "l k j i h g f e d c");
    admin_run(h, "slowlog get -1");
    assert_string_equal(names(h), "l k j i h g f e d c b a");
    assert_string_equal(admin_run(h, "slowlog get 0"), "*0\n");
}

/* Each reactor keeps as many as all together may show. */
static void the_limit_is_of_all_together(void **state)
{
    struct admin_harness *h = *state;
    admin_settings(h)->slowlog_max_len = 3;
    for (int i = 0; i < 6; i++)
        add(h, (uint32_t)i % 2, (char[]){ 'a' + (char)i, '\0' }, 10);
    assert_string_equal(admin_run(h, "slowlog len"), ":3\n");
    admin_run(h, "slowlog get -1");
    assert_string_equal(names(h), "f e d");
    admin_run(h, "slowlog get 100");
    assert_string_equal(names(h), "f e d");
}

static void wrong_counts_are_refused(void **state)
{
    struct admin_harness *h = *state;
    static const char refusal[] = "-ERR count should be greater than or equal to -1\n";
    assert_string_equal(admin_run(h, "slowlog get -2"), refusal);
    assert_string_equal(admin_run(h, "slowlog get x"), refusal);
    assert_string_equal(admin_run(h, "slowlog Get 1 1"),
                        "-ERR unknown subcommand or wrong number of arguments for 'Get'. "
                        "Try SLOWLOG HELP.\n");
}

static void reset_empties_all(void **state)
{
    struct admin_harness *h = *state;
    add(h, 0, "a", 10);
    add(h, 1, "b", 20);
    assert_string_equal(admin_run(h, "slowlog len"), ":2\n");
    assert_string_equal(admin_run(h, "slowlog reset"), "+OK\n");
    assert_string_equal(admin_run(h, "slowlog len"), ":0\n");
    assert_string_equal(admin_run(h, "slowlog get"), "*0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)
        TEST(entries_of_all_reactors_are_newest_first),
        TEST(ten_come_unless_more_are_asked_for),
        TEST(the_limit_is_of_all_together),
        TEST(wrong_counts_are_refused),
        TEST(reset_empties_all),
    };
    return cmocka_run_group_tests(tests, admin_register, NULL);
}
