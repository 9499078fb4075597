/*
 * ring.h - the I/O boundary: what a reactor asks of the system, whatever engine stands behind it.
 *
 * An engine is a table of functions, found by name; every call below goes through it. What each of
 * them promises, and tests/unit/net/test_engine.c holds it to:
 *
 *   - The caller owns every operation. A struct io_op lives in the object that waits for it, and the
 *     ring allocates nothing for one.
 *   - `done` runs inside ring_reap(), on the thread that started the operation, and never inside the
 *     call that starts or cancels it: not for a send that succeeds at once either.
 *   - An operation is in flight from its start until a completion with more == false. It completes
 *     so exactly once, and its op, its data and its descriptor stay until then.
 *   - A cancelled operation completes later: with -ECANCELED, or with what it had done.
 *   - A descriptor has at most one operation in flight that takes (accept, receive, read) and one
 *     that gives (send).
 *   - A receive that finds no free buffer completes with -ENOBUFS, once. The bytes stay where they
 *     are, and the next receive finds them: so does any that starts when bytes are there already.
 *   - Bytes go to the receive that takes them and to no other: what one did not ask for is left to
 *     the next, of whichever kind.
 *   - A send goes on where the system took only a part, also inside a part of a message, and writes
 *     to nothing of the caller's.
 *   - A wake-up that comes before the sleep ends it at once.
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
    int32_t _fd;     /* for engines that must find their way back from an operation */
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
    const char *name;   /* as it is shown: "io_uring" */
    const char *option; /* as it is asked for: "uring" */
    /*
     * Makes a ring for the calling thread, which alone may use it (ring_wake() of others aside).
     *
     *   error    0 or -errno of the refusal
     *   returns  NULL on error
     */
    struct ring *(*open)(const struct ring_config *config, int *error);
    /* One line why the system refuses the engine and what to do about it, for an error of open().
     * Thread: any. */
    const char *(*explain)(int error);
    /* Of ring_config.features: the first name in a list that means nothing (NULL: all are known),
     * and the names that may stand there. Both NULL: the engine has none. Thread: any. */
    const char *(*features_unknown)(const char *list);
    void (*features_known)(char out[RING_FEATURES_TEXT]);
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
    bool (*keep)(struct ring *ring, int fd);
    void (*close)(struct ring *ring, int fd);
    void (*shutdown)(struct ring *ring, int fd, int how);
    size_t (*unread)(const struct ring *ring, int fd);
    size_t (*unsent)(const struct ring *ring, int fd);
    bool (*acked)(const struct ring *ring, int fd, uint64_t *bytes);
};

/* The engine that is asked for by this word; NULL: there is none. Thread: any. */
const struct ring_engine *ring_engine_find(const char *option);

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

/* Reads once from a descriptor that can be polled: an eventfd, a pipe. */
static inline void ring_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    ring->engine->read(ring, op, fd, data, size);
}

/* Asks for an early end; the operation still completes (-ECANCELED, or what it had done). */
static inline void ring_cancel(struct ring *ring, struct io_op *op)
{
    ring->engine->cancel(ring, op);
}

/* Makes the target's ring_wait() return, or its next one that would block: at the latest with our
 * own next turn. The target's engine is ours. */
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

/*
 * Says that many receives and sends on this descriptor will follow: the engine takes hold of its
 * file, or makes room for it, so that each of them is cheaper and cannot lack memory.
 *
 *   returns  false when memory is out; the descriptor may be closed then, but not used
 */
static inline bool ring_keep(struct ring *ring, int fd)
{
    return ring->engine->keep(ring, fd);
}

/* Closes a descriptor that has nothing in flight, kept or not. What has been operated on is closed
 * in no other way: an engine may hold on to it. */
static inline void ring_close(struct ring *ring, int fd)
{
    ring->engine->close(ring, fd);
}

/* As shutdown(2). Operations in flight end by it: a receive with 0, a send with an error. */
static inline void ring_shutdown(struct ring *ring, int fd, int how)
{
    ring->engine->shutdown(ring, fd, how);
}

/* Bytes that have arrived and were not received, and bytes sent that the peer's system has not
 * taken yet. 0 also where that cannot be told. */
static inline size_t ring_unread(const struct ring *ring, int fd)
{
    return ring->engine->unread(ring, fd);
}
static inline size_t ring_unsent(const struct ring *ring, int fd)
{
    return ring->engine->unsent(ring, fd);
}

/* What the peer's system has taken of all that was ever sent. False: not TCP. */
static inline bool ring_acked(const struct ring *ring, int fd, uint64_t *bytes)
{
    return ring->engine->acked(ring, fd, bytes);
}

/* These four as the kernel has them, for engines whose descriptors are the kernel's. */
void ring_kernel_shutdown(struct ring *ring, int fd, int how);
size_t ring_kernel_unread(const struct ring *ring, int fd);
size_t ring_kernel_unsent(const struct ring *ring, int fd);
bool ring_kernel_acked(const struct ring *ring, int fd, uint64_t *bytes);

#endif
