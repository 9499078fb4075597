/*
 * test_epoll_send.c - a send that stops and goes on, at places where it can go wrong. With random
 * sizes: test_engine_bytes.c.
 */
#include "support/ring_probe.h"

#include <errno.h>
#include <sys/uio.h>

/* Fills the socket, so that a send has to wait. Returns how much was in it. */
static size_t fill_up(int fd)
{
    static const char text[1024];
    size_t size = 0;
    ssize_t n;
    send_buffer(fd, 4096);
    while ((n = send(fd, text, sizeof(text), MSG_DONTWAIT)) > 0)
        size += (size_t)n;
    return size;
}

static void drop(int fd, size_t size)
{
    char bytes[1024];
    while (size > 0) {
        ssize_t n = recv(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), 0);
        assert_true(n > 0);
        size -= (size_t)n;
    }
}

/* Parts that are empty stand first, last and where a send stops; there are more than go at once. */
static void empty_parts_and_many_of_them(void **state)
{
    (void)state;
    enum { PARTS = 200, EACH = 1000 };
    static char text[PARTS * EACH], got[PARTS * EACH];
    static struct iovec parts[PARTS];
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = PARTS };
    struct probe *out = probe_new();
    size_t size = 0, read_bytes = 0;
    int fd[2];
    fill(text, sizeof(text), 0);
    for (size_t i = 0; i < PARTS; i++) {
        parts[i] = (struct iovec){ text + size, i % 3 == 0 || i + 1 == PARTS ? 0 : EACH };
        size += parts[i].iov_len;
    }
    pair_open(fd);
    size_t before = fill_up(fd[1]);
    ring_sendmsg(ring, &out->op, fd[1], &message);
    drop(fd[0], before);
    while (read_bytes < size) {
        ring_turn(ring, 0);
        ssize_t n = recv(fd[0], got + read_bytes, EACH, MSG_DONTWAIT); /* ends of parts as well */
        read_bytes += n > 0 ? (size_t)n : 0;
    }
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, size);
    assert_memory_equal(got, text, size);
    pair_close(fd);
    free(out);
}

static void an_error_after_a_part_is_said_by_the_next(void **state)
{
    (void)state;
    static const char text[1 << 20];
    struct probe *out = probe_new();
    int fd[2];
    pair_open(fd);
    send_buffer(fd[1], 4096);
    ring_send(ring, &out->op, fd[1], text, sizeof(text));
    ring_turn(ring, 0);
    assert_true(out->op.in_flight);
    ring_close(ring, fd[0]);
    turn_until(!out->op.in_flight);
    assert_true(out->result > 0 && out->result < (int)sizeof(text));
    ring_send(ring, &out->op, fd[1], text, sizeof(text));
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, -EPIPE);
    ring_close(ring, fd[1]);
    free(out);
}

static void nothing_is_sent_at_once(void **state)
{
    (void)state;
    struct msghdr message = { 0 };
    struct probe *out = probe_new();
    int fd[2];
    pair_open(fd);
    ring_send(ring, &out->op, fd[1], "", 0);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, 0);
    ring_sendmsg(ring, &out->op, fd[1], &message);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, 0);
    pair_close(fd);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_every_engine(empty_parts_and_many_of_them),
        on_every_engine(an_error_after_a_part_is_said_by_the_next),
        on_every_engine(nothing_is_sent_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
