/*
 * test_families.c - every family of this layer is in its list.
 */
#include "support/cmd_harness.h"

static bool has(const char *name)
{
    uint32_t count;
    const struct command *const *families = cmd_families(&count);
    for (uint32_t i = 0; i < count; i++)
        for (const struct command *row = families[i]; row->name != NULL; row++)
            if (strcmp(row->name, name) == 0)
                return true;
    return false;
}

/* A command of each file that has a family. */
static void one_of_each(void **state)
{
    static const char *const names[] = { "get",    "append", "mget", "getbit", "bitfield",
                                         "bitop",  "lcs",    "incr", "del",    "object",
                                         "rename", "dbsize", "scan", "expire" };
    uint32_t count;
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!has(names[i]))
            fail_msg("no family has %s", names[i]);
    cmd_families(&count);
    assert_int_equal(count, sizeof(names) / sizeof(names[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_of_each) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
