/*
 * ring.h - the I/O boundary: what a reactor asks of the system, whatever engine stands behind it.
 *
 * The caller owns every operation: a struct io_op lives in the object that waits for it, so the
 * ring allocates nothing per operation. Its `done` runs inside ring_reap() on the thread that
 * started it. An operation is in flight from its start until a completion with more == false, and
 * its op must stay where it is until then.
 *
 * io_uring is the engine built here (uring.c); another one (epoll, a simulator) is another table of
 * functions.
 */
#ifndef SHOAL_NET_RING_H
#define SHOAL_NET_RING_H

#include "shoal/base/must.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct io_op;
struct ring;

/* What a completion says. */
struct io_event {
    int result; /* bytes or a descriptor; -errno */
    bool more;  /* further completions of the same operation will come (multishot) */
    /* ring_recv() and ring_recv_once(): the bytes, in a buffer of the ring that the receiver holds
     * one reference to; NULL otherwise */
    char *data;
    uint16_t buffer; /* its id, for ring_buffer_hold/release */
};

typedef void (*io_done_fn)(struct io_op *op, const struct io_event *event);

struct io_op {
    io_done_fn done;
    bool in_flight;
    bool cancelling; /* a cancellation is under way */
};

struct ring_config {
    uint32_t entries;      /* submission queue */
    uint32_t completions;  /* completion queue */
    uint32_t buffer_bytes; /* of one receive buffer */
    uint32_t buffer_count; /* a power of two */
    const char *features;  /* "all", "6.1", or names: a mask over what the kernel offers */
};

enum { RING_FEATURES_TEXT = 160 };

struct ring_engine {
    const char *name;
    void (*free)(struct ring *ring);
    void (*accept)(struct ring *ring, struct io_op *op, int fd);
    void (*recv)(struct ring *ring, struct io_op *op, int fd);
    void (*recv_once)(struct ring *ring, struct io_op *op, int fd, size_t size);
    void (*recv_into)(struct ring *ring, struct io_op *op, int fd, void *data, size_t size);
    void (*send)(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size);
    void (*sendmsg)(struct ring *ring, struct io_op *op, int fd, const struct msghdr *message);
    void (*read)(struct ring *ring, struct io_op *op, int fd, void *data, size_t size);
    void (*cancel)(struct ring *ring, struct io_op *op);
    void (*wake)(struct ring *ring, const struct ring *target);
    void (*wait)(struct ring *ring, int64_t wait_ns);
    uint32_t (*reap)(struct ring *ring);
    void (*buffer_unused)(struct ring *ring, uint16_t buffer);
    uint32_t (*buffers_available)(const struct ring *ring);
    void (*file_keep)(struct ring *ring, int fd);
    void (*file_drop)(struct ring *ring, int fd);
};

/* Common head of every engine's ring. */
struct ring {
    const struct ring_engine *engine;
    char features[RING_FEATURES_TEXT]; /* names of what it uses, between spaces, to be shown */
    uint64_t turns, overflows;         /* completion queue overflows seen */
    uint32_t *buffer_refs;             /* of each receive buffer */
};

static inline void ring_free(struct ring **ring)
{
    (*ring)->engine->free(*ring);
    *ring = NULL;
}

/* Accepts until cancelled or failed: event.result is a descriptor. Thread: owner, as all below. */
static inline void ring_accept(struct ring *ring, struct io_op *op, int fd)
{
    ring->engine->accept(ring, op, fd);
}

/* Receives until the end (result 0), cancelled, failed, or out of buffers (-ENOBUFS: start it again
 * later). */
static inline void ring_recv(struct ring *ring, struct io_op *op, int fd)
{
    ring->engine->recv(ring, op, fd);
}

/* Receives once, at most `size` bytes, into a buffer of the ring. */
static inline void ring_recv_once(struct ring *ring, struct io_op *op, int fd, size_t size)
{
    ring->engine->recv_once(ring, op, fd, size);
}

/* Receives once, what there is but at most `size` bytes, to `data`, which stays put until then. */
static inline void ring_recv_into(struct ring *ring, struct io_op *op, int fd, void *data,
                                  size_t size)
{
    ring->engine->recv_into(ring, op, fd, data, size);
}

/* Sends; completes when all is sent or with what was sent before an error. Data stays put until
 * then. */
static inline void ring_send(struct ring *ring, struct io_op *op, int fd, const void *data,
                             size_t size)
{
    ring->engine->send(ring, op, fd, data, size);
}

/* The same from several places. The message and its iovec stay put as well. */
static inline void ring_sendmsg(struct ring *ring, struct io_op *op, int fd,
                                const struct msghdr *message)
{
    ring->engine->sendmsg(ring, op, fd, message);
}

static inline void ring_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    ring->engine->read(ring, op, fd, data, size);
}

/* Asks for an early end; the operation still completes (-ECANCELED, or what it had done). */
static inline void ring_cancel(struct ring *ring, struct io_op *op)
{
    ring->engine->cancel(ring, op);
}

/* Makes the target's ring_turn() return. Sent with our own next turn. */
static inline void ring_wake(struct ring *ring, const struct ring *target)
{
    ring->engine->wake(ring, target);
}

/*
 * Submits what was started, and waits for completions.
 *
 *   wait_ns  0 does not wait; > 0 waits for one completion or so many ns; -1 waits for one
 */
static inline void ring_wait(struct ring *ring, int64_t wait_ns)
{
    ring->engine->wait(ring, wait_ns);
}

/* Runs the completions that are there. Returns how many (wake-ups not counted). */
static inline uint32_t ring_reap(struct ring *ring)
{
    return ring->engine->reap(ring);
}

/* Waits, then runs the completions that are there. The time read before this call is out of date
 * by the wait when they run, so they must not depend on it. */
static inline uint32_t ring_turn(struct ring *ring, int64_t wait_ns)
{
    ring_wait(ring, wait_ns);
    return ring_reap(ring);
}

/* Receive buffers are counted: the event's reference plus one for each hold. Back to the kernel at
 * zero. */
static inline void ring_buffer_hold(struct ring *ring, uint16_t buffer)
{
    ring->buffer_refs[buffer]++;
}
static inline void ring_buffer_release(struct ring *ring, uint16_t buffer)
{
    must(ring->buffer_refs[buffer] > 0);
    if (--ring->buffer_refs[buffer] == 0)
        ring->engine->buffer_unused(ring, buffer);
}
static inline uint32_t ring_buffers_available(const struct ring *ring)
{
    return ring->engine->buffers_available(ring);
}

/* Says that many receives and sends on this descriptor will follow: the engine may hold on to its
 * file, which makes each of them cheaper. The caller drops it with ring_file_drop() before close().
 */
static inline void ring_file_keep(struct ring *ring, int fd)
{
    ring->engine->file_keep(ring, fd);
}
static inline void ring_file_drop(struct ring *ring, int fd)
{
    ring->engine->file_drop(ring, fd);
}

#endif
