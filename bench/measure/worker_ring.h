/*
 * worker_ring.h - one worker's io_uring: sends, multishot receives into shared buffers, one wait.
 *
 * A turn is: queue sends, ring_wait(), take the events. All sends queued in a turn leave with the
 * one system call that also collects what arrived. Thread: owner.
 */
#ifndef BENCH_WORKER_RING_H
#define BENCH_WORKER_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <liburing.h>

enum {
    RING_ENTRIES = 1024,
    RING_BUFFERS_MIN = 64,
    RING_BUFFERS_MAX = 1024,
    RING_BUFFER_BYTES_MIN = 4 << 10,
    RING_BUFFER_BYTES_MAX = 64 << 10,
};

struct ring {
    struct io_uring _uring;
    struct io_uring_buf_ring *_buffers;
    char *_memory;
    uint32_t _buffer_size, _buffer_count, _returned;
};

enum event_kind { EVENT_SENT, EVENT_RECEIVED };

struct event {
    enum event_kind kind;
    uint32_t tag;     /* the connection's */
    int result;       /* bytes, 0 at the end of the stream, -errno */
    bool ended;       /* the receive must be armed again */
    const char *data; /* received bytes, until ring_release() */
    uint16_t _buffer;
};

/* Buffers are sized for `connections` that receive about `burst_bytes` at a time. 0 or -errno. The
 * thread that calls this is the owner. */
int ring_init(struct ring *ring, uint32_t connections, uint64_t burst_bytes);
void ring_fini(struct ring *ring);

/* `data` must stay until the EVENT_SENT of this tag. */
void ring_send(struct ring *ring, int fd, uint32_t tag, const char *data, uint32_t size);

/* Keeps delivering events until one says ended. */
void ring_receive(struct ring *ring, int fd, uint32_t tag);

/* Submits, then waits for an event for at most timeout_ns (0: only looks). */
void ring_wait(struct ring *ring, uint64_t timeout_ns);

/* The next event that is here; false when there is none. Return its buffer with ring_release(). */
bool ring_next(struct ring *ring, struct event *event);
void ring_release(struct ring *ring, const struct event *event);

#endif
