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

/* ---- counts that are known late ------------------------------------------- */

static const char long_text[REPLY_PIN_BYTES_MIN];
static bool late;

/* One container of each kind, the second inside the first: with the counts said before or after. */
static void put_nested(struct reply *reply, uint32_t count)
{
    char number[16];
    struct reply_opened outer = reply_open(reply);
    if (!late)
        reply_array(reply, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(number, sizeof(number), "%u", i);
        reply_cstr(reply, number);
        reply_mark(reply);
    }
    struct reply_opened inner = reply_open(reply);
    if (!late)
        reply_map(reply, 2);
    reply_cstr(reply, "pinned");
    assert_true(reply_str_pinned(reply, bytes_of(long_text, sizeof(long_text)), &late));
    reply_mark(reply);
    reply_cstr(reply, "set");
    struct reply_opened set = reply_open(reply);
    if (late)
        reply_close(reply, set, REPLY_SET, 0);
    else
        reply_set(reply, 0);
    if (late)
        reply_close(reply, inner, REPLY_MAP, 2);
    if (late)
        reply_close(reply, outer, REPLY_ARRAY, count + 1);
}

/* Behind a reply with a pin and a mark, as in a pipeline. */
static void put_all(struct reply *reply, bool known_late, uint32_t count)
{
    late = known_late;
    reply_begin(reply);
    assert_true(reply_str_pinned(reply, bytes_of(long_text, sizeof(long_text)), &late));
    reply_mark(reply);
    reply_end(reply);
    reply_begin(reply);
    put_nested(reply, count);
    reply_end(reply);
}

static void a_count_may_be_said_late(void **state)
{
    static const uint32_t counts[] = { 0, 8, 9, 10, 99, 1000, 100000 };
    (void)state;
    for (int proto = PROTO_RESP2; proto <= PROTO_NATIVE; proto++)
        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
            for (size_t lent = 0; lent < 300; lent += lent < 40 ? 1 : 51) {
                char first[2][300];
                struct reply reply[2];
                for (int i = 0; i < 2; i++) {
                    reply_init(&reply[i], (enum proto)proto, first[i], lent, NULL, 0);
                    reply[i].marking = true;
                    put_all(&reply[i], i == 1, counts[c]);
                    assert_false(reply[i].no_memory);
                }
                assert_int_equal(reply[0].size, reply[1].size);
                assert_memory_equal(reply[0].base, reply[1].base, reply[0].size);
                assert_int_equal(reply[0].pin_count, reply[1].pin_count);
                for (uint32_t i = 0; i < reply[0].pin_count; i++)
                    assert_int_equal(reply[0].pins[i].offset, reply[1].pins[i].offset);
                assert_int_equal(reply[0].mark_count, reply[1].mark_count);
                for (uint32_t i = 0; i < reply[0].mark_count; i++)
                    assert_int_equal(reply[0].marks[i], reply[1].marks[i]);
                reply_fini(&reply[0]);
                reply_fini(&reply[1]);
                if (counts[c] > 1000)
                    break;
            }
}

static void values_are_put_before_others(void **state)
{
    struct reply reply;
    (void)state;
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_ok(&reply);
    struct reply_opened opened = reply_open(&reply);
    reply_int(&reply, 2);
    reply_prepend(&reply, opened, bytes_str("*2\r\n:1\r\n"));
    assert_int_equal(reply.size, strlen("+OK\r\n*2\r\n:1\r\n:2\r\n"));
    assert_memory_equal(reply.base, "+OK\r\n*2\r\n:1\r\n:2\r\n", reply.size);
    reply_fini(&reply);
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
        cmocka_unit_test(a_count_may_be_said_late),
        cmocka_unit_test(values_are_put_before_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
