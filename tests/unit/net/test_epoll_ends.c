/*
 * test_epoll_ends.c - descriptors of any number, and none for which there is no memory.
 */
#include "support/ring_probe.h"

#include <fcntl.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool memory_is_out;

void *__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_is_out ? NULL : __real_realloc(old, size);
}

/* A descriptor with this number or the next one that is free, whose peer is fd[1]. */
static void pair_open_at(int fd[2], int number)
{
    pair_open(fd);
    int high = fcntl(fd[0], F_DUPFD_CLOEXEC, number);
    assert_true(high >= number);
    close(fd[0]);
    fd[0] = high;
}

static void receives(int fd[2])
{
    struct probe *in = probe_new();
    ring_recv(ring, &in->op, fd[0]);
    put(fd[1], "hello", 5);
    turn_until(in->size == 5);
    cancel(in);
    free(in);
}

static void any_number_will_do(void **state)
{
    (void)state;
    static const int numbers[] = { 10, 63, 64, 65, 127, 128, 300, 1000 };
    enum { COUNT = sizeof(numbers) / sizeof(*numbers) };
    int fd[COUNT][2];
    for (int i = COUNT - 1; i >= 0; i--) {
        pair_open_at(fd[i], numbers[i]);
        assert_true(ring_keep(ring, fd[i][0]));
        assert_true(ring_keep(ring, fd[i][0])); /* once more does no harm */
    }
    for (int i = 0; i < COUNT; i++)
        receives(fd[i]);
    for (int i = 0; i < COUNT; i++)
        pair_close(fd[i]);
}

static void without_memory_it_is_not_kept(void **state)
{
    (void)state;
    static const int numbers[] = { 20, 900 };
    int fd[2];
    for (int i = 0; i < 2; i++) {
        pair_open_at(fd, numbers[i]);
        memory_is_out = true;
        bool kept = ring_keep(ring, fd[0]);
        memory_is_out = false;
        assert_false(kept);
        ring_close(ring, fd[0]);
        assert_int_equal(fcntl(fd[0], F_GETFD), -1);
        ring_close(ring, fd[1]);
        pair_open_at(fd, numbers[i]);
        assert_true(ring_keep(ring, fd[0]));
        receives(fd);
        pair_close(fd);
    }
}

/* A descriptor that is closed leaves its place to the next, which needs no memory then. */
static void places_are_used_again(void **state)
{
    (void)state;
    int fd[2];
    pair_open(fd);
    assert_true(ring_keep(ring, fd[0]));
    ring_close(ring, fd[0]);
    ring_close(ring, fd[1]);
    pair_open(fd);
    memory_is_out = true;
    bool kept = ring_keep(ring, fd[0]);
    memory_is_out = false;
    assert_true(kept);
    receives(fd);
    pair_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_epoll(any_number_will_do),
        on_epoll(without_memory_it_is_not_kept),
        on_epoll(places_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
