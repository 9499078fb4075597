/*
 * test_uring_buffers.c - receive buffers: counted, shared, guarded, and what happens without any.
 */
#include "support/ring_probe.h"
#include "support/seed.h"

#include <errno.h>
#include <stdio.h>

/* What the buffers hold and what is still in the socket is not lost when they run out. */
static void buffers_run_out_and_come_back(void **state)
{
    (void)state;
    enum { SIZE = 3 * BUFFERS * BUFFER_BYTES };
    int fd[2], much = 4 * SIZE;
    char *text = malloc(SIZE);
    struct probe *in = probe_new();
    fill(text, SIZE, 0);
    pair_open(fd);
    setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &much, sizeof(much));
    put(fd[1], text, SIZE);
    in->keeps = true;
    ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ENOBUFS);
    assert_int_equal(in->size, BUFFERS * BUFFER_BYTES);
    assert_int_equal(ring_buffers_available(ring), 0);
    give_back(in);
    assert_true(ring_buffers_available(ring) > 0);
    in->keeps = false;
    for (int again = 0; in->size < SIZE && again < 1000; again++) {
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight || in->size == SIZE);
    }
    assert_int_equal(in->size, SIZE);
    assert_memory_equal(in->data, text, SIZE);
    shutdown(fd[1], SHUT_WR);
    if (!in->op.in_flight)
        ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(text);
    free(in);
}

static void a_held_buffer_is_not_filled_again(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    char text[BUFFER_BYTES];
    const char *kept_data;
    pair_open(fd);
    in->by_one_hold = true; /* the event's reference is given up, one of our own is left */
    ring_recv(ring, &in->op, fd[0]);
    memset(text, 'a', sizeof(text));
    put(fd[1], text, sizeof(text));
    turn_until(in->size >= sizeof(text));
    uint32_t kept = in->kept_count;
    kept_data = in->data;
    for (uint32_t i = 1; i < BUFFERS; i++) {
        put(fd[1], text, sizeof(text));
        turn_until(in->size >= (i + 1) * sizeof(text));
    }
    assert_true(in->kept_count >= BUFFERS && kept >= 1);
    assert_int_equal(ring_buffers_available(ring), 0);
    assert_int_equal(kept_data[0], 'a');
    give_back(in);
    assert_true(ring_buffers_available(ring) > 0);
    in->by_one_hold = false;
    shutdown(fd[1], SHUT_WR);
    turn_until(!in->op.in_flight);
    if (in->result == -ENOBUFS) {
        ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight);
    }
    assert_int_equal(in->result, 0);
    pair_close(fd);
    free(in);
}

static bool incremental(void)
{
    return strstr(ring->features, "incremental-buffers") != NULL;
}

static void small_messages_share_a_buffer_if_the_kernel_can(void **state)
{
    (void)state;
    enum { MESSAGES = 40 };
    int fd[2];
    uint32_t got = 0;
    struct probe *in = probe_new();
    pair_open(fd);
    in->keeps = true;
    ring_recv(ring, &in->op, fd[0]);
    for (int i = 0; i < MESSAGES; i++) {
        put(fd[1], "0123456789", 10);
        turn_until(in->size == (uint32_t)(i + 1) * 10 || !in->op.in_flight);
        got = in->size;
        if (!in->op.in_flight)
            break;
    }
    if (incremental()) {
        assert_int_equal(got, MESSAGES * 10);
        assert_int_equal(in->kept[0], in->kept[MESSAGES - 1]);
    } else {
        assert_int_equal(got, BUFFERS * 10);
        assert_int_equal(in->result, -ENOBUFS);
    }
    give_back(in);
    if (in->op.in_flight) {
        ring_cancel(ring, &in->op);
        turn_until(!in->op.in_flight);
    }
    assert_true(ring_buffers_available(ring) > 0);
    pair_close(fd);
    free(in);
}

static void only_what_was_asked_for_is_used(void **state)
{
    (void)state;
    if (strcmp(probed->features, "6.1") == 0)
        assert_false(incremental());
}

/* Random sizes, random holds: the stream arrives as it was sent. */
static void a_stream_stays_whole(void **state)
{
    (void)state;
    enum { SIZE = SEEN_MAX - 8192, KEPT = 3 };
    int fd[2];
    uint32_t seed = test_seed(), sent = 0;
    struct probe *in = probe_new();
    pair_open(fd);
    in->keeps = true;
    while (in->size < SIZE) {
        char text[6000];
        seed = seed * 1664525 + 1013904223;
        uint32_t size = (seed >> 8) % (seed >> 28 == 0 ? 6000 : 200);
        if (sent + size <= SIZE + 200 && sent < SIZE) {
            fill(text, size, sent);
            put(fd[1], text, size);
            sent += size;
        }
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        ring_turn(ring, 0);
        if (in->kept_count > KEPT || (seed >> 20) % 4 == 0 || !ring_buffers_available(ring))
            give_back(in);
        if (sent >= SIZE && in->size < SIZE)
            give_back(in);
    }
    for (uint32_t i = 0; i < in->size; i++)
        if (in->data[i] != (char)(i * 31 >> 3))
            fail_msg("byte %u of %u is wrong", i, in->size);
    give_back(in);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(in);
}

/* The protection of the mapping that ends or begins at an address, as in "rw-p". */
static bool protection(uintptr_t address, bool ends, char out[5])
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        unsigned long begin, end;
        if (sscanf(line, "%lx-%lx %4s", &begin, &end, out) == 3)
            found = (ends ? end : begin) == address;
    }
    fclose(maps);
    return found;
}

static bool mapping_of(uintptr_t address, uintptr_t *begin, uintptr_t *end)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof(line), maps) != NULL)
        found = sscanf(line, "%lx-%lx", begin, end) == 2 && *begin <= address && address < *end;
    fclose(maps);
    return found;
}

struct locate {
    struct io_op op; /* first */
    const char *data;
    uint16_t buffer;
};

static void note_place(struct io_op *op, const struct io_event *event)
{
    struct locate *locate = (struct locate *)op;
    if (event->result <= 0)
        return;
    locate->data = event->data;
    locate->buffer = event->buffer;
}

static void the_pool_stands_between_guard_pages(void **state)
{
    (void)state;
    int fd[2];
    uintptr_t begin, end;
    char text[5];
    struct locate locate = { .op.done = note_place };
    pair_open(fd);
    ring_recv(ring, &locate.op, fd[0]);
    put(fd[1], "x", 1);
    turn_until(locate.data != NULL);
    assert_true(mapping_of((uintptr_t)locate.data, &begin, &end));
    assert_true(end - begin < (BUFFERS + 1) * (BUFFER_BYTES + 4096));
    assert_true(protection(begin, true, text));
    assert_string_equal(text, "---p");
    assert_true(protection(end, false, text));
    assert_string_equal(text, "---p");
    ring_buffer_release(ring, locate.buffer);
    ring_cancel(ring, &locate.op);
    turn_until(!locate.op.in_flight);
    pair_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_every_engine(buffers_run_out_and_come_back),
        on_every_engine(a_held_buffer_is_not_filled_again),
        on_uring(small_messages_share_a_buffer_if_the_kernel_can),
        on_uring(only_what_was_asked_for_is_used),
        on_every_engine(a_stream_stays_whole),
        on_every_engine(the_pool_stands_between_guard_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
