/*
 * test_string_parts.c - STRLEN, APPEND, GETRANGE, SETRANGE.
 */
#include "support/cmd_harness.h"

static void strlen_and_append(void **state)
{
    RUN_STEPS(state, { "STRLEN a", ":0" }, { "APPEND a ab", ":2" }, { "APPEND a cd", ":4" },
              { "GET a", "$4 abcd" }, { "STRLEN a", ":4" }, { "SET n -12", "+OK" },
              { "STRLEN n", ":3" }, { "APPEND n 3", ":4" }, { "GET n", "$4 -123" },
              { "INCR n", ":-122" }, { "APPEND e \"\"", ":0" }, { "EXISTS e", ":1" },
              { "EXPIRE a 10", ":1" }, { "APPEND a e", ":5" }, { "TTL a", ":10" },
              { "APPEND a \"\"", ":5" });
}

static void what_was_appended_to_is_raw(void **state)
{
    RUN_STEPS(state, { "APPEND a ab", ":2" }, { "OBJECT ENCODING a", "$6 embstr" },
              { "APPEND a \"\"", ":2" }, { "OBJECT ENCODING a", "$3 raw" }, { "SET a 1", "+OK" },
              { "APPEND a \"\"", ":1" }, { "OBJECT ENCODING a", "$3 raw" }, { "INCR a", ":2" },
              { "OBJECT ENCODING a", "$3 int" }, { "SETRANGE b 0 x", ":1" },
              { "OBJECT ENCODING b", "$3 raw" }, { "EXPIRE b 10", ":1" }, { "PERSIST b", ":1" },
              { "OBJECT ENCODING b", "$3 raw" }, { "GETSET b x", "$1 x" },
              { "OBJECT ENCODING b", "$6 embstr" });
}

static void append_past_the_pin_size(void **state)
{
    struct harness *h = *state;
    for (int i = 1; i <= 40000; i++) {
        harness_run(h, "APPEND a x");
        assert_int_equal(atoi(h->text + 1), i);
    }
    harness_run(h, "GETRANGE a 39990 -1");
    assert_string_equal(h->text, "$10 xxxxxxxxxx");
    harness_run(h, "GETRANGE a 1 39998");
    assert_int_equal(h->pins, 1);
    assert_int_equal(strlen(h->text), strlen("$39998 ") + 39998);
}

static void getrange(void **state)
{
    RUN_STEPS(state, { "GETRANGE a 0 -1", "$0 " }, { "SET a hello", "+OK" },
              { "GETRANGE a 0 -1", "$5 hello" }, { "GETRANGE a 1 3", "$3 ell" },
              { "SUBSTR a 1 3", "$3 ell" }, { "GETRANGE a -3 -2", "$2 ll" },
              { "GETRANGE a -100 1", "$2 he" }, { "GETRANGE a 3 100", "$2 lo" },
              { "GETRANGE a 5 10", "$0 " }, { "GETRANGE a 3 1", "$0 " },
              { "GETRANGE a -1 -5", "$0 " }, { "GETRANGE a -100 -99", "$1 h" },
              { "GETRANGE a -9223372036854775808 9223372036854775807", "$5 hello" },
              { "GETRANGE a 9223372036854775807 9223372036854775807", "$0 " },
              { "GETRANGE a x 1", "-ERR value is not an integer or out of range" },
              { "GETRANGE a 0 1.5", "-ERR value is not an integer or out of range" },
              { "SET n 1234", "+OK" }, { "GETRANGE n 1 2", "$2 23" }, { "SET e \"\"", "+OK" },
              { "GETRANGE e 0 0", "$0 " });
}

static void setrange(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "SETRANGE a 0 \"\"", ":0" }, { "EXISTS a", ":0" },
              { "SETRANGE a 0 foo", ":3" }, { "SETRANGE a 1 xx", ":3" }, { "GET a", "$3 fxx" },
              { "SETRANGE a 2 yyy", ":5" }, { "GET a", "$5 fxyyy" }, { "SETRANGE a 9 \"\"", ":5" },
              { "SET n 1234", "+OK" }, { "SETRANGE n 0 \"\"", ":4" },
              { "OBJECT ENCODING n", "$3 int" }, { "SETRANGE n 1 9", ":4" }, { "GET n", "$4 1934" },
              { "OBJECT ENCODING n", "$3 raw" },
              { "SETRANGE a -1 x", "-ERR offset is out of range" },
              { "SETRANGE a x x", "-ERR value is not an integer or out of range" },
              { "SETRANGE a 536870912 x",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)" },
              { "SETRANGE b 9223372036854775807 x",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)" },
              { "EXISTS b", ":0" }, { "SETRANGE z 3 x", ":4" });
    struct bytes get[] = { bytes_str("GET"), bytes_str("z") };
    assert_int_equal(harness_run_args(h, get, 2), 10);
    assert_memory_equal(h->text, "$4\r\n\0\0\0x\r\n", 10);
}

/* A reply that still reads a long value does not see it change. */
static void writing_leaves_what_is_being_sent(void **state)
{
    struct harness *h = *state;
    struct reply reply;
    struct span span[] = { { 0, 3 }, { 3, 1 } };
    harness_run(h, "SETRANGE a 29999 x");
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    harness_dispatch(h, &reply, (struct args){ .base = "GETa", .v = span, .count = 2 });
    assert_int_equal(reply.pin_count, 1);
    harness_run(h, "SETRANGE a 29999 y");
    harness_run(h, "APPEND a z");
    assert_int_equal(reply.pins[0].text.size, 30000);
    assert_int_equal(reply.pins[0].text.data[29999], 'x');
    blob_unread(reply.pins[0].pin);
    reply_fini(&reply);
    assert_string_equal(harness_run(h, "GETRANGE a 29999 30000"), "$2 yz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(strlen_and_append),
        HARNESS_TEST(what_was_appended_to_is_raw),
        HARNESS_TEST(append_past_the_pin_size),
        HARNESS_TEST(getrange),
        HARNESS_TEST(setrange),
        HARNESS_TEST(writing_leaves_what_is_being_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
