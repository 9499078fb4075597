/*
 * test_uring.c - what the io_uring engine alone has: queues, which can be far too small, and turns
 * that grow a little. test_engine.c has what it shares with the others.
 */
#include "support/ring_probe.h"

#include <errno.h>

/* ---- queues that are too small ------------------------------------------- */

static void little_queues_lose_nothing(void **state)
{
    (void)state;
    enum { PAIRS = 64 };
    static int fd[PAIRS][2];
    static struct probe *in[PAIRS], *out[PAIRS];
    uint32_t done = 0;
    ring_free(&ring);
    ring = make_another(4, 8);
    for (int i = 0; i < PAIRS; i++) {
        pair_open(fd[i]);
        in[i] = probe_new();
        out[i] = probe_new();
        ring_recv(ring, &in[i]->op, fd[i][0]);
    }
    for (int i = 0; i < PAIRS; i++)
        ring_send(ring, &out[i]->op, fd[i][1], "0123456789", 10);
    for (int turns = 0; turns < TURNS_MAX && done < PAIRS; turns++) {
        ring_turn(ring, 1000000);
        done = 0;
        for (int i = 0; i < PAIRS; i++) {
            done += in[i]->size == 10 && !out[i]->op.in_flight;
            if (!in[i]->op.in_flight && in[i]->size < 10) {
                assert_int_equal(in[i]->result, -ENOBUFS);
                ring_recv(ring, &in[i]->op, fd[i][0]);
            }
        }
    }
    assert_int_equal(done, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        assert_int_equal(out[i]->result, 10);
        assert_int_equal(out[i]->events, 1);
        assert_memory_equal(in[i]->data, "0123456789", 10);
        if (in[i]->op.in_flight)
            ring_cancel(ring, &in[i]->op);
    }
    for (int i = 0; i < PAIRS; i++) {
        turn_until(!in[i]->op.in_flight);
        pair_close(fd[i]);
        free(in[i]);
        free(out[i]);
    }
    assert_true(ring_buffers_available(ring) > 0);
}

/* ---- turns --------------------------------------------------------------- */

/* A peer whose next byte arrives while the last one's completion runs. */
struct chatter {
    struct io_op op; /* first */
    int fd;
    uint32_t heard;
};

static void note_and_ask_again(struct io_op *op, const struct io_event *event)
{
    struct chatter *chatter = (struct chatter *)op;
    if (event->result <= 0)
        return;
    ring_buffer_release(ring, event->buffer);
    chatter->heard += (uint32_t)event->result;
    put(chatter->fd, "x", 1);
}

/* Nor is it cut short at the first: see turn_grows() in uring.c. */
static void a_turn_does_not_grow_for_ever(void **state)
{
    (void)state;
    enum { SEVERAL = 8, TOO_MANY = 64, BYTES = 500 };
    struct chatter chatter = { .op.done = note_and_ask_again };
    int fd[2];
    uint32_t most = 0;
    pair_open(fd);
    chatter.fd = fd[1];
    ring_recv(ring, &chatter.op, fd[0]);
    put(fd[1], "x", 1);
    for (int turns = 0; turns < TURNS_MAX && chatter.heard < BYTES; turns++) {
        uint32_t before = chatter.heard;
        ring_turn(ring, 1000000000);
        most = chatter.heard - before > most ? chatter.heard - before : most;
        assert_true(chatter.heard - before < TOO_MANY);
    }
    assert_true(chatter.heard >= BYTES);
    assert_true(most >= SEVERAL);
    ring_cancel(ring, &chatter.op);
    turn_until(!chatter.op.in_flight);
    pair_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_uring(little_queues_lose_nothing),
        on_uring(a_turn_does_not_grow_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
