/*
 * test_epoll.c - what the epoll engine alone can do wrong: events that are out of date or unwanted,
 * what cannot be watched, a kernel that cannot wait by the nanosecond. test_engine.c has what it
 * shares with the others.
 */
#include "support/refuse_call.h"
#include "support/ring_probe.h"

#include "shoal/base/bound.h"
#include "shoal/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* The kernel has told of a descriptor that is closed by the time its event is looked at, and its
 * number and place are another's. */
static void an_event_out_of_date_does_no_harm(void **state)
{
    (void)state;
    int fd[2];
    uint64_t value = 0;
    struct probe *in = probe_new();
    pair_open(fd);
    put(fd[1], "a", 1);
    ring_recv_once(ring, &in->op, fd[0], 1);
    turn_until(!in->op.in_flight);
    put(fd[1], "b", 1);
    for (int i = 0; i < 4; i++) /* one of them looks */
        ring_wait(ring, 0);
    int number = fd[0];
    pair_close(fd);
    int next = eventfd(0, EFD_CLOEXEC); /* a read would block */
    assert_int_equal(next, number);
    ring_read(ring, &in->op, next, &value, sizeof(value));
    assert_int_equal(ring_reap(ring), 0);
    assert_true(in->op.in_flight);
    value = 7;
    put(next, &value, sizeof(value));
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, sizeof(value));
    ring_close(ring, next);
    free(in);
}

/* Once a send has waited for room, the kernel would tell of room for ever. */
static void room_that_nobody_needs_wakes_nobody(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1000 };
    int fd[2];
    size_t read_bytes = 0;
    char *text = calloc(1, SIZE), got[4096];
    struct probe *in = probe_new(), *out = probe_new();
    pair_open(fd);
    send_buffer(fd[1], 4096);
    ring_recv(ring, &in->op, fd[1]); /* it is watched as well */
    for (int again = 0; again < 3; again++) {
        ring_send(ring, &out->op, fd[1], text, SIZE);
        for (read_bytes = 0; read_bytes < SIZE;) {
            ssize_t n = recv(fd[0], got, sizeof(got), MSG_DONTWAIT);
            read_bytes += n > 0 ? (size_t)n : 0;
            ring_turn(ring, 0);
        }
        turn_until(!out->op.in_flight);
        assert_int_equal(out->result, SIZE);
        assert_true(slept_ns() >= 50 * 1000 * 1000);
    }
    put(fd[0], "still", 5);
    turn_until(in->size == 5);
    cancel(in);
    pair_close(fd);
    free(text);
    free(in);
    free(out);
}

/* Else what comes of it leaves by as many sends. */
static void a_turn_takes_several_buffers_of_a_connection(void **state)
{
    (void)state;
    enum { AT_ONCE = BOUND(BUFFERS, 2) };
    static const char text[(BUFFERS + 1) * BUFFER_BYTES];
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    send_buffer(fd[1], 4 * (int)sizeof(text));
    put(fd[1], text, sizeof(text));
    in->keeps = true;
    ring_recv(ring, &in->op, fd[0]);
    while (in->events == 0)
        ring_turn(ring, 1000000);
    assert_int_equal(in->events, AT_ONCE);
    assert_int_equal(in->size, AT_ONCE * BUFFER_BYTES);
    assert_true(in->op.in_flight); /* without a buffer, that is not said before the next turn */
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -ENOBUFS);
    give_back(in);
    pair_close(fd);
    free(in);
}

static void cancel_at_once(struct io_op *op, const struct io_event *event)
{
    struct probe *probe = (struct probe *)op;
    note(op, event);
    if (event->more)
        ring_cancel(ring, &probe->op);
}

static void a_receive_cancelled_by_what_it_took_takes_no_more(void **state)
{
    (void)state;
    static const char text[3 * BUFFER_BYTES];
    int fd[2];
    struct probe *in = probe_new();
    in->op.done = cancel_at_once;
    pair_open(fd);
    send_buffer(fd[1], 4 * (int)sizeof(text));
    put(fd[1], text, sizeof(text));
    ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->size, BUFFER_BYTES);
    assert_int_equal(in->result, -ECANCELED);
    assert_int_equal(ring_unread(ring, fd[0]), 2 * BUFFER_BYTES);
    pair_close(fd);
    free(in);
}

struct shy {
    struct io_op op; /* first */
    uint32_t accepted;
};

static void accept_and_cancel(struct io_op *op, const struct io_event *event)
{
    if (event->result < 0)
        return;
    ((struct shy *)op)->accepted++;
    close(event->result);
    ring_cancel(ring, op);
}

static void a_cancelled_listener_accepts_no_more(void **state)
{
    (void)state;
    enum { GUESTS = 3 };
    struct shy shy = { .op.done = accept_and_cancel };
    struct sockaddr_un address = { .sun_family = AF_UNIX }; /* the system gives it a name */
    socklen_t size = sizeof(address.sun_family);
    int guest[GUESTS], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    size = sizeof(address);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(listener, GUESTS), 0);
    for (int i = 0; i < GUESTS; i++) {
        guest[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(guest[i], (struct sockaddr *)&address, size), 0);
    }
    ring_accept(ring, &shy.op, listener);
    turn_until(!shy.op.in_flight);
    assert_int_equal(shy.accepted, 1);
    ring_close(ring, listener);
    for (int i = 0; i < GUESTS; i++)
        close(guest[i]);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    char got[8];
    struct probe *in = probe_new();
    int fd = memfd_create("a file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    put(fd, "text", 4);
    ring_read(ring, &in->op, fd, got, sizeof(got));
    assert_int_equal(in->events, 0);
    turn_until(!in->op.in_flight);
    assert_int_equal(in->result, -EPERM);
    ring_close(ring, fd);
    free(in);
}

/* With work in between, a turn that does not wait finds what has come all the same. */
static void a_look_is_left_out_only_for_moments(void **state)
{
    (void)state;
    int fd[2];
    struct probe *in = probe_new();
    clock_init();
    ring_free(&ring);
    ring = make_another(8, 16);
    pair_open(fd);
    ring_recv(ring, &in->op, fd[0]);
    for (uint32_t i = 1; i < 5; i++) {
        ring_turn(ring, 1000); /* it has looked */
        put(fd[1], "x", 1);
        nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
        ring_turn(ring, 0);
        assert_int_equal(in->size, i);
    }
    cancel(in);
    pair_close(fd);
    free(in);
}

static int wait_without_pwait2(void)
{
    static const int64_t waits_ns[] = { 1, 20 * 1000, 20 * 1000 * 1000 };
    int error = 0;
    if (!refuse_call(SYS_epoll_pwait2, ENOSYS))
        return CHILD_SKIPS;
    ring_free(&ring);
    ring = make(8, 16, &error);
    if (ring == NULL || strstr(ring->features, "pwait2") != NULL)
        return CHILD_WRONG;
    for (int i = 0; i < 3; i++) {
        int64_t before = mono_ns();
        ring_turn(ring, waits_ns[i]);
        if (mono_ns() - before < waits_ns[i])
            return CHILD_WRONG; /* none may end early, or a loop that has nothing to do spins */
    }
    return ring_turn(ring, 0) == 0 ? CHILD_FINE : CHILD_WRONG;
}

static void an_older_kernel_waits_by_the_millisecond(void **state)
{
    (void)state;
    run_in_child(wait_without_pwait2);
}

static int open_without_epoll(void)
{
    int error = 0;
    if (!refuse_call(SYS_epoll_create1, EMFILE))
        return CHILD_SKIPS;
    struct ring *none = make(8, 16, &error);
    const char *why = ring->engine->explain(error);
    return none == NULL && error == -EMFILE && strstr(why, "ulimit -n") ? CHILD_FINE : CHILD_WRONG;
}

static void a_refusal_is_explained(void **state)
{
    (void)state;
    run_in_child(open_without_epoll);
    assert_string_equal(ring->engine->explain(-EIO), "epoll could not be set up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_epoll(an_event_out_of_date_does_no_harm),
        on_epoll(room_that_nobody_needs_wakes_nobody),
        on_epoll(a_turn_takes_several_buffers_of_a_connection),
        on_epoll(a_receive_cancelled_by_what_it_took_takes_no_more),
        on_epoll(a_cancelled_listener_accepts_no_more),
        on_epoll(what_cannot_be_watched_is_refused),
        on_epoll(a_look_is_left_out_only_for_moments),
        on_epoll(an_older_kernel_waits_by_the_millisecond),
        on_epoll(a_refusal_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
