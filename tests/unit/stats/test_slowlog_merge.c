/*
 * test_slowlog_merge.c - the ids of entries as slowlog_reply() encodes them, in each protocol.
 */
#include "shoal/stats/slowlog_merge.h"

#include "shoal/stats/slowlog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct slowlog *log, const char *word)
{
    struct span span = { 0, (uint32_t)strlen(word) };
    struct args args = { word, &span, 1 };
    slowlog_add(log, &args, 0, 20000, 1795334548000000, "127.0.0.1:1", "", 128);
}

static void ids_are_read_back(enum proto proto)
{
    struct slowlog log = { 0 };
    struct reply reply;
    add(&log, "first");
    add(&log, ":7\r\n"); /* must not be taken for the id */
    int64_t newest = log.first->id;
    reply_init(&reply, proto, NULL, 0, NULL, 0);
    reply.marking = true;
    slowlog_reply(&log, &reply, 128);
    assert_int_equal(reply.mark_count, 2);
    struct bytes one = bytes_of(reply.base, reply.marks[0]);
    struct bytes two = bytes_of(reply.base + reply.marks[0], reply.marks[1] - reply.marks[0]);
    assert_int_equal(slowlog_entry_id(one, proto), newest);
    assert_int_equal(slowlog_entry_id(two, proto), newest - 1);
    reply_fini(&reply);
    slowlog_clear(&log);
}

static void ids_in_resp2(void **state)
{
    (void)state;
    ids_are_read_back(PROTO_RESP2);
}

static void ids_in_resp3(void **state)
{
    (void)state;
    ids_are_read_back(PROTO_RESP3);
}

static void ids_in_native(void **state)
{
    (void)state;
    ids_are_read_back(PROTO_NATIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_resp2),
        cmocka_unit_test(ids_in_resp3),
        cmocka_unit_test(ids_in_native),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
