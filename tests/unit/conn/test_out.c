/*
 * test_out.c - unsent bytes: chunks, refs, and sends that end early. The ring is one that only
 * writes down.
 */
#include "shoal/conn/out.h"

#include "shoal/conn/conns.h"
#include "shoal/reactor/reactor.h"
#include "shoal/store/keyspace/keyspace.h"
#include "shoal/store/value/blob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include <cmocka.h>

enum { WIRE_MAX = 1 << 22 };

static struct reactor *reactor;
static struct conns conns;
static struct keyspace keyspace;
static struct out out;
static char *wire; /* what has been "sent" */
static size_t wire_size;

/* ---- a ring that sends when it is told to -------------------------------- */

static struct iovec flying[OUT_VECTOR_MAX];
static size_t flying_count, sends;

static void fake_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    (void)ring;
    assert_int_equal(fd, 7);
    assert_false(op->in_flight);
    assert_true(size > 0);
    op->in_flight = true;
    flying[0] = (struct iovec){ (void *)data, size };
    flying_count = 1;
    sends++;
}

static void fake_sendmsg(struct ring *ring, struct io_op *op, int fd, const struct msghdr *message)
{
    fake_send(ring, op, fd, message->msg_iov[0].iov_base, 1);
    assert_in_range(message->msg_iovlen, 2, OUT_VECTOR_MAX);
    memcpy(flying, message->msg_iov, message->msg_iovlen * sizeof(*flying));
    flying_count = message->msg_iovlen;
}

static const struct ring_engine engine = { .send = fake_send, .sendmsg = fake_sendmsg };
static struct ring fake_ring = { .engine = &engine };

static size_t flying_size(void)
{
    size_t size = 0;
    for (size_t i = 0; i < flying_count; i++)
        size += flying[i].iov_len;
    return size;
}

/* The send in flight ends after `size` bytes of it. */
static void lands(size_t size)
{
    size_t left = size;
    out.op.in_flight = false;
    for (size_t i = 0; i < flying_count && left > 0; i++) {
        size_t part = flying[i].iov_len < left ? flying[i].iov_len : left;
        assert_true(wire_size + part <= WIRE_MAX);
        memcpy(wire + wire_size, flying[i].iov_base, part);
        wire_size += part;
        left -= part;
    }
    flying_count = 0;
    out_sent(&out, reactor, size);
}

static void send_all(void)
{
    while (out.bytes > 0) {
        out_send(&out, &fake_ring, 7);
        lands(flying_size());
    }
}

static int begin(void **state)
{
    (void)state;
    reactor = calloc(1, sizeof(*reactor));
    memset(&conns, 0, sizeof(conns));
    reactor->conns = &conns;
    reactor->keyspace = &keyspace; /* its arena alone is used */
    memset(&out, 0, sizeof(out));
    wire = malloc(WIRE_MAX);
    wire_size = flying_count = sends = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    out_clear(&out, reactor);
    assert_int_equal(out.bytes, 0);
    assert_null(out.chunks.first);
    chunk_pool_fini(&reactor->conns->chunks);
    free(reactor);
    free(wire);
    return 0;
}

static void put(const char *text)
{
    assert_true(out_bytes(&out, &reactor->conns->chunks, text, strlen(text)));
}

static void assert_wire(const char *text)
{
    assert_int_equal(wire_size, strlen(text));
    assert_memory_equal(wire, text, wire_size);
}

/* ---- chunks -------------------------------------------------------------- */

static void little_replies_share_a_chunk(void **state)
{
    (void)state;
    put("one ");
    put("two ");
    put("three");
    assert_ptr_equal(out.chunks.first, out.chunks.last);
    out_send(&out, &fake_ring, 7);
    assert_int_equal(flying_count, 1);
    lands(13);
    assert_wire("one two three");
    assert_int_equal(sends, 1);
    assert_null(out.chunks.first);
}

static void nothing_is_sent_when_there_is_nothing(void **state)
{
    (void)state;
    size_t room;
    out_send(&out, &fake_ring, 7);
    assert_non_null(
        out_room(&out, &reactor->conns->chunks, &room)); /* and then nothing was written */
    assert_true(room >= CHUNK_ROOM_MIN);
    out_send(&out, &fake_ring, 7);
    assert_int_equal(sends, 0);
}

static void what_flies_is_not_added_to(void **state)
{
    (void)state;
    put("first");
    out_send(&out, &fake_ring, 7);
    put(" second");
    out_send(&out, &fake_ring, 7); /* one at a time */
    assert_int_equal(sends, 1);
    assert_int_equal(flying_size(), 5);
    lands(5);
    assert_int_equal(out.bytes, 7);
    send_all();
    assert_wire("first second");
}

static void an_early_end_goes_on_where_it_stopped(void **state)
{
    (void)state;
    put("abcdef");
    out_send(&out, &fake_ring, 7);
    lands(2);
    put("gh");
    out_send(&out, &fake_ring, 7);
    lands(1);
    send_all();
    assert_wire("abcdefgh");
}

/* A client that reads slowly is seen to read: no send waits for many megabytes to go. */
static void no_send_is_larger_than_its_limit(void **state)
{
    (void)state;
    static char text[3 * OUT_SEND_MAX + 5];
    struct reply reply;
    memset(text, 'z', sizeof(text));
    put("before");
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_raw(&reply, bytes_of(text, sizeof(text)));
    assert_true(out_ref(&out, reactor, reply_ref_new(reactor, &reply, false)));
    put("behind");
    for (int i = 0; i < 4; i++) {
        out_send(&out, &fake_ring, 7);
        assert_in_range(flying_size(), 1, OUT_SEND_MAX);
        lands(flying_size());
    }
    assert_int_equal(wire_size, 6 + sizeof(text) + 6);
    assert_int_equal(out.bytes, 0);
    assert_memory_equal(wire, "beforezzz", 9);
    assert_memory_equal(wire + wire_size - 9, "zzzbehind", 9);
}

static void room_is_never_little(void **state)
{
    (void)state;
    size_t room;
    char text[CHUNK_BYTES];
    memset(text, 'x', sizeof(text));
    for (size_t size = 1; size < CHUNK_BYTES; size += 997) {
        assert_true(out_bytes(&out, &reactor->conns->chunks, text, size));
        assert_non_null(out_room(&out, &reactor->conns->chunks, &room));
        assert_in_range(room, CHUNK_ROOM_MIN, CHUNK_BYTES);
    }
}

static void chunks_are_used_again(void **state)
{
    (void)state;
    static char text[40 * CHUNK_BYTES];
    memset(text, 'y', sizeof(text));
    assert_true(out_bytes(&out, &reactor->conns->chunks, text, sizeof(text)));
    send_all();
    uint64_t bytes = reactor->conns->chunks.slab_bytes;
    assert_true(bytes >= sizeof(text));
    assert_int_equal(reactor->conns->chunks.loose_bytes, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(out_bytes(&out, &reactor->conns->chunks, text, sizeof(text)));
        send_all();
    }
    assert_int_equal(reactor->conns->chunks.slab_bytes, bytes);
    assert_int_equal(wire_size, 6 * sizeof(text));
}

/* ---- refs ---------------------------------------------------------------- */

static struct blob *blob_of(char fill, size_t size)
{
    struct blob *blob = blob_new(reactor->keyspace->arena, size, size);
    memset(blob->data, fill, size);
    return blob;
}

/* "<" 100 x a ">" 50 x b "!": its pins are given back when the last byte has gone, not before. */
static void a_reference_is_sent_with_its_pins_in_place(void **state)
{
    (void)state;
    struct reply reply;
    reactor->keyspace->arena = arena_new();
    struct blob *a = blob_of('a', 100), *b = blob_of('b', 50);
    blob_read(a);
    blob_read(b);
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_raw(&reply, bytes_str("<"));
    assert_true(reply_raw_pinned(&reply, bytes_of(a->data, a->size), a));
    reply_raw(&reply, bytes_str(">"));
    assert_true(reply_raw_pinned(&reply, bytes_of(b->data, b->size), b));
    reply_raw(&reply, bytes_str("!"));
    put("before");
    struct reply_ref *ref = reply_ref_new(reactor, &reply, false);
    assert_non_null(ref);
    assert_true(out_ref(&out, reactor, ref));
    put("behind");
    assert_int_equal(out.bytes, 6 + 153 + 6);
    out_send(&out, &fake_ring, 7);
    assert_int_equal(flying_count, 7);
    lands(6 + 1 + 60);
    assert_true(blob_shared(a));
    out_send(&out, &fake_ring, 7);
    lands(40 + 1 + 50);
    assert_true(blob_shared(b)); /* the reply reference goes as a whole */
    send_all();
    assert_false(blob_shared(a));
    assert_false(blob_shared(b));
    assert_int_equal(wire_size, 165);
    assert_memory_equal(wire, "before<aaa", 10);
    assert_memory_equal(wire + 104, "aaa>bbb", 7);
    assert_memory_equal(wire + 155, "bbb!behind", 10);
    blob_disown(a);
    blob_disown(b);
    arena_free_all(&reactor->keyspace->arena);
}

static void what_is_dropped_is_given_back(void **state)
{
    (void)state;
    struct reply reply;
    reactor->keyspace->arena = arena_new();
    struct blob *blob = blob_of('a', 100);
    blob_read(blob);
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    assert_true(reply_str_pinned(&reply, bytes_of(blob->data, blob->size), blob));
    put("before");
    assert_true(out_ref(&out, reactor, reply_ref_new(reactor, &reply, false)));
    out_clear(&out, reactor);
    assert_false(blob_shared(blob));
    blob_disown(blob);
    arena_free_all(&reactor->keyspace->arena);
}

/* ---- at random ----------------------------------------------------------- */

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

static void add_something(char *text, size_t size, size_t at)
{
    struct reply reply;
    for (size_t i = 0; i < size; i++)
        text[i] = (char)((at + i) * 131 >> 5);
    if (dice(3) != 0) {
        assert_true(out_bytes(&out, &reactor->conns->chunks, text, size));
        return;
    }
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply_raw(&reply, bytes_of(text, size));
    assert_true(out_ref(&out, reactor, reply_ref_new(reactor, &reply, false)));
}

static void the_stream_stays_whole(void **state)
{
    (void)state;
    static char text[3 * CHUNK_BYTES];
    size_t put_in = 0;
    seed = (uint32_t)time(NULL);
    print_message("seed %u\n", seed);
    while (put_in < WIRE_MAX - sizeof(text)) {
        size_t room, size = 1 + dice(dice(4) == 0 ? sizeof(text) : 300);
        add_something(text, size, put_in);
        put_in += size;
        if (dice(5) == 0)
            out_room(&out, &reactor->conns->chunks, &room);
        out_send(&out, &fake_ring, 7);
        if (dice(3) == 0)
            lands(1 + dice((uint32_t)flying_size()));
    }
    if (flying_count > 0)
        lands(flying_size());
    send_all();
    assert_int_equal(wire_size, put_in);
    for (size_t i = 0; i < wire_size; i++)
        if (wire[i] != (char)(i * 131 >> 5))
            fail_msg("byte %zu of %zu is wrong", i, wire_size);
}

#define with_out(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_out(little_replies_share_a_chunk),
        with_out(nothing_is_sent_when_there_is_nothing),
        with_out(what_flies_is_not_added_to),
        with_out(an_early_end_goes_on_where_it_stopped),
        with_out(no_send_is_larger_than_its_limit),
        with_out(room_is_never_little),
        with_out(chunks_are_used_again),
        with_out(a_reference_is_sent_with_its_pins_in_place),
        with_out(what_is_dropped_is_given_back),
        with_out(the_stream_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
