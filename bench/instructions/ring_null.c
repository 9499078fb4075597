/*
 * ring_null.c - completions without a kernel. What runs inside a turn is a few dozen instructions,
 * the same for every request; copying is left to the caller, between turns.
 */
#include "ring_null.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct ring_null {
    struct ring ring;
    uint32_t refs[1]; /* of the buffer */
    struct io_op *recv, *send;
    size_t arrived;   /* not reaped yet */
    struct iovec one; /* what is being sent: this, or parts of a message */
    const struct iovec *parts;
    size_t part_count, sending;
    char buffer[RING_NULL_BYTES];
};

static struct ring_null *null_of(struct ring *ring)
{
    return (struct ring_null *)ring;
}

static void start(struct io_op **slot, struct io_op *op)
{
    must(*slot == NULL && !op->in_flight);
    op->in_flight = true;
    op->cancelling = false;
    *slot = op;
}

static void null_recv(struct ring *ring, struct io_op *op, int fd)
{
    (void)fd;
    start(&null_of(ring)->recv, op);
}

static void null_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    struct ring_null *null = null_of(ring);
    (void)fd;
    start(&null->send, op);
    null->one = (struct iovec){ (void *)data, size };
    null->parts = &null->one;
    null->part_count = 1;
    null->sending = size;
}

static void null_sendmsg(struct ring *ring, struct io_op *op, int fd, const struct msghdr *message)
{
    struct ring_null *null = null_of(ring);
    (void)fd;
    start(&null->send, op);
    null->parts = message->msg_iov;
    null->part_count = message->msg_iovlen;
    null->sending = 0;
    for (size_t i = 0; i < null->part_count; i++)
        null->sending += null->parts[i].iov_len;
}

static void null_cancel(struct ring *ring, struct io_op *op)
{
    (void)ring;
    op->cancelling = op->in_flight;
}

/* Whoever turns the reactors never lets one sleep. */
static void null_wake(struct ring *ring, const struct ring *target)
{
    (void)ring;
    (void)target;
}

static void null_wait(struct ring *ring, int64_t wait_ns)
{
    (void)wait_ns;
    ring->turns++;
}

static void complete(struct io_op **slot, const struct io_event *event)
{
    struct io_op *op = *slot;
    op->in_flight = event->more;
    if (!event->more)
        *slot = NULL;
    op->done(op, event);
}

static uint32_t null_reap(struct ring *ring)
{
    struct ring_null *null = null_of(ring);
    uint32_t count = 0;
    if (null->send != NULL) {
        struct io_event event = { .result = (int)null->sending };
        complete(&null->send, &event);
        count++;
    }
    if (null->arrived > 0 && null->recv != NULL) {
        struct io_event event = {
            .result = (int)null->arrived,
            .more = true,
            .data = null->buffer,
        };
        null->arrived = 0;
        ring_buffer_hold(ring, 0);
        complete(&null->recv, &event);
        count++;
    }
    if (unlikely(null->recv != NULL && null->recv->cancelling)) {
        struct io_event event = { .result = -ECANCELED };
        complete(&null->recv, &event);
        count++;
    }
    return count;
}

static void null_buffer_unused(struct ring *ring, uint16_t buffer)
{
    (void)ring;
    (void)buffer;
}

static uint32_t null_buffers_available(const struct ring *ring)
{
    return ring->buffer_refs[0] == 0;
}

static bool null_keep(struct ring *ring, int fd)
{
    (void)ring;
    (void)fd;
    return true;
}

static void null_close(struct ring *ring, int fd)
{
    (void)ring;
    close(fd);
}

static void null_free(struct ring *ring)
{
    free(null_of(ring));
}

/* Without what only large requests, listeners and the process need. */
static const struct ring_engine null_engine = {
    .name = "null",
    .free = null_free,
    .recv = null_recv,
    .send = null_send,
    .sendmsg = null_sendmsg,
    .cancel = null_cancel,
    .wake = null_wake,
    .wait = null_wait,
    .reap = null_reap,
    .buffer_unused = null_buffer_unused,
    .buffers_available = null_buffers_available,
    .keep = null_keep,
    .close = null_close,
    .shutdown = ring_kernel_shutdown,
    .unsent = ring_kernel_unsent,
};

struct ring *ring_null_new(void)
{
    struct ring_null *null = calloc(1, sizeof(*null));
    must(null != NULL);
    null->ring.engine = &null_engine;
    null->ring.buffer_refs = null->refs;
    return &null->ring;
}

char *ring_null_buffer(struct ring *ring)
{
    must(null_of(ring)->refs[0] == 0 && null_of(ring)->arrived == 0);
    return null_of(ring)->buffer;
}

void ring_null_deliver(struct ring *ring, size_t size)
{
    must(size > 0 && size <= RING_NULL_BYTES);
    null_of(ring)->arrived = size;
}

size_t ring_null_sent(struct ring *ring, char *to, size_t room)
{
    struct ring_null *null = null_of(ring);
    size_t size = 0;
    for (size_t i = 0; null->send != NULL && i < null->part_count; i++) {
        must(size + null->parts[i].iov_len <= room);
        memcpy(to + size, null->parts[i].iov_base, null->parts[i].iov_len);
        size += null->parts[i].iov_len;
    }
    return size;
}
