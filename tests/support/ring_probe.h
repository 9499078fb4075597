/*
 * ring_probe.h - a ring made for each test, operations that note what becomes of them, and turns
 * until something is so.
 *
 * on_every_engine(test) runs a test on each engine, on io_uring both as on Linux 6.1 and with
 * everything that this kernel has; on_uring(test) on io_uring alone. An engine that this system
 * refuses is skipped, and the reason is printed.
 */
#ifndef SHOAL_TESTS_RING_PROBE_H
#define SHOAL_TESTS_RING_PROBE_H

#include "shoal/net/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TURNS_MAX = 20000, /* of at most a second each: then it is taken for stuck */
    BUFFER_BYTES = 4096,
    BUFFERS = 4,
    SEEN_MAX = 1 << 16,
};

struct probe_case {
    const char *engine, *features;
    void (*test)(void **state);
};

static struct ring *ring;
static const struct probe_case *probed;

static inline struct ring *make(uint32_t entries, uint32_t completions, int *error)
{
    struct ring_config config = {
        .entries = entries,
        .completions = completions,
        .buffer_bytes = BUFFER_BYTES,
        .buffer_count = BUFFERS,
        .features = probed->features,
    };
    return ring_engine_find(probed->engine)->open(&config, error);
}

static inline int probe_begin(void **state)
{
    int error = 0;
    probed = *state;
    ring = make(64, 256, &error);
    if (ring == NULL)
        print_message("%s cannot be used here: %s (%s)\n", probed->engine,
                      ring_engine_find(probed->engine)->explain(error), strerror(-error));
    return 0;
}

static inline void probe_run(void **state)
{
    if (ring == NULL)
        skip();
    probed->test(state);
}

static inline int probe_end(void **state)
{
    (void)state;
    if (ring != NULL)
        ring_free(&ring);
    return 0;
}

/* Another ring of the same kind, while there is one: its engine can be used here. */
static inline struct ring *make_another(uint32_t entries, uint32_t completions)
{
    int error = 0;
    struct ring *made = make(entries, completions, &error);
    if (made == NULL)
        fail_msg("no second ring: %s", strerror(-error));
    return made;
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

static inline void fill(char *data, size_t size, uint32_t from)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((from + i) * 31 >> 3);
}

static inline int64_t mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static inline void send_buffer(int fd, int bytes)
{
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

/* Ends what is in flight and sees that it does. */
static inline void cancel(struct probe *probe)
{
    ring_cancel(ring, &probe->op);
    turn_until(!probe->op.in_flight);
}

/* How long a few waits of 20 ms take altogether: the first ones may end early. */
static inline int64_t slept_ns(void)
{
    enum { WAITS = 5, WAIT_NS = 20 * 1000 * 1000 };
    int64_t before = mono_ns();
    for (int i = 0; i < WAITS; i++)
        assert_int_equal(ring_turn(ring, WAIT_NS), 0);
    return mono_ns() - before;
}

static inline void pair_open(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

/* With nothing in flight. */
static inline void pair_close(int fd[2])
{
    ring_close(ring, fd[0]);
    ring_close(ring, fd[1]);
}

static inline void put(int fd, const void *data, size_t size)
{
    assert_int_equal(write(fd, data, size), size);
}

#define probe_test(test, engine, features)                                                         \
    {                                                                                              \
#test " (" engine ", " features ")", probe_run, probe_begin, probe_end,                    \
            &(struct probe_case)                                                                   \
        {                                                                                          \
            engine, features, test                                                                 \
        }                                                                                          \
    }
#define on_uring(test) probe_test(test, "uring", "6.1"), probe_test(test, "uring", "all")
#define on_epoll(test) probe_test(test, "epoll", "all")
#define on_every_engine(test) on_uring(test), on_epoll(test)

#endif
