/*
 * ring_fake.h - a ring without a kernel, for many connections: a test puts in what each receives,
 * and says how its sends end.
 *
 * What it promises is what ring.h promises: an operation completes inside ring_reap() and never
 * when it is started, a multishot receive goes on until it is cancelled, fails, or finds no buffer.
 * Each ring_reap() completes at most one receive and one send of a connection. Descriptors are real
 * ones, because connections ask the kernel about them, but nothing is read from them or written to
 * them. (bench/instructions has a ring of its own: there every instruction of a turn is counted.)
 */
#ifndef SHOAL_TESTS_SUPPORT_RING_FAKE_H
#define SHOAL_TESTS_SUPPORT_RING_FAKE_H

#include "shoal/conn/out.h"
#include "shoal/net/ring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    FAKE_LINES_MAX = 1000, /* connections of one ring in one test */
    FAKE_BUFFERS = 4,
    FAKE_BUFFER_BYTES = 16 * 1024,
};

/* Bytes on their way; they stay after the connection has been closed. */
struct fake_bytes {
    char *data;
    size_t size, taken, capacity;
};

struct fake_line {
    int fd;
    bool open;
    struct io_op *recv, *send;

    struct fake_bytes in;
    size_t piece;      /* a receive takes so much at most; 0: as much as a buffer holds */
    bool ends;         /* after `in` ... */
    int end;           /* ... with this: 0 for the end of the stream, or -errno */
    bool once;         /* the receive under way ends with its first bytes ... */
    size_t recv_most;  /* ... of which it takes no more than this, ... */
    char *recv_to;     /* ... to this place; NULL: to a buffer of the ring */
    uint32_t receives; /* receives that have been started */

    struct fake_bytes out; /* what has been sent */
    bool blocked;          /* sends stay in flight */
    size_t send_most;      /* a send ends short after so much; 0: when all is sent */
    int send_error;        /* a send fails with it; 0: it does not */
    struct iovec parts[OUT_VECTOR_MAX];
    size_t part_count;
    uint32_t sends; /* that have been started */
};

struct ring_fake {
    struct ring ring;
    uint32_t refs[FAKE_BUFFERS];
    char buffer[FAKE_BUFFERS][FAKE_BUFFER_BYTES];
    struct fake_line *line[FAKE_LINES_MAX];
    uint32_t line_count;
    struct io_op *read; /* of an eventfd */
    int read_fd;
    void *read_to;
    size_t read_size;
    uint32_t wakes;        /* that this ring has sent */
    int64_t wait_ns;       /* of the last wait */
    void (*waiting)(void); /* what happens meanwhile; NULL: nothing */
};

static inline struct ring_fake *fake_of(const struct ring *ring)
{
    return (struct ring_fake *)ring;
}

static inline void fake_bytes_reserve(struct fake_bytes *bytes, size_t size)
{
    if (bytes->size + size <= bytes->capacity)
        return;
    bytes->capacity = 2 * (bytes->size + size);
    bytes->data = realloc(bytes->data, bytes->capacity);
    must(bytes->data != NULL);
}

static inline void fake_bytes_add(struct fake_bytes *bytes, const void *data, size_t size)
{
    fake_bytes_reserve(bytes, size);
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static inline struct fake_line *fake_line_of(const struct ring *ring, int fd)
{
    struct ring_fake *fake = fake_of(ring);
    for (uint32_t i = 0; i < fake->line_count; i++)
        if (fake->line[i]->open && fake->line[i]->fd == fd)
            return fake->line[i];
    must(!"a descriptor that the ring was not told of");
    return NULL;
}

static inline void fake_begin(struct io_op **slot, struct io_op *op)
{
    must(*slot == NULL && !op->in_flight);
    op->in_flight = true;
    op->cancelling = false;
    *slot = op;
}

static inline void fake_complete(struct io_op **slot, const struct io_event *event)
{
    struct io_op *op = *slot;
    op->in_flight = event->more;
    if (!event->more)
        *slot = NULL;
    op->done(op, event);
}

/* ---- receives ------------------------------------------------------------ */

static inline void fake_recv_begin(struct fake_line *line, struct io_op *op, size_t most, char *to)
{
    fake_begin(&line->recv, op);
    line->once = most > 0;
    line->recv_most = most;
    line->recv_to = to;
    line->receives++;
}

static inline void fake_recv(struct ring *ring, struct io_op *op, int fd)
{
    fake_recv_begin(fake_line_of(ring, fd), op, 0, NULL);
}

static inline void fake_recv_once(struct ring *ring, struct io_op *op, int fd, size_t size)
{
    fake_recv_begin(fake_line_of(ring, fd), op, size, NULL);
}

static inline void fake_recv_into(struct ring *ring, struct io_op *op, int fd, void *data,
                                  size_t size)
{
    fake_recv_begin(fake_line_of(ring, fd), op, size, data);
}

static inline int fake_buffer_free(const struct ring_fake *fake)
{
    for (int i = 0; i < FAKE_BUFFERS; i++)
        if (fake->refs[i] == 0)
            return i;
    return -1;
}

static inline bool fake_has_arrived(const struct fake_line *line)
{
    return line->in.taken < line->in.size;
}

/* A receive that has something to take. */
static inline void fake_take(struct ring_fake *fake, struct fake_line *line)
{
    int buffer = line->recv_to == NULL ? fake_buffer_free(fake) : 0;
    if (buffer < 0) {
        fake_complete(&line->recv, &(struct io_event){ .result = -ENOBUFS });
        return;
    }
    size_t size = line->in.size - line->in.taken;
    size_t most = line->once ? line->recv_most : FAKE_BUFFER_BYTES;
    if (line->recv_to == NULL && most > FAKE_BUFFER_BYTES)
        most = FAKE_BUFFER_BYTES;
    if (line->piece > 0 && line->piece < most)
        most = line->piece;
    size = size < most ? size : most;
    char *to = line->recv_to != NULL ? line->recv_to : fake->buffer[buffer];
    memcpy(to, line->in.data + line->in.taken, size);
    line->in.taken += size;
    struct io_event event = { .result = (int)size, .more = !line->once };
    if (line->recv_to == NULL) {
        event.data = to;
        event.buffer = (uint16_t)buffer;
        ring_buffer_hold(&fake->ring, event.buffer);
    }
    fake_complete(&line->recv, &event);
}

static inline bool fake_recv_ready(const struct fake_line *line)
{
    return line->recv != NULL && (line->recv->cancelling || fake_has_arrived(line) || line->ends);
}

static inline void fake_recv_complete(struct ring_fake *fake, struct fake_line *line)
{
    if (line->recv->cancelling)
        fake_complete(&line->recv, &(struct io_event){ .result = -ECANCELED });
    else if (fake_has_arrived(line))
        fake_take(fake, line);
    else
        fake_complete(&line->recv, &(struct io_event){ .result = line->end });
}

/* ---- sends --------------------------------------------------------------- */

static inline void fake_sendmsg(struct ring *ring, struct io_op *op, int fd,
                                const struct msghdr *message)
{
    struct fake_line *line = fake_line_of(ring, fd);
    must(message->msg_iovlen > 0 && message->msg_iovlen <= OUT_VECTOR_MAX);
    fake_begin(&line->send, op);
    line->part_count = message->msg_iovlen;
    memcpy(line->parts, message->msg_iov, line->part_count * sizeof(line->parts[0]));
    line->sends++;
}

static inline void fake_send(struct ring *ring, struct io_op *op, int fd, const void *data,
                             size_t size)
{
    struct iovec one = { (void *)data, size };
    fake_sendmsg(ring, op, fd, &(struct msghdr){ .msg_iov = &one, .msg_iovlen = 1 });
}

static inline bool fake_send_ready(const struct fake_line *line)
{
    return line->send != NULL && (line->send->cancelling || line->send_error != 0 ||
                                  line->send_most > 0 || !line->blocked);
}

static inline int fake_send_take(struct fake_line *line)
{
    size_t most = line->send_most > 0 ? line->send_most : SIZE_MAX, sent = 0;
    for (size_t i = 0; i < line->part_count && sent < most; i++) {
        size_t size = line->parts[i].iov_len < most - sent ? line->parts[i].iov_len : most - sent;
        fake_bytes_add(&line->out, line->parts[i].iov_base, size);
        sent += size;
    }
    line->send_most = 0;
    return (int)sent;
}

static inline void fake_send_complete(struct fake_line *line)
{
    struct io_event event = { .result = line->send_error };
    if (line->send->cancelling)
        event.result = -ECANCELED;
    else if (event.result == 0)
        event.result = fake_send_take(line);
    fake_complete(&line->send, &event);
}

/* ---- the rest of the engine ---------------------------------------------- */

/* Of what the process asks for: an eventfd's number, once there is one. */
static inline void fake_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    struct ring_fake *fake = fake_of(ring);
    fake_begin(&fake->read, op);
    fake->read_fd = fd;
    fake->read_to = data;
    fake->read_size = size;
}

static inline bool fake_read_ready(const struct ring_fake *fake)
{
    struct pollfd poll_fd = { .fd = fake->read_fd, .events = POLLIN };
    return fake->read != NULL && poll(&poll_fd, 1, 0) == 1;
}

static inline void fake_cancel(struct ring *ring, struct io_op *op)
{
    (void)ring;
    op->cancelling = op->in_flight;
}

static inline void fake_wake(struct ring *ring, const struct ring *target)
{
    must(target != ring);
    fake_of(ring)->wakes++;
}

/* Nobody sleeps: the test takes turns. */
static inline void fake_wait(struct ring *ring, int64_t wait_ns)
{
    ring->turns++;
    fake_of(ring)->wait_ns = wait_ns;
    if (fake_of(ring)->waiting != NULL)
        fake_of(ring)->waiting();
}

static inline uint32_t fake_reap(struct ring *ring)
{
    struct ring_fake *fake = fake_of(ring);
    uint32_t count = 0, lines = fake->line_count;
    if (fake_read_ready(fake)) {
        int size = (int)read(fake->read_fd, fake->read_to, fake->read_size);
        fake_complete(&fake->read, &(struct io_event){ .result = size });
        count++;
    }
    for (uint32_t i = 0; i < lines; i++) {
        struct fake_line *line = fake->line[i];
        if (fake_send_ready(line)) {
            fake_send_complete(line);
            count++;
        }
        if (fake_recv_ready(line)) {
            fake_recv_complete(fake, line);
            count++;
        }
    }
    return count;
}

static inline void fake_buffer_unused(struct ring *ring, uint16_t buffer)
{
    must(buffer < FAKE_BUFFERS && ring->buffer_refs[buffer] == 0);
    memset(fake_of(ring)->buffer[buffer], '?', FAKE_BUFFER_BYTES); /* whoever still looks sees it */
}

static inline uint32_t fake_buffers_available(const struct ring *ring)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FAKE_BUFFERS; i++)
        count += ring->buffer_refs[i] == 0;
    return count;
}

static inline bool fake_keep(struct ring *ring, int fd)
{
    struct ring_fake *fake = fake_of(ring);
    must(fake->line_count < FAKE_LINES_MAX);
    struct fake_line *line = calloc(1, sizeof(*line));
    must(line != NULL);
    line->fd = fd;
    line->open = true;
    fake->line[fake->line_count++] = line;
    return true;
}

static inline void fake_close(struct ring *ring, int fd)
{
    struct ring_fake *fake = fake_of(ring);
    for (uint32_t i = 0; i < fake->line_count; i++) {
        if (fake->line[i]->open && fake->line[i]->fd == fd) {
            must(fake->line[i]->recv == NULL && fake->line[i]->send == NULL);
            fake->line[i]->open = false;
        }
    }
    close(fd);
}

static inline void fake_free(struct ring *ring)
{
    struct ring_fake *fake = fake_of(ring);
    for (uint32_t i = 0; i < fake->line_count; i++) {
        free(fake->line[i]->in.data);
        free(fake->line[i]->out.data);
        free(fake->line[i]);
    }
    free(fake);
}

/* Without accept: connections are handed over by the test. */
static const struct ring_engine fake_engine = {
    .name = "fake",
    .free = fake_free,
    .recv = fake_recv,
    .recv_once = fake_recv_once,
    .recv_into = fake_recv_into,
    .send = fake_send,
    .sendmsg = fake_sendmsg,
    .read = fake_read,
    .cancel = fake_cancel,
    .wake = fake_wake,
    .wait = fake_wait,
    .reap = fake_reap,
    .buffer_unused = fake_buffer_unused,
    .buffers_available = fake_buffers_available,
    .keep = fake_keep,
    .close = fake_close,
    .shutdown = ring_kernel_shutdown,
    .unread = ring_kernel_unread,
    .unsent = ring_kernel_unsent,
    .acked = ring_kernel_acked,
};

static inline struct ring *fake_ring_new(void)
{
    struct ring_fake *fake = calloc(1, sizeof(*fake));
    must(fake != NULL);
    fake->ring.engine = &fake_engine;
    fake->ring.buffer_refs = fake->refs;
    strcpy(fake->ring.features, "none");
    return &fake->ring;
}

/* Something would complete in the next ring_reap(). */
static inline bool fake_ring_is_busy(const struct ring *ring)
{
    const struct ring_fake *fake = fake_of(ring);
    for (uint32_t i = 0; i < fake->line_count; i++)
        if (fake_send_ready(fake->line[i]) || fake_recv_ready(fake->line[i]))
            return true;
    return fake_read_ready(fake);
}

#endif
