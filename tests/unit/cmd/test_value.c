/*
 * test_value.c - values as replies, as numbers, and as they are stored; references of pinned ones.
 */
#include "shoal/cmd/value.h"

#include "support/cmd_harness.h"

static struct reply reply;

static struct exec exec_of(struct harness *h)
{
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    return (struct exec){ .keyspace = h->keyspace, .reply = &reply };
}

static struct key key_of(const char *name)
{
    return (struct key){ .name = bytes_str(name), .hash = hash_key(bytes_str(name)) };
}

static const struct item *find(struct harness *h, const char *name)
{
    return keyspace_find(h->keyspace, key_of(name));
}

static void assert_replied(const char *wanted)
{
    assert_int_equal(reply.size, strlen(wanted));
    assert_memory_equal(reply.base, wanted, strlen(wanted));
    reply_fini(&reply);
}

static void live_until_it_expires(void **state)
{
    struct harness *h = *state;
    harness_run(h, "SET a 1");
    harness_run(h, "SET b 1 PX 5");
    const struct item *forever = find(h, "a"), *brief = find(h, "b");
    assert_true(value_live(h->keyspace, forever) && value_live(h->keyspace, brief));
    h->keyspace->now_ms += 4;
    assert_true(value_live(h->keyspace, brief));
    h->keyspace->now_ms += 1;
    assert_true(value_live(h->keyspace, forever));
    assert_false(value_live(h->keyspace, brief));
}

static void replies(void **state)
{
    struct harness *h = *state;
    harness_run(h, "MSET i -12 s text");
    struct exec exec = exec_of(h);
    value_reply(&exec, NULL);
    value_reply(&exec, find(h, "i"));
    value_reply(&exec, find(h, "s"));
    value_reply_part(&exec, find(h, "s"), bytes_str("ex"));
    assert_replied("$-1\r\n$3\r\n-12\r\n$4\r\ntext\r\n$2\r\nex\r\n");
}

static uint32_t readers_of(const struct item *item)
{
    return item_blob(item)->readers;
}

/* What is written since the mark goes, with the references of what it had pinned. */
static void rollback(void **state)
{
    struct harness *h = *state;
    harness_run(h, "SETRANGE big 99999 x");
    const struct item *item = find(h, "big");
    struct exec exec = exec_of(h);
    value_reply(&exec, item);
    struct value_mark mark = value_mark(&exec);
    size_t size = reply.size;
    value_reply(&exec, item);
    value_reply(&exec, item);
    assert_int_equal(reply.pin_count, 3);
    assert_int_equal(readers_of(item), 3);
    value_rollback(&exec, mark);
    assert_int_equal(reply.pin_count, 1);
    assert_int_equal(readers_of(item), 1);
    assert_int_equal(reply.size, size);
    value_rollback(&exec, (struct value_mark){ 0 });
    assert_int_equal(readers_of(item), 0);
    reply_fini(&reply);
}

static void numbers(void **state)
{
    struct harness *h = *state;
    int64_t value = 0;
    harness_run(h, "MSET a -12 b 1x c 007");
    harness_run(h, "SET d 12");
    harness_run(h, "APPEND d 3"); /* kept as text, and a number all the same */
    assert_true(value_int(find(h, "a"), &value));
    assert_int_equal(value, -12);
    assert_true(value_int(find(h, "d"), &value));
    assert_int_equal(value, 123);
    assert_false(value_int(find(h, "b"), &value));
    assert_false(value_int(find(h, "c"), &value));
}

static void sizes_and_storing(void **state)
{
    struct harness *h = *state;
    struct exec exec = exec_of(h);
    assert_true(value_size_ok(&exec, VALUE_BYTES_MAX));
    assert_true(value_store(&exec, key_of("a"), bytes_str("v"), KEYSPACE_NO_TTL));
    assert_int_equal(reply.size, 0);
    assert_false(value_size_ok(&exec, (uint64_t)VALUE_BYTES_MAX + 1));
    assert_replied("-" ERR_STRING_TOO_LONG "\r\n");
    exec = exec_of(h);
    /* refused by its size alone: the bytes are not looked at */
    struct bytes large = bytes_of("", (size_t)VALUE_BYTES_MAX + 1);
    assert_false(value_store(&exec, key_of("a"), large, KEYSPACE_NO_TTL));
    assert_replied("-" ERR_STRING_TOO_LONG "\r\n");
    assert_string_equal(harness_run(h, "GET a"), "$1 v");
    assert_string_equal(value_type_name(find(h, "a")), "string");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(live_until_it_expires),
        HARNESS_TEST(replies),
        HARNESS_TEST(rollback),
        HARNESS_TEST(numbers),
        HARNESS_TEST(sizes_and_storing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
