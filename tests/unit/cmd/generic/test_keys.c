/*
 * test_keys.c - DEL, EXISTS and their relatives.
 */
#include "support/cmd_harness.h"

static void del_exists_touch(void **state)
{
    RUN_STEPS(state, { "DEL a", ":0" }, { "MSET a 1 b 2 c 3", "+OK" }, { "EXISTS a b a x", ":3" },
              { "TOUCH a x", ":1" }, { "DEL a a x b", ":2" }, { "EXISTS a b", ":0" },
              { "UNLINK c", ":1" }, { "DBSIZE", ":0" }, { "SET a 1 PX 5", "+OK" }, { "@5", "" },
              { "DEL a", ":0" }, { "DEL", "-ERR wrong number of arguments for 'del' command" });
}

static void type(void **state)
{
    RUN_STEPS(state, { "TYPE a", "+none" }, { "SET a 1", "+OK" }, { "TYPE a", "+string" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(del_exists_touch),
        HARNESS_TEST(type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
