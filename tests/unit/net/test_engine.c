/*
 * test_engine.c - what ring.h promises of any engine, on each that this system has.
 */
#include "support/ring_probe.h"

#include "shoal/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/uio.h>

/* ---- every operation ----------------------------------------------------- */

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
    ring_close(ring, fd[1]);
    ring_recv_once(ring, &in->op, fd[0], 8);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_int_equal(in->events, 3);
    ring_close(ring, fd[0]);
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
    ring_close(ring, fd[0]);
    ring_send(ring, &out->op, fd[1], "x", 1);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, -EPIPE);
    ring_close(ring, fd[1]);
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

/* ---- when completions come ----------------------------------------------- */

static void nothing_is_done_but_inside_reap(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new(), *out = probe_new();
    pair_open(fd);
    ring_send(ring, &out->op, fd[1], "hello", 5); /* there is room: it succeeds at once */
    assert_true(out->op.in_flight && out->events == 0);
    ring_wait(ring, -1);
    assert_true(out->op.in_flight && out->events == 0);
    ring_reap(ring);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, 5);
    ring_recv(ring, &in->op, fd[0]); /* the bytes are there */
    assert_int_equal(in->events, 0);
    ring_wait(ring, -1);
    assert_int_equal(in->events, 0);
    turn_until(in->size == 5);
    ring_cancel(ring, &in->op);
    assert_true(in->op.in_flight && in->events == 1);
    ring_wait(ring, -1);
    assert_true(in->op.in_flight && in->events == 1);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ECANCELED);
    close(fd[0]);
    ring_send(ring, &out->op, fd[1], "x", 1); /* it fails at once */
    assert_true(out->op.in_flight && out->events == 1);
    turn_until(!out->op.in_flight);
    assert_int_equal(out->result, -EPIPE);
    ring_close(ring, fd[1]);
    free(in);
    free(out);
}

struct chain {
    struct io_op op; /* first */
    int fd;
    uint32_t depth, deepest, sent;
};

/* A send that starts the next one: were `done` run where a send is started, they would nest. */
static void send_another(struct io_op *op, const struct io_event *event)
{
    struct chain *chain = (struct chain *)op;
    assert_int_equal(event->result, 1);
    assert_false(event->more);
    chain->depth++;
    chain->deepest = chain->depth > chain->deepest ? chain->depth : chain->deepest;
    if (++chain->sent < 100)
        ring_send(ring, op, chain->fd, "x", 1);
    chain->depth--;
}

static void an_operation_may_be_started_by_the_end_of_another(void **state)
{
    (void)state;
    struct chain chain = { .op.done = send_another };
    char got[128];
    int fd[2];
    pair_open(fd);
    chain.fd = fd[1];
    ring_send(ring, &chain.op, fd[1], "x", 1);
    turn_until(!chain.op.in_flight);
    assert_int_equal(chain.sent, 100);
    assert_int_equal(chain.deepest, 1);
    assert_int_equal(read(fd[0], got, sizeof(got)), 100);
    pair_close(fd);
}

struct killer {
    struct io_op op; /* first */
    struct probe *victim;
};

static void cancel_another(struct io_op *op, const struct io_event *event)
{
    struct killer *killer = (struct killer *)op;
    if (event->data != NULL)
        ring_buffer_release(ring, event->buffer);
    ring_cancel(ring, &killer->victim->op);
}

/* Both have bytes: what is known of the second when the first completes is out of date by then. */
static void one_may_be_cancelled_by_the_end_of_another(void **state)
{
    (void)state;
    int fd[2][2];
    struct probe *victim[2] = { probe_new(), probe_new() };
    struct killer killer[2] = { { .op.done = cancel_another, .victim = victim[0] },
                                { .op.done = cancel_another, .victim = victim[1] } };
    pair_open(fd[0]);
    pair_open(fd[1]);
    /* Whichever comes first, one killer comes before its victim. */
    ring_recv_once(ring, &killer[0].op, fd[0][0], 10);
    ring_recv_once(ring, &victim[0]->op, fd[1][0], 10);
    ring_turn(ring, 0);
    put(fd[0][1], "a", 1);
    put(fd[1][1], "b", 1);
    turn_until(!victim[0]->op.in_flight && !killer[0].op.in_flight);
    for (int turns = 0; turns < 5; turns++)
        ring_turn(ring, 0);
    ring_recv_once(ring, &victim[1]->op, fd[0][0], 10);
    ring_recv_once(ring, &killer[1].op, fd[1][0], 10);
    ring_turn(ring, 0);
    put(fd[0][1], "c", 1);
    put(fd[1][1], "d", 1);
    turn_until(!victim[1]->op.in_flight && !killer[1].op.in_flight);
    for (int turns = 0; turns < 5; turns++)
        ring_turn(ring, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(victim[i]->result == -ECANCELED || victim[i]->result > 0);
        assert_int_equal(victim[i]->events, 1);
        pair_close(fd[i]);
        free(victim[i]);
    }
}

static void a_cancelled_send_says_what_it_had_sent(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    int fd[2];
    char *text = malloc(SIZE), *got = malloc(SIZE);
    struct probe *out = probe_new();
    fill(text, SIZE, 0);
    pair_open(fd);
    send_buffer(fd[1], 16 * 1024);
    ring_send(ring, &out->op, fd[1], text, SIZE);
    ring_turn(ring, 0);
    ring_turn(ring, 0);
    assert_true(out->op.in_flight);
    cancel(out);
    assert_int_equal(out->events, 1);
    assert_true(out->result > 0 && out->result < SIZE);
    shutdown(fd[1], SHUT_WR);
    int read_bytes = 0, n;
    while ((n = (int)read(fd[0], got + read_bytes, (size_t)(SIZE - read_bytes))) > 0)
        read_bytes += n;
    assert_int_equal(read_bytes, out->result);
    assert_memory_equal(got, text, (size_t)read_bytes);
    /* One that has nothing of it out yet. */
    pair_close(fd);
    pair_open(fd);
    send_buffer(fd[1], 16 * 1024);
    while (send(fd[1], text, 4096, MSG_DONTWAIT) > 0)
        ;
    ring_send(ring, &out->op, fd[1], "x", 1);
    ring_turn(ring, 0);
    cancel(out);
    assert_int_equal(out->result, -ECANCELED);
    pair_close(fd);
    free(out);
    free(text);
    free(got);
}

/* Too late: it has happened, and it is said once. */
static void a_send_that_is_through_cannot_be_cancelled(void **state)
{
    (void)state;
    int fd[2];
    struct probe *out = probe_new();
    pair_open(fd);
    ring_send(ring, &out->op, fd[1], "hello", 5);
    ring_wait(ring, -1);
    cancel(out);
    assert_int_equal(out->events, 1);
    assert_int_equal(out->result, 5);
    for (int i = 0; i < 5; i++)
        ring_turn(ring, 0);
    assert_int_equal(out->events, 1);
    ring_shutdown(ring, fd[0], SHUT_RDWR);
    ring_send(ring, &out->op, fd[1], "hello", 5);
    ring_wait(ring, -1);
    cancel(out); /* it has failed before */
    assert_int_equal(out->result, -EPIPE);
    pair_close(fd);
    free(out);
}

/* ---- ends ---------------------------------------------------------------- */

static void a_shutdown_with_nothing_in_flight(void **state)
{
    (void)state;
    int fd[2];
    char got[8];
    struct probe *in = probe_new(), *out = probe_new();
    pair_open(fd);
    assert_true(ring_keep(ring, fd[0]));
    ring_shutdown(ring, fd[0], SHUT_RDWR);
    ring_turn(ring, 1000000);
    assert_int_equal(read(fd[1], got, sizeof(got)), 0); /* the peer is told */
    ring_recv(ring, &in->op, fd[0]);
    ring_send(ring, &out->op, fd[0], "x", 1);
    turn_until(!in->op.in_flight && !out->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_int_equal(out->result, -EPIPE);
    pair_close(fd);
    free(in);
    free(out);
}

static void a_shutdown_ends_what_is_in_flight(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    int fd[2];
    char *text = calloc(1, SIZE);
    struct probe *in = probe_new(), *out = probe_new();
    pair_open(fd);
    send_buffer(fd[0], 4096);
    ring_recv(ring, &in->op, fd[0]);
    ring_send(ring, &out->op, fd[0], text, SIZE);
    ring_turn(ring, 1000000);
    assert_true(in->op.in_flight && out->op.in_flight);
    ring_shutdown(ring, fd[0], SHUT_RDWR);
    turn_until(!in->op.in_flight && !out->op.in_flight);
    assert_int_equal(in->result, 0);
    assert_true(out->result == -EPIPE || (out->result > 0 && out->result < SIZE));
    pair_close(fd);
    free(in);
    free(out);
    free(text);
}

static void a_number_is_used_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int fd[2];
        char got[8];
        struct probe *in = probe_new(), *out = probe_new();
        pair_open(fd);
        if (i % 3 != 0)
            assert_true(ring_keep(ring, fd[0]));
        ring_recv(ring, &in->op, fd[0]);
        ring_send(ring, &out->op, fd[0], "there", 5);
        put(fd[1], "back", 4);
        turn_until(in->size == 4 && !out->op.in_flight);
        if (i % 2 == 0) {
            put(fd[1], "unread", 6); /* it is known to be there when the number is given up */
            ring_wait(ring, 0);
        }
        cancel(in);
        ring_close(ring, fd[0]);
        assert_int_equal(read(fd[1], got, 5), 5);
        ssize_t n = read(fd[1], got, sizeof(got)); /* for ever, if it is still held */
        assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
        ring_close(ring, fd[1]);
        free(in);
        free(out);
    }
}

/* ---- what is asked about a descriptor ------------------------------------ */

static void unread_and_unsent_bytes_are_counted(void **state)
{
    (void)state;
    int fd[2];
    pair_open(fd);
    assert_int_equal(ring_unread(ring, fd[0]), 0);
    assert_int_equal(ring_unsent(ring, fd[1]), 0);
    put(fd[1], "hello", 5);
    assert_int_equal(ring_unread(ring, fd[0]), 5);
    assert_true(ring_unsent(ring, fd[1]) > 0);
    assert_false(ring_acked(ring, fd[1], &(uint64_t){ 0 }));
    pair_close(fd);
    assert_int_equal(ring_unread(ring, fd[0]), 0); /* no descriptor, no bytes */
    assert_int_equal(ring_unsent(ring, fd[0]), 0);
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
    ring_close(ring, listener);
}

struct refuser {
    struct io_op op; /* first */
    uint32_t accepted, after_end;
    bool ended;
};

/* Enough after the first: it cancels itself. */
static void accept_one(struct io_op *op, const struct io_event *event)
{
    struct refuser *refuser = (struct refuser *)op;
    refuser->after_end += refuser->ended;
    refuser->ended = !event->more;
    if (event->result < 0)
        return;
    close(event->result);
    refuser->accepted++;
    ring_cancel(ring, op);
}

static void those_who_wait_already_are_accepted(void **state)
{
    (void)state;
    enum { GUESTS = 5 };
    struct refuser refuser = { .op.done = accept_one };
    int guest[GUESTS], listener = socket_listen_tcp("127.0.0.1", 0, 16);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < GUESTS; i++) {
        guest[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(guest[i], (struct sockaddr *)&address, sizeof(address)), 0);
    }
    for (uint32_t round = 0; refuser.accepted < GUESTS; round++) {
        uint32_t before = refuser.accepted;
        refuser.ended = false;
        ring_accept(ring, &refuser.op, listener);
        turn_until(!refuser.op.in_flight);
        assert_true(refuser.accepted > before);
        assert_int_equal(refuser.after_end, 0);
    }
    assert_int_equal(refuser.accepted, GUESTS);
    ring_accept(ring, &refuser.op, listener); /* nobody is left: it waits and does not block */
    ring_turn(ring, 1000000);
    assert_true(refuser.op.in_flight);
    ring_cancel(ring, &refuser.op);
    turn_until(!refuser.op.in_flight);
    for (int i = 0; i < GUESTS; i++)
        close(guest[i]);
    ring_close(ring, listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_every_engine(it_receives_until_the_end),
        on_every_engine(it_receives_once_no_more_than_asked_for),
        on_every_engine(it_receives_to_where_it_is_told),
        on_every_engine(it_sends_all_of_it),
        on_every_engine(a_broken_pipe_is_an_error_and_no_signal),
        on_every_engine(it_reads),
        on_every_engine(what_is_cancelled_still_completes),
        on_every_engine(nothing_is_done_but_inside_reap),
        on_every_engine(an_operation_may_be_started_by_the_end_of_another),
        on_every_engine(one_may_be_cancelled_by_the_end_of_another),
        on_every_engine(a_cancelled_send_says_what_it_had_sent),
        on_every_engine(a_send_that_is_through_cannot_be_cancelled),
        on_every_engine(a_shutdown_with_nothing_in_flight),
        on_every_engine(a_shutdown_ends_what_is_in_flight),
        on_every_engine(a_number_is_used_again_and_again),
        on_every_engine(unread_and_unsent_bytes_are_counted),
        on_every_engine(it_accepts_until_cancelled),
        on_every_engine(those_who_wait_already_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
