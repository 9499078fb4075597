/*
 * test_epoll_buffers.c - what comes in turn shares a buffer, and one that nobody refers to begins
 * anew. What rings of any kind do with buffers: test_uring_buffers.c.
 */
#include "support/ring_probe.h"

#include <errno.h>

/* Receives so many bytes, which the probe keeps or gives back, and returns the buffer. */
static uint16_t receive(struct probe *in, int fd[2], size_t size)
{
    static const char text[BUFFER_BYTES];
    uint32_t before = in->size, kept = in->kept_count;
    put(fd[1], text, size);
    turn_until(in->size == before + size);
    return in->keeps ? in->kept[kept] : 0;
}

static struct probe *begin(int fd[2], bool keeps)
{
    struct probe *in = probe_new();
    pair_open(fd);
    in->keeps = keeps;
    ring_recv(ring, &in->op, fd[0]);
    return in;
}

static void end(struct probe *in, int fd[2])
{
    give_back(in);
    assert_int_equal(ring_buffers_available(ring), BUFFERS);
    cancel(in);
    pair_close(fd);
    free(in);
}

static void what_comes_in_turn_shares_a_buffer(void **state)
{
    (void)state;
    enum { LITTLE = BUFFER_BYTES / 16 };
    int fd[2];
    struct probe *in = begin(fd, true);
    uint16_t first = receive(in, fd, 10);
    assert_int_equal(receive(in, fd, BUFFER_BYTES - 10 - LITTLE), first);
    assert_int_equal(ring_buffers_available(ring), BUFFERS);
    assert_int_equal(receive(in, fd, 1), first); /* just enough room for another receive */
    assert_int_equal(ring_buffers_available(ring), BUFFERS - 1);
    assert_int_not_equal(receive(in, fd, 1), first);
    end(in, fd);
}

static void one_that_nobody_refers_to_begins_anew(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = begin(fd, false);
    for (int i = 0; i < 3 * BUFFERS; i++)
        receive(in, fd, BUFFER_BYTES - 100); /* room for one at a time */
    assert_int_equal(ring_buffers_available(ring), BUFFERS);
    end(in, fd);
}

static void all_of_them_are_used_and_come_back(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = begin(fd, true);
    bool seen[BUFFERS] = { false };
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BUFFERS; i++) {
            assert_int_equal(ring_buffers_available(ring), BUFFERS - i);
            seen[receive(in, fd, BUFFER_BYTES)] = true;
        }
        for (int i = 0; i < BUFFERS; i++)
            assert_true(seen[i]);
        give_back(in);
        in->size = 0;
    }
    end(in, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_epoll(what_comes_in_turn_shares_a_buffer),
        on_epoll(one_that_nobody_refers_to_begins_anew),
        on_epoll(all_of_them_are_used_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
