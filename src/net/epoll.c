/*
 * epoll.c - the epoll engine behind net/ring.h, run by one reactor: for systems that refuse
 * io_uring.
 *
 * A receive waits until the kernel says that there is something and then takes it, inside
 * ring_reap(). A send is tried at once; what becomes of it is listed for the next ring_reap(), and
 * what does not fit goes on when the kernel says that there is room.
 *
 * What the kernel is asked to tell of a descriptor is level-triggered and stays asked when nothing
 * is in flight: a request costs one receive and one send, and no third call. An event that nobody
 * waits for takes its question back. (Edges cost the same, 0.6 us for an event and its receive on a
 * Unix socket and 1.5 us on TCP. With them a receive would have to find out whether it has left
 * something; but a stop at an urgent byte, or at a descriptor that a client of a Unix socket sends
 * along, looks like the end of what has come.)
 */
#include "epoll.h"

#include "epoll_buffers.h"
#include "epoll_ends.h"
#include "epoll_send.h"

#include "shoal/base/bound.h"
#include "shoal/base/clock.h"
#include "shoal/base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS_MAX = BOUND(256, 4), /* of a turn */
    ACCEPTS_MAX = BOUND(64, 2), /* of a listener in a turn */
    BUFFERS_MAX = BOUND(8, 2),  /* of a connection in a turn */
    LOOKS_LEFT_OUT_MAX = 2,     /* in a row: see may_leave_out() */
    LOOKS_LEFT_OUT_NS = 20 * 1000,
    TAKE_BYTES_MAX = 1024 * 1024 * 1024, /* the result is an int */
};

struct epoll {
    struct ring ring;
    int fd;
    int wake_fd; /* an eventfd, edge-triggered: each write to it is an event, and nobody reads */
    bool has_pwait2; /* waits by the nanosecond: Linux 5.11 */
    uint32_t looks_left_out;
    uint64_t looked_ticks, leave_out_ticks;
    struct epoll_buffers buffers;
    struct epoll_ends ends;
    struct epoll_end *listed_first, *listed_last; /* first come, first served */
    int event_count;
    struct epoll_event events[EVENTS_MAX];
};

static struct epoll *epoll_of(const struct ring *ring)
{
    return (struct epoll *)ring;
}

/* ---- what is in flight --------------------------------------------------- */

/* Memory may lack for a descriptor that was not kept: the server's own few, at its start. */
static struct epoll_end *start(struct ring *ring, struct io_op *op, int fd)
{
    struct epoll_end *end = epoll_ends_find(&epoll_of(ring)->ends, fd);
    if (unlikely(end == NULL)) {
        end = epoll_ends_make(&epoll_of(ring)->ends, fd);
        must(end != NULL);
    }
    must(!op->in_flight && op->done != NULL);
    op->in_flight = true;
    op->cancelling = false;
    op->_fd = fd;
    return end;
}

static void list(struct epoll *e, struct epoll_end *end)
{
    if (end->listed)
        return;
    end->listed = true;
    end->next = NULL;
    if (e->listed_first == NULL)
        e->listed_first = end;
    else
        e->listed_last->next = end;
    e->listed_last = end;
}

/* 0 or -errno. */
static int ask(struct epoll *e, struct epoll_end *end, uint32_t interest)
{
    struct epoll_event event = { .events = interest, .data.ptr = end };
    int how = interest == 0 ? EPOLL_CTL_DEL : end->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(e->fd, how, end->fd, &event) != 0)
        return -errno;
    end->interest = interest;
    return 0;
}

static void complete_in(struct epoll_end *end, int result)
{
    struct io_op *op = end->in;
    struct io_event event = { .result = result };
    end->in = NULL;
    end->in_completed = false;
    op->in_flight = false;
    op->done(op, &event);
}

static void complete_out(struct epoll_end *end)
{
    struct io_op *op = end->out;
    struct io_event event = { .result = end->out_result };
    end->out = NULL;
    end->out_completed = false;
    op->in_flight = false;
    op->done(op, &event);
}

/* ---- taking -------------------------------------------------------------- */

static void take_later(struct ring *ring, struct io_op *op, int fd, enum epoll_taking taking,
                       void *to, size_t most)
{
    struct epoll *e = epoll_of(ring);
    struct epoll_end *end = start(ring, op, fd);
    must(end->in == NULL);
    end->in = op;
    end->taking = taking;
    end->to = to;
    end->most = most < TAKE_BYTES_MAX ? most : TAKE_BYTES_MAX;
    if (end->interest & EPOLLIN)
        return;
    end->in_result = ask(e, end, end->interest | EPOLLIN);
    if (end->in_result != 0) { /* the kernel lacks memory, or cannot watch this one */
        end->in_completed = true;
        list(e, end);
    }
}

static void engine_accept(struct ring *ring, struct io_op *op, int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    take_later(ring, op, fd, EPOLL_ACCEPT, NULL, 0);
}

static void engine_recv(struct ring *ring, struct io_op *op, int fd)
{
    take_later(ring, op, fd, EPOLL_RECV, NULL, SIZE_MAX);
}

static void engine_recv_once(struct ring *ring, struct io_op *op, int fd, size_t size)
{
    take_later(ring, op, fd, EPOLL_RECV_ONCE, NULL, size);
}

static void engine_recv_into(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    take_later(ring, op, fd, EPOLL_RECV_INTO, data, size);
}

static void engine_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    take_later(ring, op, fd, EPOLL_READ, data, size);
}

/* Returns how many completions ran. The listener's next ones may be for another turn. */
static uint32_t accept_some(struct epoll_end *end)
{
    struct io_op *op = end->in;
    uint32_t count = 0;
    while (count < ACCEPTS_MAX && end->in == op && !end->in_completed) {
        int fd = accept4(end->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno == EINTR)
            continue;
        if (fd < 0 && errno == EAGAIN)
            return count;
        count++;
        if (fd < 0)
            complete_in(end, -errno);
        else
            op->done(op, &(struct io_event){ .result = fd, .more = true });
    }
    return count;
}

/* The descriptor may block, and the event be of an earlier one with its number. */
static ssize_t read_if_ready(int fd, void *to, size_t size)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    if (poll(&ready, 1, 0) > 0)
        return read(fd, to, size);
    errno = EAGAIN;
    return -1;
}

/* Bytes, or -errno. */
static ssize_t take_bytes(const struct epoll_end *end, void *to, size_t size)
{
    ssize_t n;
    do {
        n = end->taking == EPOLL_READ ? read_if_ready(end->fd, to, size)
                                      : recv(end->fd, to, size, MSG_DONTWAIT);
    } while (unlikely(n < 0 && errno == EINTR));
    return n < 0 ? -errno : n;
}

static uint32_t take_to_place(struct epoll_end *end)
{
    ssize_t n = take_bytes(end, end->to, end->most);
    if (n == -EAGAIN)
        return 0;
    complete_in(end, (int)n);
    return 1;
}

/* True: all the room was used, and more may be there for the same receive. */
static bool take_to_buffer(struct epoll *e, struct epoll_end *end, uint32_t *ran)
{
    struct io_op *op = end->in;
    size_t room;
    char *to = epoll_buffers_room(&e->buffers, &room);
    ssize_t n = -ENOBUFS;
    if (likely(to != NULL)) {
        n = take_bytes(end, to, room < end->most ? room : end->most);
        if (n == -EAGAIN)
            return false;
    }
    (*ran)++;
    if (unlikely(n <= 0)) {
        complete_in(end, (int)n);
        return false;
    }
    struct io_event event = {
        .result = (int)n,
        .more = end->taking == EPOLL_RECV,
        .data = to,
        .buffer = epoll_buffers_filled(&e->buffers, (size_t)n),
    };
    if (!event.more) {
        end->in = NULL;
        op->in_flight = false;
    }
    op->done(op, &event);
    return event.more && (size_t)n == room && !end->in_completed;
}

/* Replies to all that has come leave by one send, as far as it is taken in one turn; but without a
 * buffer the rest is left for the next. */
static uint32_t take_to_buffers(struct epoll *e, struct epoll_end *end)
{
    uint32_t ran = 0;
    while (take_to_buffer(e, end, &ran) && ran < BUFFERS_MAX &&
           epoll_buffers_available(&e->buffers) > 0)
        ;
    return ran;
}

static uint32_t take(struct epoll *e, struct epoll_end *end)
{
    switch ((enum epoll_taking)end->taking) {
    case EPOLL_ACCEPT:
        return accept_some(end);
    case EPOLL_RECV:
    case EPOLL_RECV_ONCE:
        return take_to_buffers(e, end);
    case EPOLL_RECV_INTO:
    case EPOLL_READ:
        return take_to_place(end);
    }
    return 0;
}

/* ---- sending ------------------------------------------------------------- */

static void send_at_once(struct epoll *e, struct epoll_end *end, struct io_op *op)
{
    must(end->out == NULL);
    end->out = op;
    end->sent = 0;
    if (unlikely(!epoll_send_on(end))) {
        int error = end->interest & EPOLLOUT ? 0 : ask(e, end, end->interest | EPOLLOUT);
        if (error == 0)
            return;
        epoll_send_ended(end, error);
    }
    list(e, end);
}

static void engine_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    struct epoll_end *end = start(ring, op, fd);
    end->from = data;
    end->message = NULL;
    end->size = size;
    send_at_once(epoll_of(ring), end, op);
}

static void engine_sendmsg(struct ring *ring, struct io_op *op, int fd,
                           const struct msghdr *message)
{
    struct epoll_end *end = start(ring, op, fd);
    end->message = message;
    end->size = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        end->size += message->msg_iov[i].iov_len;
    send_at_once(epoll_of(ring), end, op);
}

static uint32_t send_the_rest(struct epoll_end *end)
{
    if (!epoll_send_on(end))
        return 0;
    complete_out(end);
    return 1;
}

/* ---- cancelling and waking ----------------------------------------------- */

static void engine_cancel(struct ring *ring, struct io_op *op)
{
    if (!op->in_flight || op->cancelling)
        return;
    op->cancelling = true;
    struct epoll_end *end = epoll_ends_find(&epoll_of(ring)->ends, op->_fd);
    must(end != NULL && (end->in == op || end->out == op));
    if (end->in == op && !end->in_completed) {
        end->in_completed = true;
        end->in_result = -ECANCELED;
    } else if (end->out == op && !end->out_completed) {
        epoll_send_ended(end, -ECANCELED);
    }
    list(epoll_of(ring), end);
}

static void engine_wake(struct ring *ring, const struct ring *target)
{
    const uint64_t one = 1;
    (void)ring;
    ssize_t n = write(epoll_of(target)->wake_fd, &one, sizeof(one));
    must(n == sizeof(one));
}

/* ---- a turn -------------------------------------------------------------- */

static int look(struct epoll *e, int64_t wait_ns)
{
    if (likely(wait_ns <= 0))
        return epoll_wait(e->fd, e->events, EVENTS_MAX, wait_ns < 0 ? -1 : 0);
    if (e->has_pwait2) {
        struct timespec most = { wait_ns / 1000000000, wait_ns % 1000000000 };
        return epoll_pwait2(e->fd, e->events, EVENTS_MAX, &most, NULL);
    }
    int64_t wait_ms = (wait_ns + 999999) / 1000000;
    return epoll_wait(e->fd, e->events, EVENTS_MAX, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);
}

/*
 * A reactor that has just answered comes back twice without waiting, for what becomes of its sends
 * and to find that there is nothing to do, before it sleeps. Looking would cost a system call each
 * time, and what has arrived is found when it sleeps or looks again. Turns that take longer, with
 * work in the background, look each time.
 */
static bool may_leave_out(struct epoll *e)
{
    if (e->looks_left_out == LOOKS_LEFT_OUT_MAX ||
        ticks_since(e->looked_ticks) > e->leave_out_ticks)
        return false;
    e->looks_left_out++;
    return true;
}

static void engine_wait(struct ring *ring, int64_t wait_ns)
{
    struct epoll *e = epoll_of(ring);
    ring->turns++;
    if (e->event_count > 0)
        return;
    if (e->listed_first != NULL)
        wait_ns = 0;
    if (wait_ns == 0 && may_leave_out(e))
        return;
    int count = look(e, wait_ns);
    must(count >= 0 || errno == EINTR);
    e->event_count = count > 0 ? count : 0;
    e->looks_left_out = 0;
    e->looked_ticks = clock_ticks();
}

/* What nobody waits for is asked for no more. (The kernel tells of an end and of an error unasked,
 * for as long as it is asked for anything.) */
static void ask_less(struct epoll *e, struct epoll_end *end)
{
    uint32_t wanted = (end->in != NULL ? EPOLLIN : 0) | (end->out != NULL ? EPOLLOUT : 0);
    if (end->interest & ~wanted)
        ask(e, end, end->interest & wanted);
}

static uint32_t serve(struct epoll *e, struct epoll_end *end, uint32_t events)
{
    uint32_t ran = 0;
    if (end->in == NULL || (events & EPOLLOUT && end->out == NULL))
        ask_less(e, end);
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP) && end->out != NULL && !end->out_completed)
        ran += send_the_rest(end);
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && end->in != NULL && !end->in_completed)
        ran += take(e, end);
    return ran;
}

/* Only those that are listed now: what they start completes in another turn. */
static uint32_t run_listed(struct epoll *e)
{
    struct epoll_end *end = e->listed_first, *next;
    uint32_t ran = 0;
    e->listed_first = NULL;
    for (; end != NULL; end = next) {
        next = end->next;
        end->listed = false;
        bool in_completed = end->in_completed; /* now, and not by what completes first */
        if (end->out_completed) {
            complete_out(end);
            ran++;
        }
        if (in_completed) {
            complete_in(end, end->in_result);
            ran++;
        }
    }
    return ran;
}

static uint32_t engine_reap(struct ring *ring)
{
    struct epoll *e = epoll_of(ring);
    uint32_t ran = run_listed(e);
    for (int i = 0; i < e->event_count; i++) {
        struct epoll_end *end = e->events[i].data.ptr;
        if (likely(end != NULL)) /* a wake-up has none */
            ran += serve(e, end, e->events[i].events);
    }
    e->event_count = 0;
    return ran;
}

/* ---- the rest of the engine ---------------------------------------------- */

static void engine_buffer_unused(struct ring *ring, uint16_t buffer)
{
    epoll_buffers_unused(&epoll_of(ring)->buffers, buffer);
}

static uint32_t engine_buffers_available(const struct ring *ring)
{
    return epoll_buffers_available(&epoll_of(ring)->buffers);
}

static bool engine_keep(struct ring *ring, int fd)
{
    return epoll_ends_make(&epoll_of(ring)->ends, fd) != NULL;
}

static void engine_close(struct ring *ring, int fd)
{
    epoll_ends_drop(&epoll_of(ring)->ends, fd);
    close(fd); /* the kernel asks itself no more about it */
}

static void engine_free(struct ring *ring)
{
    struct epoll *e = epoll_of(ring);
    close(e->fd);
    close(e->wake_fd);
    epoll_buffers_fini(&e->buffers);
    epoll_ends_fini(&e->ends);
    free(e);
}

static const char *engine_explain(int error)
{
    switch (-error) {
    case EMFILE:
    case ENFILE:
        return "out of file descriptors; raise RLIMIT_NOFILE (ulimit -n)";
    case ENOMEM:
        return "not enough memory for the receive buffers";
    default:
        return "epoll could not be set up";
    }
}

/* 0 or -errno. */
static int descriptors_open(struct epoll *e)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET };
    e->fd = epoll_create1(EPOLL_CLOEXEC);
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->fd >= 0 && e->wake_fd >= 0 && epoll_ctl(e->fd, EPOLL_CTL_ADD, e->wake_fd, &event) == 0)
        return 0;
    int error = -errno;
    if (e->fd >= 0)
        close(e->fd);
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    return error;
}

static struct ring *engine_open(const struct ring_config *config, int *error)
{
    struct epoll *e = calloc(1, sizeof(*e));
    *error = -ENOMEM;
    if (e == NULL)
        return NULL;
    *error = descriptors_open(e);
    if (*error < 0)
        goto fail_descriptors;
    *error = epoll_buffers_init(&e->buffers, config);
    if (*error < 0)
        goto fail_buffers;
    e->has_pwait2 = epoll_pwait2(e->fd, e->events, 1, &(struct timespec){ 0 }, NULL) >= 0;
    e->leave_out_ticks = clock_ns_to_ticks(LOOKS_LEFT_OUT_NS);
    e->ring.engine = &epoll_engine;
    e->ring.buffer_refs = e->buffers.refs;
    strcpy(e->ring.features, "level-triggered shared-buffers eventfd-wake");
    if (e->has_pwait2)
        strcat(e->ring.features, " pwait2");
    return &e->ring;

fail_buffers:
    close(e->fd);
    close(e->wake_fd);
fail_descriptors:
    free(e);
    return NULL;
}

const struct ring_engine epoll_engine = {
    .name = "epoll",
    .option = "epoll",
    .open = engine_open,
    .explain = engine_explain,
    .free = engine_free,
    .accept = engine_accept,
    .recv = engine_recv,
    .recv_once = engine_recv_once,
    .recv_into = engine_recv_into,
    .send = engine_send,
    .sendmsg = engine_sendmsg,
    .read = engine_read,
    .cancel = engine_cancel,
    .wake = engine_wake,
    .wait = engine_wait,
    .reap = engine_reap,
    .buffer_unused = engine_buffer_unused,
    .buffers_available = engine_buffers_available,
    .keep = engine_keep,
    .close = engine_close,
    .shutdown = ring_kernel_shutdown,
    .unread = ring_kernel_unread,
    .unsent = ring_kernel_unsent,
    .acked = ring_kernel_acked,
};
