/*
 * test_uring.c - the io_uring engine through net/ring.h: every operation.
 */
#include "support/ring_probe.h"

#include "shoal/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/uio.h>

static void it_receives_until_the_end(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    ring_recv(ring, &in->op, fd[0]);
    assert_true(in->op.in_flight);
    put(fd[1], "hello", 5);
    turn_until(in->size == 5);
    assert_true(in->more);
    put(fd[1], " world", 6);
    turn_until(in->size == 11);
    assert_memory_equal(in->data, "hello world", 11);
    shutdown(fd[1], SHUT_WR);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_true(ring_buffers_available(ring) > 0);
    pair_close(fd);
    free(in);
}

static void it_receives_once_no_more_than_asked_for(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    put(fd[1], "hello world", 11);
    ring_recv_once(ring, &in->op, fd[0], 8);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 8);
    ring_recv_once(ring, &in->op, fd[0], 8);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 3);
    assert_memory_equal(in->data, "hello world", 11);
    close(fd[1]);
    ring_recv_once(ring, &in->op, fd[0], 8);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_int_equal(in->events, 3);
    close(fd[0]);
    free(in);
}

static void it_receives_to_where_it_is_told(void **state)
{
    (void)state;
    int fd[2];
    char place[16] = "";
    struct probe *in = probe_new();
    pair_open(fd);
    uint32_t available = ring_buffers_available(ring);
    ring_recv_into(ring, &in->op, fd[0], place, 8);
    put(fd[1], "hello world", 11);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 8);
    assert_int_equal(in->size, 0); /* no buffer of the ring */
    assert_memory_equal(place, "hello wo\0", 9);
    assert_int_equal(ring_buffers_available(ring), available);
    ring_recv_into(ring, &in->op, fd[0], place + 8, 8);
    turn_until(!in->op.in_flight);
    assert_string_equal(place, "hello world");
    ring_recv_into(ring, &in->op, fd[0], place, 8);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ECANCELED);
    pair_close(fd);
    free(in);
}

static void it_sends_all_of_it(void **state)
{
    (void)state;
    enum { SIZE = 60000 };
    int fd[2], little = 4096;
    struct probe *in = probe_new(), *out = probe_new();
    char *text = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)(i * 7 + i / 256);
    pair_open(fd);
    setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    ring_recv(ring, &in->op, fd[0]);
    ring_send(ring, &out->op, fd[1], text, SIZE / 2);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, SIZE / 2);
    struct iovec parts[3] = {
        { text + SIZE / 2, 10 },
        { text + SIZE / 2 + 10, SIZE / 2 - 20 },
        { text + SIZE - 10, 10 },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
    ring_sendmsg(ring, &out->op, fd[1], &message);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, SIZE / 2);
    for (int again = 0; in->size < SIZE && again < 1000; again++) {
        if (!in->op.in_flight)
            ring_recv(ring, &in->op, fd[0]);
        turn_until(!in->op.in_flight || in->size == SIZE);
    }
    assert_int_equal(in->size, SIZE);
    assert_memory_equal(in->data, text, SIZE);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(text);
    free(in);
    free(out);
}

static void a_broken_pipe_is_an_error_and_no_signal(void **state)
{
    (void)state;
    int fd[2];
    struct probe *out = probe_new();
    pair_open(fd);
    close(fd[0]);
    ring_send(ring, &out->op, fd[1], "x", 1);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, -EPIPE);
    close(fd[1]);
    free(out);
}

static void it_reads(void **state)
{
    (void)state;
    int fd[2];
    char word[8] = "";
    struct probe *in = probe_new();
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    ring_read(ring, &in->op, fd[0], word, sizeof(word));
    assert_int_equal(ring_turn(ring, 0), 0);
    put(fd[1], "word", 4);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 4);
    assert_string_equal(word, "word");
    pair_close(fd);
    free(in);
}

static void what_is_cancelled_still_completes(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    ring_cancel(ring, &in->op); /* not in flight: nothing happens */
    ring_recv(ring, &in->op, fd[0]);
    ring_turn(ring, 0);
    ring_cancel(ring, &in->op);
    ring_cancel(ring, &in->op);
    assert_true(in->op.in_flight && in->op.cancelling);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ECANCELED);
    assert_int_equal(in->events, 1);
    ring_recv(ring, &in->op, fd[0]);
    put(fd[1], "again", 5);
    turn_until(in->size == 5);
    ring_cancel(ring, &in->op);
    turn_until(!in->op.in_flight);
    pair_close(fd);
    free(in);
}

/* ---- accepting ----------------------------------------------------------- */

struct door {
    struct io_op op; /* first */
    int fd[8], count, last;
};

static void note_guest(struct io_op *op, const struct io_event *event)
{
    struct door *door = (struct door *)op;
    door->last = event->result;
    if (event->result >= 0)
        door->fd[door->count++] = event->result;
}

static void it_accepts_until_cancelled(void **state)
{
    (void)state;
    enum { GUESTS = 5 };
    struct door door = { .op.done = note_guest };
    int guest[GUESTS], listener = socket_listen_tcp("127.0.0.1", 0, 16);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ring_accept(ring, &door.op, listener);
    for (int i = 0; i < GUESTS; i++) {
        guest[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(guest[i], (struct sockaddr *)&address, sizeof(address)), 0);
    }
    turn_until(door.count == GUESTS);
    assert_true(door.op.in_flight);
    for (int i = 0; i < GUESTS; i++)
        assert_int_equal(fcntl(door.fd[i], F_GETFD), FD_CLOEXEC);
    ring_cancel(ring, &door.op);
    turn_until(!door.op.in_flight);
    assert_int_equal(door.last, -ECANCELED);
    for (int i = 0; i < GUESTS; i++) {
        close(guest[i]);
        close(door.fd[i]);
    }
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        both(it_receives_until_the_end),
        both(it_receives_once_no_more_than_asked_for),
        both(it_receives_to_where_it_is_told),
        both(it_sends_all_of_it),
        both(a_broken_pipe_is_an_error_and_no_signal),
        both(it_reads),
        both(what_is_cancelled_still_completes),
        both(it_accepts_until_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
