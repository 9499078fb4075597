/*
 * test_expire.c - times of all units become milliseconds of the shard's clock.
 */
#include "shoal/cmd/generic/expire.h"

#include "support/cmd_harness.h"

enum { REFUSED = -1 };

/* The deadline relative to the shard's clock, or REFUSED with one error replied. */
static int64_t parsed(struct harness *h, const char *text, enum expire_unit unit, bool positive)
{
    char memory[128];
    struct reply reply;
    struct exec exec = { .keyspace = h->keyspace, .reply = &reply };
    int64_t expire_ms = 0;
    exec.command = registry_find(bytes_str("set"));
    reply_init(&reply, PROTO_RESP2, memory, sizeof(memory), NULL, 0);
    bool ok = positive ? expire_parse_positive(&exec, bytes_str(text), unit, &expire_ms)
                       : expire_parse(&exec, bytes_str(text), unit, &expire_ms);
    assert_int_equal(reply.errors, !ok);
    assert_true(!ok || expire_ms >= 1); /* 0 would be "never" */
    snprintf(h->text, sizeof(h->text), "%.*s", (int)reply.size, reply.base);
    reply_fini(&reply);
    return ok ? expire_ms - h->keyspace->now_ms : REFUSED;
}

static void units(void **state)
{
    char text[32];
    struct harness *h = *state;
    assert_int_equal(parsed(h, "10", EXPIRE_S, false), 10000);
    assert_int_equal(parsed(h, "10", EXPIRE_MS, false), 10);
    int64_t wall_ms = clock_to_wall(h->keyspace->now_ms) + 70 * 1000;
    snprintf(text, sizeof(text), "%lld", (long long)wall_ms);
    assert_int_equal(parsed(h, text, EXPIRE_WALL_MS, false), 70 * 1000);
    snprintf(text, sizeof(text), "%lld", (long long)wall_ms / 1000);
    assert_int_equal(parsed(h, text, EXPIRE_WALL_S, false), 70 * 1000 - wall_ms % 1000);
}

static void the_past(void **state)
{
    struct harness *h = *state;
    int64_t first = 1 - h->keyspace->now_ms; /* the earliest an item can hold */
    assert_int_equal(parsed(h, "-9000000000000000", EXPIRE_S, false), first);
    assert_int_equal(parsed(h, "-9223372036854775808", EXPIRE_MS, false), first);
    assert_int_equal(parsed(h, "-5", EXPIRE_MS, false), -5);
    assert_int_equal(parsed(h, "0", EXPIRE_MS, false), 0);
    assert_int_equal(parsed(h, "0", EXPIRE_MS, true), REFUSED);
    assert_string_equal(h->text, "-ERR invalid expire time in 'set' command\r\n");
    assert_int_equal(parsed(h, "-1", EXPIRE_S, true), REFUSED);
    assert_int_equal(parsed(h, "1", EXPIRE_MS, true), 1);
}

static void what_does_not_fit(void **state)
{
    struct harness *h = *state;
    assert_int_equal(parsed(h, "9223372036854775807", EXPIRE_S, false), REFUSED);
    assert_string_equal(h->text, "-ERR invalid expire time in 'set' command\r\n");
    assert_int_equal(parsed(h, "9223372036854775807", EXPIRE_MS, false), REFUSED);
    assert_int_equal(parsed(h, "1.5", EXPIRE_S, false), REFUSED);
    assert_string_equal(h->text, "-ERR value is not an integer or out of range\r\n");
    assert_int_equal(parsed(h, "", EXPIRE_S, false), REFUSED);
}

static void the_maximum_applies(void **state)
{
    struct harness *h = *state;
    h->keyspace->lifetime = lifetime_of(0, 3000, 0);
    assert_int_equal(parsed(h, "2", EXPIRE_S, false), 2000);
    assert_int_equal(parsed(h, "10", EXPIRE_S, false), 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HARNESS_TEST(units),
        HARNESS_TEST(the_past),
        HARNESS_TEST(what_does_not_fit),
        HARNESS_TEST(the_maximum_applies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
