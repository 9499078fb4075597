/*
 * test_reply_ref.c - replies by reference: counted where they are used, freed where they were made.
 */
#include "shoal/conn/reply_ref.h"

#include "shoal/store/value/blob.h"
#include "support/reactors.h"

static bool out_of_memory;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return out_of_memory ? NULL : __real_calloc(count, size);
}

static uint64_t reply_bytes(uint32_t reactor)
{
    return reactor_at(reactor)->conns->budget.reply_bytes;
}

static struct arena *arena(void)
{
    return reactor_at(0)->keyspace->arena;
}

/* A value that a reply reads, and nobody owns any more: it is freed with the last reading. */
static struct blob *blob_read_once(void)
{
    struct blob *blob = blob_new(arena(), BLOB_BYTES_MIN, BLOB_BYTES_MIN);
    memset(blob->data, 'b', blob->size);
    blob_read(blob);
    return blob;
}

static void pin(struct reply *reply, struct blob *blob)
{
    reply_str_pinned(reply, bytes_of(blob->data, blob->size), blob);
}

/* ---- by hand ------------------------------------------------------------- */

static void it_takes_the_bytes_of_a_reply(void **state)
{
    (void)state;
    char lent[64];
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, lent, sizeof(lent), NULL, 0);
    reply_str(&reply, bytes_str("lent"));
    struct reply_ref *ref = reply_ref_new(reactor_at(0), &reply, false);
    memset(lent, 'x', sizeof(lent));
    assert_int_equal(ref->size, 10);
    assert_memory_equal(ref->base, "$4\r\nlent\r\n", 10);
    assert_int_equal(reply_bytes(0), 10);
    reply_ref_unuse(reactor_at(0), ref);
    assert_int_equal(reply_bytes(0), 0);
}

static void it_lives_until_its_last_use(void **state)
{
    (void)state;
    struct reply reply;
    struct blob *blob = blob_read_once();
    blob_disown(blob);
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    pin(&reply, blob);
    struct reply_ref *ref = reply_ref_new(reactor_at(0), &reply, false);
    assert_int_equal(reply.pin_count, 0); /* the reply has nothing left */
    assert_int_equal(ref->pin_count, 1);
    reply_ref_use(ref);
    reply_ref_unuse(reactor_at(0), ref);
    assert_int_equal(blob->readers, 1);
    assert_true(reply_bytes(0) > 0);
    reply_ref_unuse(reactor_at(0), ref);
    assert_int_equal(reply_bytes(0), 0);
    assert_int_equal(arena_lingering(arena()), 0);
}

static void without_memory_the_pins_are_given_back(void **state)
{
    (void)state;
    struct reply reply;
    struct blob *blob = blob_read_once();
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    pin(&reply, blob);
    out_of_memory = true;
    assert_null(reply_ref_new(reactor_at(0), &reply, false));
    out_of_memory = false;
    assert_int_equal(blob->readers, 0);
    blob_disown(blob);
}

static void a_ref_may_pin_another_ref(void **state)
{
    (void)state;
    struct reply inner, outer;
    reply_init(&inner, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_str(&inner, bytes_str("inner"));
    struct reply_ref *ref = reply_ref_new(reactor_at(0), &inner, false);
    reply_init(&outer, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_raw_pinned(&outer, bytes_of(ref->base, ref->size), ref); /* takes over our use */
    reply_discard(reactor_at(0), &outer, true);
    assert_int_equal(reply_bytes(0), 0);
}

static void its_last_use_elsewhere_sends_it_home(void **state)
{
    (void)state;
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_str(&reply, bytes_str("far from home"));
    struct reply_ref *ref = reply_ref_new(reactor_at(0), &reply, false);
    reply_ref_unuse(reactor_at(1), ref);
    assert_true(reply_bytes(0) > 0);
    turn_until_quiet();
    assert_int_equal(reply_bytes(0), 0);
}

/* ---- by commands --------------------------------------------------------- */

static void a_value_stays_while_it_is_sent(void **state)
{
    (void)state;
    enum { SIZE = 50000 };
    struct client *reader = client_open(0), *writer = client_open(0);
    client_put_set(writer, key(1, 0), SIZE, 'v');
    turn_until_quiet();
    reader->line->blocked = true;
    tell(reader, "GET %s", key(1, 0));
    turn_until_quiet();
    ask(writer, "DEL %s", key(1, 0));
    assert_true(arena_lingering(reactor_at(1)->keyspace->arena) >= SIZE);
    reader->line->blocked = false;
    turn_until_quiet();
    assert_int_equal(arena_lingering(reactor_at(1)->keyspace->arena), 0);
    const struct fake_bytes *out = &reader->line->out;
    assert_int_equal(out->size, SIZE + strlen("$50000\r\n\r\n"));
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(out->data[strlen("$50000\r\n") + i], 'v');
}

static void values_of_several_shards_stay_while_they_are_sent(void **state)
{
    (void)state;
    enum { SIZE = 20000 };
    struct client *reader = client_open(0), *writer = client_open(0);
    for (uint32_t shard = 0; shard < 2; shard++)
        client_put_set(writer, key(shard, 0), SIZE, (char)('a' + shard));
    turn_until_quiet();
    reader->line->blocked = true;
    tell(reader, "MGET %s %s", key(1, 0), key(0, 0));
    turn_until_quiet();
    ask(writer, "FLUSHALL");
    assert_true(reply_bytes(1) > 0);
    reader->line->blocked = false;
    turn_until_quiet();
    assert_int_equal(reply_bytes(1), 0);
    const char *at = reader->line->out.data + strlen("*2\r\n$20000\r\n");
    assert_int_equal(at[0], 'b');
    assert_int_equal(at[SIZE - 1], 'b');
    assert_int_equal(at[SIZE + strlen("\r\n$20000\r\n")], 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, it_takes_the_bytes_of_a_reply),
        with_reactors(1, it_lives_until_its_last_use),
        with_reactors(1, without_memory_the_pins_are_given_back),
        with_reactors(1, a_ref_may_pin_another_ref),
        with_reactors(2, its_last_use_elsewhere_sends_it_home),
        with_reactors(2, a_value_stays_while_it_is_sent),
        with_reactors(2, values_of_several_shards_stay_while_they_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
