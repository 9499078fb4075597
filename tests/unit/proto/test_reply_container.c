/*
 * test_reply_container.c - arrays, maps and sets, which RESP2 and the native protocol flatten.
 */
#include "unit/proto/reply_check.h"

static void put_map(struct reply *reply)
{
    reply_map(reply, 2);
    reply_cstr(reply, "a");
    reply_int(reply, 1);
    reply_cstr(reply, "b");
    reply_array(reply, 2);
    reply_nil(reply);
    reply_set(reply, 1);
    reply_ok(reply);
}

static void put_nil_array(struct reply *reply)
{
    reply_array(reply, 2);
    reply_cstr(reply, "message");
    reply_nil_array(reply);
}

static void put_empty_containers(struct reply *reply)
{
    reply_array(reply, 3);
    reply_array(reply, 0);
    reply_map(reply, 0);
    reply_set(reply, 0);
}

static void put_push(struct reply *reply)
{
    reply_push(reply, 3);
    reply_cstr(reply, "message");
    reply_cstr(reply, "");
    reply_int(reply, 7);
}

static void containers(void **state)
{
    (void)state;
    check(put_map, "[\"a\" 1 \"b\" [nil [+OK]]]", "{\"a\" 1 \"b\" [nil ~[+OK]]}",
          "[\"a\" 1 \"b\" [nil [\"OK\"]]]");
    check(put_nil_array, "[\"message\" nil]", "[\"message\" nil]", "[\"message\" nil]");
    check(put_push, "[\"message\" \"\" 7]", ">[\"message\" \"\" 7]", ">[\"message\" \"\" 7]");
    check(put_empty_containers, "[[] [] []]", "[[] {} ~[]]", "[[] [] []]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
