/*
 * test_ttl.c - the EXPIRE and TTL families and PERSIST.
 */
#include "support/cmd_harness.h"

static void expire_and_ttl(void **state)
{
    RUN_STEPS(state, { "EXPIRE a 10", ":0" }, { "TTL a", ":-2" }, { "PTTL a", ":-2" },
              { "EXPIRETIME a", ":-2" }, { "SET a 1", "+OK" }, { "TTL a", ":-1" },
              { "PTTL a", ":-1" }, { "PEXPIRETIME a", ":-1" }, { "EXPIRE a 10", ":1" },
              { "TTL a", ":10" }, { "@501", "" }, { "TTL a", ":9" }, { "PTTL a", ":9499" },
              { "PEXPIRE a 1500", ":1" }, { "TTL a", ":2" }, { "@1499", "" }, { "PTTL a", ":1" },
              { "GET a", "$1 1" }, { "@1", "" }, { "GET a", "$-1" }, { "TTL a", ":-2" });
}

static void absolute_times(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "EXPIREAT a 4102444800", ":1" },
              { "EXPIRETIME a", ":4102444800" }, { "PEXPIRETIME a", ":4102444800000" },
              { "PEXPIREAT a 4102444800499", ":1" }, { "EXPIRETIME a", ":4102444800" },
              { "PEXPIREAT a 4102444800500", ":1" }, { "EXPIRETIME a", ":4102444801" },
              { "PEXPIREAT a 9223372036854775807", ":1" },
              { "PEXPIRETIME a", ":9223372036854775807" }, { "EXPIRETIME a", ":9223372036854776" },
              { "GET a", "$1 1" });
}

static void past_times_delete(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "EXPIRE a 0", ":1" }, { "EXISTS a", ":0" },
              { "SET a 1", "+OK" }, { "PEXPIRE a -9223372036854775808", ":1" },
              { "EXISTS a", ":0" }, { "SET a 1", "+OK" }, { "EXPIREAT a 0", ":1" },
              { "EXISTS a", ":0" }, { "SET a 1", "+OK" }, { "PEXPIREAT a -5", ":1" },
              { "EXISTS a", ":0" }, { "DBSIZE", ":0" });
}

static void refused(void **state)
{
    RUN_STEPS(
        state, { "EXPIRE a x", "-ERR value is not an integer or out of range" },
        { "EXPIRE a 1.5", "-ERR value is not an integer or out of range" },
        { "EXPIRE a 9223372036854775807", "-ERR invalid expire time in 'expire' command" },
        { "EXPIRE a -9223372036854775808", "-ERR invalid expire time in 'expire' command" },
        { "EXPIRE a 9223372036854775", "-ERR invalid expire time in 'expire' command" },
        { "PEXPIRE a 9223372036854775807", "-ERR invalid expire time in 'pexpire' command" },
        { "EXPIREAT a 9223372036854775807", "-ERR invalid expire time in 'expireat' command" },
        { "PEXPIREAT a 9223372036854775808", "-ERR value is not an integer or out of range" },
        { "EXPIRE a x FOO", "-ERR Unsupported option FOO" },
        { "EXPIRE a 1 NX GT",
          "-ERR NX and XX, GT or LT options at the same time are not compatible" },
        { "EXPIRE a 1 XX NX",
          "-ERR NX and XX, GT or LT options at the same time are not compatible" },
        { "EXPIRE a 1 LT GT", "-ERR GT and LT options at the same time are not compatible" },
        { "EXPIRE a", "-ERR wrong number of arguments for 'expire' command" });
}

static void conditions(void **state)
{
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "EXPIRE a 10 XX", ":0" }, { "EXPIRE a 10 GT", ":0" },
              { "TTL a", ":-1" }, { "EXPIRE a 100 LT", ":1" }, { "TTL a", ":100" },
              { "EXPIRE a 10 NX", ":0" }, { "EXPIRE a 100 GT", ":0" }, { "EXPIRE a 101 gt", ":1" },
              { "EXPIRE a 101 LT", ":0" }, { "EXPIRE a 100 XX LT", ":1" }, { "TTL a", ":100" },
              { "EXPIRE a 50 XX GT", ":0" }, { "EXPIRE a 50 XX", ":1" }, { "PERSIST a", ":1" },
              { "EXPIRE a 50 XX LT", ":0" }, { "EXPIRE a 50 NX NX", ":1" }, { "TTL a", ":50" },
              { "EXPIRE a -1 LT", ":1" }, { "EXISTS a", ":0" }, { "EXPIRE a 10 NX", ":0" });
}

static void persist(void **state)
{
    RUN_STEPS(state, { "PERSIST a", ":0" }, { "SET a 1", "+OK" }, { "PERSIST a", ":0" },
              { "EXPIRE a 10", ":1" }, { "PERSIST a", ":1" }, { "TTL a", ":-1" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(expire_and_ttl), HARNESS_TEST(absolute_times), HARNESS_TEST(past_times_delete),
        HARNESS_TEST(refused),        HARNESS_TEST(conditions),     HARNESS_TEST(persist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
