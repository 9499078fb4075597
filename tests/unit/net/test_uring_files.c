/*
 * test_uring_files.c - descriptors that the ring holds on to: they work as before, and closing one
 * closes it.
 */
#include "support/refuse_call.h"

#include "shoal/net/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TURNS_MAX = 1000, BEYOND = 20000 };

struct probe {
    struct io_op op; /* first */
    char data[64];
    uint32_t size, events;
    int result;
};

static struct ring *ring;

static void note(struct io_op *op, const struct io_event *event)
{
    struct probe *probe = (struct probe *)op;
    probe->events++;
    probe->result = event->result;
    if (event->data == NULL)
        return;
    assert_true(probe->size + (uint32_t)event->result <= sizeof(probe->data));
    memcpy(probe->data + probe->size, event->data, (size_t)event->result);
    probe->size += (uint32_t)event->result;
    ring_buffer_release(ring, event->buffer);
}

static int start_with(const char *features)
{
    struct ring_config config = { .entries = 64,
                                  .completions = 256,
                                  .buffer_bytes = 4096,
                                  .buffer_count = 4,
                                  .features = features };
    int error = 0;
    ring = ring_engine_find("uring")->open(&config, &error);
    return ring == NULL ? error : 0;
}

static int start_all(void **state)
{
    (void)state;
    return start_with("all");
}

static int start_61(void **state)
{
    (void)state;
    return start_with("6.1");
}

static int finish(void **state)
{
    (void)state;
    ring_free(&ring);
    return 0;
}

static void wait_for(const struct probe *probe, uint32_t events)
{
    for (int turns = 0; probe->events < events && turns < TURNS_MAX; turns++)
        ring_turn(ring, 1000000000);
    assert_true(probe->events >= events);
}

/* Something goes through `fd` in both directions, its end closes it for the peer, and its number
 * can be used again. */
static void exchange(int fd, int peer)
{
    struct probe in = { .op.done = note }, out = { .op.done = note };
    char got[8];
    ring_keep(ring, fd);
    ring_recv(ring, &in.op, fd);
    ring_send(ring, &out.op, fd, "there", 5);
    wait_for(&out, 1);
    assert_int_equal(out.result, 5);
    assert_int_equal(read(peer, got, sizeof(got)), 5);
    assert_memory_equal(got, "there", 5);
    assert_int_equal(write(peer, "back", 4), 4);
    wait_for(&in, 1);
    assert_memory_equal(in.data, "back", 4);
    ring_cancel(ring, &in.op);
    for (int turns = 0; in.op.in_flight && turns < TURNS_MAX; turns++)
        ring_turn(ring, 1000000000);
    ring_close(ring, fd);
    assert_int_equal(read(peer, got, sizeof(got)), 0); /* blocks for ever if it is still held */
    close(peer);
}

static void a_number_is_used_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        int fd[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        exchange(fd[0], fd[1]);
    }
}

static void a_descriptor_beyond_the_table_is_used_as_it_is(void **state)
{
    (void)state;
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    int high = fcntl(fd[0], F_DUPFD_CLOEXEC, BEYOND);
    if (high < 0) {
        print_message("skipped: no descriptors above %d here\n", BEYOND);
        close(fd[0]);
        close(fd[1]);
        skip();
    }
    close(fd[0]);
    exchange(high, fd[1]);
}

static void one_that_was_never_held_may_be_closed(void **state)
{
    (void)state;
    int fd = dup(0);
    assert_true(fd >= 0);
    ring_close(ring, fd);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    ring_close(ring, BEYOND);
}

/* In a process of its own, for the filter stays: what is sent on a number goes to the file that has
 * it now. */
static int send_after_refusals(void)
{
    struct probe out = { .op.done = note };
    int old[2], new[2];
    char got[8];
    if (start_with("all") != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, old) != 0)
        return CHILD_WRONG;
    ring_keep(ring, old[0]);
    if (!refuse_call(SYS_io_uring_register, ENOMEM))
        return CHILD_SKIPS;
    ring_close(ring, old[0]);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, new) != 0 || new[0] != old[0])
        return CHILD_WRONG;
    ring_keep(ring, new[0]);
    ring_send(ring, &out.op, new[0], "there", 5);
    for (int turns = 0; out.op.in_flight && turns < TURNS_MAX; turns++)
        ring_turn(ring, 1000000000);
    bool arrived = recv(new[1], got, sizeof(got), MSG_DONTWAIT) == 5;
    return arrived && out.result == 5 ? CHILD_FINE : CHILD_WRONG;
}

static void a_refusal_mixes_up_no_files(void **state)
{
    (void)state;
    run_in_child(send_after_refusals);
}

static void only_what_was_asked_for_is_used(void **state)
{
    (void)state;
    bool asked = strcmp(*state, "all") == 0;
    if (strstr(ring->features, "registered-files") != NULL)
        assert_true(asked);
}

int main(void)
{
    static char all[] = "all", floor[] = "6.1";
    const struct CMUnitTest with_all[] = {
        cmocka_unit_test(a_number_is_used_again_and_again),
        cmocka_unit_test(a_descriptor_beyond_the_table_is_used_as_it_is),
        cmocka_unit_test(one_that_was_never_held_may_be_closed),
        cmocka_unit_test_prestate(only_what_was_asked_for_is_used, all),
    };
    const struct CMUnitTest with_61[] = {
        cmocka_unit_test(a_number_is_used_again_and_again),
        cmocka_unit_test(one_that_was_never_held_may_be_closed),
        cmocka_unit_test_prestate(only_what_was_asked_for_is_used, floor),
    };
    const struct CMUnitTest alone[] = { cmocka_unit_test(a_refusal_mixes_up_no_files) };
    int failed = cmocka_run_group_tests(alone, NULL, NULL);
    failed += cmocka_run_group_tests(with_all, start_all, finish);
    return failed + cmocka_run_group_tests(with_61, start_61, finish);
}
