/*
 * ring_probe.h - a ring made for each test, operations that note what becomes of them, and turns
 * until something is so. Every test runs as on Linux 6.1 and with everything that this kernel has.
 */
#ifndef SHOAL_TESTS_RING_PROBE_H
#define SHOAL_TESTS_RING_PROBE_H

#include "shoal/net/ring.h"
#include "shoal/net/uring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TURNS_MAX = 20000, /* of at most a second each: then it is taken for stuck */
    BUFFER_BYTES = 4096,
    BUFFERS = 4,
    SEEN_MAX = 1 << 16,
};

static struct ring *ring;
static const char *features;

static inline struct ring *make(const char *with, uint32_t entries, uint32_t completions)
{
    struct ring_config config = {
        .entries = entries,
        .completions = completions,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFERS,
        .features = with,
    };
    int error = 0;
    struct ring *made = uring_new(&config, &error);
    if (made == NULL)
        fail_msg("%s (%s)", uring_explain(error), strerror(-error));
    return made;
}

static inline int with_61(void **state)
{
    (void)state;
    features = "6.1";
    ring = make(features, 64, 256);
    return 0;
}

static inline int with_all(void **state)
{
    (void)state;
    features = "all";
    ring = make(features, 64, 256);
    return 0;
}

static inline int finish(void **state)
{
    (void)state;
    ring_free(&ring);
    return 0;
}

/* An operation that notes what its completions say. */
struct probe {
    struct io_op op; /* first */
    uint32_t events, size;
    int result;
    bool more;
    char data[SEEN_MAX];
    bool keeps; /* buffers are not released: */
    uint16_t kept[SEEN_MAX / 64];
    uint32_t kept_count;
    bool by_one_hold; /* release what keeps would have kept, but hold it once first */
};

static inline void note(struct io_op *op, const struct io_event *event)
{
    struct probe *probe = (struct probe *)op;
    probe->events++;
    probe->result = event->result;
    probe->more = event->more;
    assert_int_equal(op->in_flight, event->more);
    if (event->result <= 0 || event->data == NULL)
        return;
    assert_true(probe->size + (uint32_t)event->result <= SEEN_MAX);
    memcpy(probe->data + probe->size, event->data, (size_t)event->result);
    probe->size += (uint32_t)event->result;
    if (probe->by_one_hold) {
        ring_buffer_hold(ring, event->buffer);
        ring_buffer_release(ring, event->buffer);
    }
    if (probe->keeps || probe->by_one_hold)
        probe->kept[probe->kept_count++] = event->buffer;
    else
        ring_buffer_release(ring, event->buffer);
}

static inline struct probe *probe_new(void)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    probe->op.done = note;
    return probe;
}

static inline void give_back(struct probe *probe)
{
    while (probe->kept_count > 0)
        ring_buffer_release(ring, probe->kept[--probe->kept_count]);
}

/* Turns until the condition holds. */
#define turn_until(condition)                                                                      \
    do {                                                                                           \
        for (int turns = 0; !(condition); turns++) {                                               \
            if (turns == TURNS_MAX)                                                                \
                fail_msg("never: %s", #condition);                                                 \
            ring_turn(ring, 1000000000);                                                           \
        }                                                                                          \
    } while (0)

static inline void pair_open(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

static inline void pair_close(int fd[2])
{
    close(fd[0]);
    close(fd[1]);
}

static inline void put(int fd, const void *data, size_t size)
{
    assert_int_equal(write(fd, data, size), size);
}

/* Both kernels. */
#define both(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, with_61, finish),                                        \
        cmocka_unit_test_setup_teardown(test, with_all, finish)

#endif
