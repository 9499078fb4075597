/*
 * test_strings.c - SET, GET and their relatives, option by option.
 */
#include "support/cmd_harness.h"

static void set_and_get(void **state)
{
    RUN_STEPS(state, { "GET a", "$-1" }, { "SET a 1", "+OK" }, { "get a", "$1 1" },
              { "SET a \"\"", "+OK" }, { "GET a", "$0 " }, { "SET a -9223372036854775808", "+OK" },
              { "GET a", "$20 -9223372036854775808" }, { "SET a 007", "+OK" },
              { "GET a", "$3 007" }, { "SET \"\" x", "+OK" }, { "GET \"\"", "$1 x" },
              { "GET", "-ERR wrong number of arguments for 'get' command" },
              { "SET a", "-ERR wrong number of arguments for 'set' command" });
}

static void set_conditions(void **state)
{
    RUN_STEPS(state, { "SET a 1 XX", "$-1" }, { "SET a 1 NX", "+OK" }, { "SET a 2 nx", "$-1" },
              { "GET a", "$1 1" }, { "SET a 3 XX", "+OK" }, { "GET a", "$1 3" },
              { "SET a 4 NX XX", "-ERR syntax error" }, { "SET a 4 NX NX", "$-1" },
              { "SET a 4 FOO", "-ERR syntax error" }, { "SET a 4 PERSIST", "-ERR syntax error" });
}

static void set_ifeq(void **state)
{
    RUN_STEPS(state, { "SET a 1 IFEQ 1", "$-1" }, { "EXISTS a", ":0" }, { "SET a 1", "+OK" },
              { "SET a 2 IFEQ 0", "$-1" }, { "SET a 2 IFEQ 1", "+OK" },
              { "SET a 3 IFEQ 2 GET", "$1 2" }, { "SET a 4 IFEQ 2 GET", "$1 3" },
              { "GET a", "$1 3" }, { "SET b 4 IFEQ 2 GET", "$-1" }, { "EXISTS b", ":0" },
              { "SET a 4 IFEQ", "-ERR syntax error" }, { "SET a 4 IFEQ 1 NX", "-ERR syntax error" },
              { "SET a 4 XX IFEQ 1", "-ERR syntax error" }, { "SET a t EX 10 IFEQ 3", "+OK" },
              { "TTL a", ":10" }, { "SET a u IFEQ T", "$-1" });
}

static void set_get(void **state)
{
    RUN_STEPS(state, { "SET a 1 GET", "$-1" }, { "SET a 2 GET", "$1 1" },
              { "SET a 3 GET NX", "$1 2" }, { "GET a", "$1 2" }, { "SET b 1 GET NX", "$-1" },
              { "GET b", "$1 1" }, { "SET c 1 XX GET", "$-1" }, { "EXISTS c", ":0" });
}

static void set_ttl(void **state)
{
    RUN_STEPS(state, { "SET a 1 EX 10", "+OK" }, { "PTTL a", ":10000" },
              { "SET a 1 px 1500 ", "+OK" }, { "PTTL a", ":1500" }, { "SET a 2 KEEPTTL", "+OK" },
              { "PTTL a", ":1500" }, { "@500", "" }, { "PTTL a", ":1000" }, { "@1000", "" },
              { "GET a", "$-1" }, { "SET a 1 EX 5", "+OK" }, { "SET a 1", "+OK" },
              { "TTL a", ":-1" }, { "SET a 1 EX 10 EX 20", "+OK" }, { "TTL a", ":20" },
              { "SET a 1 PXAT 4102444800000", "+OK" }, { "PEXPIRETIME a", ":4102444800000" },
              { "SET a 1 EXAT 4102444800", "+OK" }, { "EXPIRETIME a", ":4102444800" },
              { "SET a 1 EXAT 1", "+OK" }, { "GET a", "$-1" }, { "SET n 1 KEEPTTL", "+OK" },
              { "TTL n", ":-1" });
}

static void set_ttl_refused(void **state)
{
    RUN_STEPS(state, { "SET a 1 EX", "-ERR syntax error" },
              { "SET a 1 EX x", "-ERR value is not an integer or out of range" },
              { "SET a 1 EX 0", "-ERR invalid expire time in 'set' command" },
              { "SET a 1 PX -1", "-ERR invalid expire time in 'set' command" },
              { "SET a 1 EX 9223372036854775807", "-ERR invalid expire time in 'set' command" },
              { "SET a 1 PX 9223372036854775807", "-ERR invalid expire time in 'set' command" },
              { "SET a 1 EX 10 PX 10", "-ERR syntax error" },
              { "SET a 1 EX 10 KEEPTTL", "-ERR syntax error" },
              { "SET a 1 KEEPTTL PXAT 10", "-ERR syntax error" }, { "EXISTS a", ":0" });
}

static void setnx_setex_psetex(void **state)
{
    RUN_STEPS(state, { "SETNX a 1", ":1" }, { "SETNX a 2", ":0" }, { "GET a", "$1 1" },
              { "SETEX a 10 v", "+OK" }, { "TTL a", ":10" }, { "PSETEX a 10 w", "+OK" },
              { "PTTL a", ":10" }, { "GET a", "$1 w" }, { "@10", "" }, { "SETNX a 3", ":1" },
              { "SETEX a 0 v", "-ERR invalid expire time in 'setex' command" },
              { "PSETEX a -1 v", "-ERR invalid expire time in 'psetex' command" },
              { "SETEX a x v", "-ERR value is not an integer or out of range" });
}

static void getset_getdel(void **state)
{
    RUN_STEPS(state, { "GETSET a 1", "$-1" }, { "EXPIRE a 10", ":1" }, { "GETSET a 2", "$1 1" },
              { "TTL a", ":-1" }, { "GETDEL a", "$1 2" }, { "GETDEL a", "$-1" },
              { "EXISTS a", ":0" });
}

static void getex(void **state)
{
    RUN_STEPS(state, { "GETEX a", "$-1" }, { "GETEX a EX 0", "$-1" }, { "SET a 1", "+OK" },
              { "GETEX a", "$1 1" }, { "TTL a", ":-1" }, { "GETEX a EX 10", "$1 1" },
              { "TTL a", ":10" }, { "GETEX a", "$1 1" }, { "TTL a", ":10" },
              { "GETEX a PERSIST", "$1 1" }, { "TTL a", ":-1" }, { "GETEX a PX 7", "$1 1" },
              { "PTTL a", ":7" }, { "GETEX a EXAT 4102444800", "$1 1" },
              { "EXPIRETIME a", ":4102444800" }, { "GETEX a PXAT 4102444800001", "$1 1" },
              { "PEXPIRETIME a", ":4102444800001" },
              { "GETEX a EX 0", "-ERR invalid expire time in 'getex' command" },
              { "GETEX a EX x", "-ERR value is not an integer or out of range" },
              { "GETEX a KEEPTTL", "-ERR syntax error" }, { "GETEX a NX", "-ERR syntax error" },
              { "GETEX a EX 10 PERSIST", "-ERR syntax error" },
              { "GETEX a PERSIST EX 10", "-ERR syntax error" }, { "GETEX a PXAT 1", "$1 1" },
              { "EXISTS a", ":0" });
}

/* A long value is lent to the reply, and outlives the key that it belonged to. */
static void long_values_are_pinned(void **state)
{
    struct harness *h = *state;
    enum { SIZE = 100000 };
    char *value = malloc(SIZE);
    memset(value, 'x', SIZE);
    struct bytes set[] = { bytes_str("SET"), bytes_str("a"), bytes_of(value, SIZE) };
    harness_run_args(h, set, 3);
    assert_string_equal(h->text, "+OK\r\n");

    static const char *const readers[] = { "GET a", "SET a z GET", "GETSET a z", "GETDEL a" };
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        harness_run_args(h, set, 3);
        harness_run(h, readers[i]);
        assert_int_equal(h->pins, 1);
        assert_int_equal(strlen(h->text), strlen("$100000 ") + SIZE);
        assert_memory_equal(h->text + strlen("$100000 "), value, SIZE);
    }
    free(value);
}

static void counts_hits_and_misses(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SET a 1", "+OK" }, { "GET a", "$1 1" }, { "GET b", "$-1" },
              { "SETNX a 2", ":0" }, { "MGET a b", "*2 $1 1 $-1" });
    keyspace_publish(h->keyspace);
    assert_int_equal(counter_get(&h->stats.hits), 2);
    assert_int_equal(counter_get(&h->stats.misses), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(set_and_get),
        HARNESS_TEST(set_conditions),
        HARNESS_TEST(set_ifeq),
        HARNESS_TEST(set_get),
        HARNESS_TEST(set_ttl),
        HARNESS_TEST(set_ttl_refused),
        HARNESS_TEST(setnx_setex_psetex),
        HARNESS_TEST(getset_getdel),
        HARNESS_TEST(getex),
        HARNESS_TEST(long_values_are_pinned),
        HARNESS_TEST(counts_hits_and_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
