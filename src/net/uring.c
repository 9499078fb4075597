/*
 * uring.c - the io_uring engine behind net/ring.h, run by one reactor.
 *
 * SINGLE_ISSUER and DEFER_TASKRUN: completions are produced only inside our own ring_wait() and
 * ring_reap(), on our own CPU time. One system call a turn submits, runs the deferred work and (if
 * asked) waits; while a turn is small, another one may run what has come meanwhile.
 */
#include "shoal/net/ring.h"

#include "shoal/base/bound.h"
#include "shoal/base/must.h"
#include "uring.h"

#include "uring_buffers.h"
#include "uring_features.h"
#include "uring_files.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define memory_is_sound(data, size) (__asan_region_is_poisoned((void *)(data), (size)) == NULL)
#else
#define memory_is_sound(data, size) ((data) != NULL || (size) == 0)
#endif

enum {
    REAP_MAX = BOUND(1024, 4), /* completions of a turn: queues and timers get their share */
    SMALL_TURN = BOUND(24, 1), /* completions: see turn_grows() */
    COMPLETIONS_AT_ONCE = 64,
    /* user_data that is no io_op */
    TOKEN_WAKE = 0,
    TOKEN_IGNORED = 1,
};

struct uring {
    struct ring ring;
    struct io_uring io;
    int fd; /* the real one, for MSG_RING; io.enter_ring_fd may be a registered index */
    struct uring_buffers buffers;
    struct uring_files files;
    /* completions taken out of the way when the submission queue could not be flushed otherwise */
    struct io_uring_cqe *backlog;
    uint32_t backlog_count, backlog_capacity;
    bool overflowing;
};

static struct uring *uring_of(const struct ring *ring)
{
    return (struct uring *)ring;
}

static void backlog_take(struct uring *u)
{
    struct io_uring_cqe *cqe;
    unsigned head, taken = 0;
    io_uring_for_each_cqe(&u->io, head, cqe)
    {
        if (u->backlog_count == u->backlog_capacity) {
            uint32_t capacity = u->backlog_capacity ? u->backlog_capacity * 2 : 256;
            struct io_uring_cqe *grown = realloc(u->backlog, capacity * sizeof(*grown));
            if (grown == NULL)
                break;
            u->backlog = grown;
            u->backlog_capacity = capacity;
        }
        u->backlog[u->backlog_count++] = *cqe;
        taken++;
    }
    io_uring_cq_advance(&u->io, taken);
}

/* A submission entry. Flushes the queue when it is full; -EBUSY (completions overflow) makes room
 * by taking them. */
static struct io_uring_sqe *sqe_get(struct uring *u)
{
    for (;;) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->io);
        if (likely(sqe != NULL))
            return sqe;
        int ret = io_uring_submit(&u->io);
        if (ret == -EBUSY || ret == -EAGAIN) {
            io_uring_get_events(&u->io);
            backlog_take(u);
        } else {
            must(ret >= 0 || ret == -EINTR || ret == -ENOMEM);
        }
    }
}

static struct io_uring_sqe *sqe_start(struct uring *u, struct io_op *op)
{
    must(!op->in_flight && op->done != NULL);
    op->in_flight = true;
    op->cancelling = false;
    return sqe_get(u);
}

static void uring_accept(struct ring *ring, struct io_op *op, int fd)
{
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_recv(struct ring *ring, struct io_op *op, int fd)
{
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    uring_files_use(&uring_of(ring)->files, sqe, fd);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_recv_once(struct ring *ring, struct io_op *op, int fd, size_t size)
{
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_recv(sqe, fd, NULL, size, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_BUFFER_GROUP;
    io_uring_sqe_set_data(sqe, op);
}

static void uring_recv_into(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    dcheck(memory_is_sound(data, size));
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_recv(sqe, fd, data, size, 0);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    dcheck(memory_is_sound(data, size));
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_send(sqe, fd, data, size, MSG_NOSIGNAL | MSG_WAITALL);
    uring_files_use(&uring_of(ring)->files, sqe, fd);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_sendmsg(struct ring *ring, struct io_op *op, int fd, const struct msghdr *message)
{
    dcheck(memory_is_sound(message, sizeof(*message)));
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_sendmsg(sqe, fd, message, MSG_NOSIGNAL | MSG_WAITALL);
    uring_files_use(&uring_of(ring)->files, sqe, fd);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    struct io_uring_sqe *sqe = sqe_start(uring_of(ring), op);
    io_uring_prep_read(sqe, fd, data, (unsigned)size, (__u64)-1);
    io_uring_sqe_set_data(sqe, op);
}

static void uring_cancel(struct ring *ring, struct io_op *op)
{
    if (!op->in_flight || op->cancelling)
        return;
    op->cancelling = true;
    struct io_uring_sqe *sqe = sqe_get(uring_of(ring));
    io_uring_prep_cancel(sqe, op, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, TOKEN_IGNORED);
}

static void uring_wake(struct ring *ring, const struct ring *target)
{
    struct io_uring_sqe *sqe = sqe_get(uring_of(ring));
    io_uring_prep_msg_ring(sqe, uring_of(target)->fd, 0, TOKEN_WAKE, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, TOKEN_IGNORED);
}

/* Hands one completion to its operation. Returns 1; 0 for a wake-up and for a completion without
 * an operation. */
static uint32_t run_completion(struct uring *u, const struct io_uring_cqe *cqe)
{
    struct io_event event = {
        .result = cqe->res,
        .more = (cqe->flags & IORING_CQE_F_MORE) != 0,
    };
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        event.buffer = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        event.data = uring_buffers_filled(&u->buffers, event.buffer, cqe->res, cqe->flags);
        if (cqe->res <= 0) {
            ring_buffer_release(&u->ring, event.buffer);
            event.data = NULL;
        }
    }
    if (cqe->user_data <= TOKEN_IGNORED)
        return 0;
    struct io_op *op = (struct io_op *)(uintptr_t)cqe->user_data;
    must(op->in_flight);
    op->in_flight = event.more;
    op->done(op, &event);
    return 1;
}

static uint32_t backlog_run(struct uring *u)
{
    uint32_t ran = 0, count = u->backlog_count;
    for (uint32_t i = 0; i < count; i++) {
        struct io_uring_cqe cqe = u->backlog[i]; /* the array may move under a callback */
        ran += run_completion(u, &cqe);
    }
    memmove(u->backlog, u->backlog + count, (u->backlog_count - count) * sizeof(*u->backlog));
    u->backlog_count -= count;
    return ran;
}

static bool kernel_has_work(struct uring *u)
{
    unsigned flags = IO_URING_READ_ONCE(*u->io.sq.kflags);
    bool overflow = flags & IORING_SQ_CQ_OVERFLOW;
    if (overflow && !u->overflowing)
        u->ring.overflows++;
    u->overflowing = overflow;
    return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* The oldest completions in the queue. */
static unsigned completions_copy(struct uring *u, struct io_uring_cqe *copies)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;
    io_uring_for_each_cqe(&u->io, head, cqe)
    {
        if (count == COMPLETIONS_AT_ONCE)
            break;
        copies[count++] = *cqe;
    }
    return count;
}

/*
 * What has arrived while a turn's completions ran joins it only while the turn is small.
 * (io_uring_peek_batch_cqe() would have it join always.) Turns that grow on and on send their
 * replies late and all together; clients and server then fall into step and sleep by turns: 5 to
 * 19 % more CPU a request over a Unix socket. No second look costs 5 % between two shards, whose
 * wake-ups larger turns share.
 */
static bool turn_grows(struct uring *u, uint32_t seen)
{
    if (seen >= SMALL_TURN || !kernel_has_work(u))
        return false;
    io_uring_get_events(&u->io);
    return io_uring_cq_ready(&u->io) > 0;
}

static uint32_t run_completions(struct uring *u)
{
    uint32_t ran = 0;
    if (unlikely(u->backlog_count > 0))
        ran += backlog_run(u);
    /* A callback may have moved completions to the backlog: they are older than those in the queue
     * now. */
    for (uint32_t seen = 0; seen < REAP_MAX && likely(u->backlog_count == 0);) {
        struct io_uring_cqe copies[COMPLETIONS_AT_ONCE];
        unsigned n = completions_copy(u, copies);
        if (n == 0) {
            if (turn_grows(u, seen))
                continue;
            break;
        }
        /* Given back before the callbacks run: they may flush the submission queue and produce
         * more. */
        io_uring_cq_advance(&u->io, n);
        for (unsigned i = 0; i < n; i++)
            ran += run_completion(u, &copies[i]);
        seen += n;
    }
    return ran;
}

static void uring_wait(struct ring *ring, int64_t wait_ns)
{
    struct uring *u = uring_of(ring);
    ring->turns++;
    if (u->backlog_count > 0 || io_uring_cq_ready(&u->io) > 0)
        wait_ns = 0;
    int ret = 0;
    if (wait_ns == 0) {
        if (io_uring_sq_ready(&u->io) > 0 || kernel_has_work(u))
            ret = io_uring_submit_and_get_events(&u->io);
    } else if (wait_ns < 0) {
        ret = io_uring_submit_and_wait(&u->io, 1);
    } else {
        struct __kernel_timespec ts = { wait_ns / 1000000000, wait_ns % 1000000000 };
        struct io_uring_cqe *cqe;
        ret = io_uring_submit_and_wait_timeout(&u->io, &cqe, 1, &ts, NULL);
    }
    /* Whatever was not submitted (EINTR, EAGAIN, EBUSY, ENOMEM) stays queued for the next turn. */
    must(ret >= 0 || ret == -EINTR || ret == -EAGAIN || ret == -EBUSY || ret == -ETIME ||
         ret == -ENOMEM);
    kernel_has_work(u);
}

static uint32_t uring_reap(struct ring *ring)
{
    return run_completions(uring_of(ring));
}

static void uring_buffer_unused(struct ring *ring, uint16_t buffer)
{
    uring_buffers_unused(&uring_of(ring)->buffers, buffer);
}

static uint32_t uring_buffers_available(const struct ring *ring)
{
    return uring_of(ring)->buffers.with_kernel;
}

/* A file that the kernel does not hold for us is used as it is. */
static bool uring_keep(struct ring *ring, int fd)
{
    uring_files_keep(&uring_of(ring)->files, fd);
    return true;
}

static void uring_close(struct ring *ring, int fd)
{
    uring_files_drop(&uring_of(ring)->files, fd);
    close(fd);
}

static void uring_free(struct ring *ring)
{
    struct uring *u = uring_of(ring);
    io_uring_queue_exit(&u->io);
    uring_files_fini(&u->files);
    uring_buffers_fini(&u->buffers);
    free(u->backlog);
    free(u);
}

/* ENOMEM is RLIMIT_MEMLOCK, released late after a predecessor's exit: smaller rings first, down to
 * 64 entries. */
static int queue_init(struct uring *u, const struct ring_config *config)
{
    uint32_t entries = config->entries, completions = config->completions;
    for (;;) {
        struct io_uring_params params = {
            .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
            .cq_entries = completions,
        };
        int ret = io_uring_queue_init_params(entries, &u->io, &params);
        if (ret != -ENOMEM || entries <= 64)
            return ret;
        entries /= 2;
        completions /= 2;
    }
}

static struct ring *uring_open(const struct ring_config *config, int *error)
{
    struct uring *u = calloc(1, sizeof(*u));
    *error = -ENOMEM;
    if (u == NULL)
        return NULL;
    *error = queue_init(u, config);
    if (*error < 0)
        goto fail_queue;
    u->fd = u->io.ring_fd;
    *error = uring_buffers_init(&u->buffers, &u->io, config);
    if (*error < 0)
        goto fail_buffers;
    /* A profile may allow the making of a ring and not its use: found out here, where it can be
     * said. */
    *error = io_uring_get_events(&u->io);
    if (*error < 0)
        goto fail_enter;
    uring_files_init(&u->files, &u->io, config->features);
    io_uring_register_ring_fd(
        &u->io); /* saves a reference count a call; worth trying, not worth failing */
    u->ring.engine = &uring_engine;
    u->ring.buffer_refs = u->buffers.refs;
    const bool on[URING_FEATURES] = {
        [URING_INCREMENTAL_BUFFERS] = u->buffers.incremental,
        [URING_REGISTERED_FILES] = u->files.count > 0,
    };
    uring_features_print(on, u->ring.features);
    *error = 0;
    return &u->ring;

fail_enter:
    uring_buffers_fini(&u->buffers);
fail_buffers:
    io_uring_queue_exit(&u->io);
fail_queue:
    free(u);
    return NULL;
}

const struct ring_engine uring_engine = {
    .name = "io_uring",
    .option = "uring",
    .open = uring_open,
    .explain = uring_explain,
    .features_unknown = uring_features_unknown,
    .features_known = uring_features_known,
    .free = uring_free,
    .accept = uring_accept,
    .recv = uring_recv,
    .recv_once = uring_recv_once,
    .recv_into = uring_recv_into,
    .send = uring_send,
    .sendmsg = uring_sendmsg,
    .read = uring_read,
    .cancel = uring_cancel,
    .wake = uring_wake,
    .wait = uring_wait,
    .reap = uring_reap,
    .buffer_unused = uring_buffer_unused,
    .buffers_available = uring_buffers_available,
    .keep = uring_keep,
    .close = uring_close,
    .shutdown = ring_kernel_shutdown,
    .unread = ring_kernel_unread,
    .unsent = ring_kernel_unsent,
    .acked = ring_kernel_acked,
};
