/*
 * ring_sim.c - the engine "sim": completions in any order that net/ring.h allows, at any time, of as
 * little as it allows. Descriptors are numbers that no system call knows.
 */
#include "line.h"

#include "shoal/base/bound.h"
#include "shoal/server/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BUFFERS = 4,
    BUFFER_BYTES = BOUND(4096, 256),
    SOCKET_BYTES = BOUND(8192, 600), /* that a system takes before the client reads */
    WAKES_MAX = SIM_REACTORS_MAX,
};

struct ring_sim {
    struct ring ring;
    uint32_t refs[BUFFERS];
    char buffer[BUFFERS][BUFFER_BYTES];
    struct io_op *accept, *read;
    int64_t accept_at_ns;
    int read_fd;
    void *read_to;
    size_t read_size;
    bool woken;
    int64_t woken_at_ns;
    struct ring_sim *wakes[WAKES_MAX]; /* go with our next turn */
    uint32_t wake_count;
    int fd[SIM_LINES_MAX]; /* that are kept here */
    uint32_t fd_count;
};

static uint32_t accepted; /* of the lines */

static struct ring_sim *sim_of(const struct ring *ring)
{
    return (struct ring_sim *)ring;
}

static struct line *line_of(int fd)
{
    int i = fd - SIM_FD_FIRST;
    if (i < 0 || i >= (int)line_count || !lines[i].open)
        sim_fail("descriptor %d is used, which is not open", fd);
    return &lines[i];
}

/* ---- starting ------------------------------------------------------------ */

static void begin(struct io_op **slot, struct io_op *op)
{
    if (*slot != NULL || op->in_flight)
        sim_fail("an operation is started while one is in flight");
    op->in_flight = true;
    op->cancelling = false;
    *slot = op;
}

static void recv_begin(int fd, struct io_op *op, size_t most, char *to)
{
    struct line *line = line_of(fd);
    begin(&line->recv, op);
    line->recv_once = most > 0;
    line->recv_most = most;
    line->recv_to = to;
    line->in_at_ns = line_later_ns();
}

static void sim_recv(struct ring *ring, struct io_op *op, int fd)
{
    (void)ring;
    recv_begin(fd, op, 0, NULL);
}

static void sim_recv_once(struct ring *ring, struct io_op *op, int fd, size_t size)
{
    (void)ring;
    recv_begin(fd, op, size, NULL);
}

static void sim_recv_into(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    (void)ring;
    recv_begin(fd, op, size, data);
}

static void send_begin(struct line *line, struct io_op *op)
{
    begin(&line->send, op);
    line->part = line->part_at = line->sent = 0;
    line->out_at_ns = line_later_ns();
}

static void sim_sendmsg(struct ring *ring, struct io_op *op, int fd, const struct msghdr *message)
{
    struct line *line = line_of(fd);
    (void)ring;
    send_begin(line, op);
    line->parts = message->msg_iov;
    line->part_count = message->msg_iovlen;
}

static void sim_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    struct line *line = line_of(fd);
    (void)ring;
    send_begin(line, op);
    line->one = (struct iovec){ (void *)data, size };
    line->parts = &line->one;
    line->part_count = 1;
}

static void sim_accept(struct ring *ring, struct io_op *op, int fd)
{
    if (fd != SIM_LISTENER)
        sim_fail("descriptor %d is no listener", fd);
    begin(&sim_of(ring)->accept, op);
    sim_of(ring)->accept_at_ns = line_later_ns();
}

static void sim_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    struct ring_sim *here = sim_of(ring);
    begin(&here->read, op);
    here->read_fd = fd;
    here->read_to = data;
    here->read_size = size;
}

static void sim_cancel(struct ring *ring, struct io_op *op)
{
    (void)ring;
    op->cancelling = op->in_flight;
}

static void sim_wake(struct ring *ring, const struct ring *target)
{
    struct ring_sim *here = sim_of(ring);
    for (uint32_t i = 0; i < here->wake_count; i++)
        if (here->wakes[i] == sim_of(target))
            return;
    here->wakes[here->wake_count++] = sim_of(target);
}

/* ---- receives ------------------------------------------------------------ */

static void complete(struct io_op **slot, const struct io_event *event)
{
    struct io_op *op = *slot;
    op->in_flight = event->more;
    if (!event->more)
        *slot = NULL;
    sim_note("complete %d%s", event->result, event->more ? " and more" : "");
    if (event->result > 0)
        world_progress();
    op->done(op, event);
}

static int buffer_free(const struct ring_sim *here)
{
    int found = -1;
    for (int i = 0; i < BUFFERS; i++)
        if (here->refs[i] == 0 && (found < 0 || sim_one_in(2)))
            found = i;
    return found;
}

static bool recv_ready(const struct line *line)
{
    return line->recv != NULL &&
           (line->recv->cancelling || (sim.now_ns >= line->in_at_ns &&
                                       (line_left(&line->in) > 0 || line->ends || !line->open)));
}

static size_t cut(size_t size)
{
    if (size <= 1 || !sim_one_in(sim.profile.cuts))
        return size;
    totals.cuts++;
    return 1 + sim_below(size - 1);
}

static void recv_bytes(struct ring_sim *here, struct line *line)
{
    int buffer = line->recv_to == NULL ? buffer_free(here) : 0;
    if (buffer < 0 || (line->recv_to == NULL && sim_one_in(sim.profile.no_buffers))) {
        totals.no_buffers++;
        complete(&line->recv, &(struct io_event){ .result = -ENOBUFS });
        return;
    }
    size_t size = line_left(&line->in), most = line->recv_once ? line->recv_most : BUFFER_BYTES;
    if (line->recv_to == NULL && most > BUFFER_BYTES)
        most = BUFFER_BYTES;
    size = cut(size < most ? size : most);
    char *to = line->recv_to != NULL ? line->recv_to : here->buffer[buffer];
    memcpy(to, line->in.data + line->in.taken, size);
    line->in.taken += size;
    line->in_at_ns = line_later_ns();
    struct io_event event = { .result = (int)size, .more = !line->recv_once };
    if (line->recv_to == NULL) {
        event.data = to;
        event.buffer = (uint16_t)buffer;
        ring_buffer_hold(&here->ring, event.buffer);
    }
    complete(&line->recv, &event);
}

static void recv_complete(struct ring_sim *here, struct line *line)
{
    if (line->recv->cancelling)
        complete(&line->recv, &(struct io_event){ .result = -ECANCELED });
    else if (line->reset)
        complete(&line->recv, &(struct io_event){ .result = -ECONNRESET });
    else if (line_left(&line->in) > 0)
        recv_bytes(here, line);
    else
        complete(&line->recv, &(struct io_event){ .result = 0 });
}

/* ---- sends --------------------------------------------------------------- */

size_t line_room(const struct line *line)
{
    size_t there = line_left(&line->out);
    return there < SOCKET_BYTES ? SOCKET_BYTES - there : 0;
}

static bool send_ready(const struct line *line)
{
    return line->send != NULL && (line->send->cancelling || line->reset || line->shut ||
                                  (sim.now_ns >= line->out_at_ns && line_room(line) > 0));
}

/* The system takes what it has room for, from memory that must still be as it was. */
static void send_step(struct line *line)
{
    size_t most = cut(line_room(line));
    while (most > 0 && line->part < line->part_count) {
        const struct iovec *part = &line->parts[line->part];
        size_t size = part->iov_len - line->part_at;
        size = size < most ? size : most;
        sim_bytes_add(&line->out, (char *)part->iov_base + line->part_at, size);
        line->part_at += size;
        line->sent += size;
        most -= size;
        if (line->part_at == part->iov_len) {
            line->part++;
            line->part_at = 0;
        }
    }
    line->out_at_ns = line_later_ns();
}

/* Returns whether it has ended. */
static bool send_complete(struct line *line)
{
    int result;
    if (line->reset || line->shut)
        result = line->sent > 0 ? (int)line->sent : -EPIPE;
    else if (line->send->cancelling)
        result = line->sent > 0 ? (int)line->sent : -ECANCELED;
    else {
        send_step(line);
        if (line->part < line->part_count)
            return false;
        result = (int)line->sent;
    }
    complete(&line->send, &(struct io_event){ .result = result });
    return true;
}

/* ---- accepting, and main's word ------------------------------------------ */

static bool accept_ready(const struct ring_sim *here)
{
    return here->accept != NULL && (here->accept->cancelling ||
                                    (accepted < line_count && sim.now_ns >= here->accept_at_ns));
}

static void accept_complete(struct ring_sim *here)
{
    here->accept_at_ns = line_later_ns();
    if (here->accept->cancelling) {
        complete(&here->accept, &(struct io_event){ .result = -ECANCELED });
    } else if (sim_one_in(sim.profile.resets)) {
        complete(&here->accept,
                 &(struct io_event){ .result = sim_one_in(2) ? -ECONNABORTED : -EMFILE });
    } else {
        int fd = lines[accepted++].fd;
        complete(&here->accept, &(struct io_event){ .result = fd, .more = !sim_one_in(4) });
    }
}

static bool read_ready(const struct ring_sim *here)
{
    struct pollfd poll_fd = { .fd = here->read_fd, .events = POLLIN };
    return here->read != NULL && sim.stopping && poll(&poll_fd, 1, 0) == 1;
}

static void read_complete(struct ring_sim *here)
{
    int size = (int)read(here->read_fd, here->read_to, here->read_size);
    complete(&here->read, &(struct io_event){ .result = size });
}

/* ---- turns --------------------------------------------------------------- */

static bool is_kept(const struct ring_sim *here, uint32_t i)
{
    return lines[here->fd[i] - SIM_FD_FIRST].open;
}

bool ring_sim_ready(const struct ring *ring)
{
    const struct ring_sim *here = sim_of(ring);
    if ((here->woken && sim.now_ns >= here->woken_at_ns) || accept_ready(here) || read_ready(here))
        return true;
    for (uint32_t i = 0; i < here->fd_count; i++) {
        const struct line *line = &lines[here->fd[i] - SIM_FD_FIRST];
        if (line->open && (recv_ready(line) || send_ready(line)))
            return true;
    }
    return false;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t ring_sim_ready_ns(const struct ring *ring)
{
    const struct ring_sim *here = sim_of(ring);
    int64_t at_ns = INT64_MAX;
    if (here->woken)
        at_ns = here->woken_at_ns;
    if (here->accept != NULL && accepted < line_count)
        at_ns = sooner(at_ns, here->accept_at_ns);
    for (uint32_t i = 0; i < here->fd_count; i++) {
        const struct line *line = &lines[here->fd[i] - SIM_FD_FIRST];
        if (line->open && line->recv != NULL && (line_left(&line->in) > 0 || line->ends))
            at_ns = sooner(at_ns, line->in_at_ns);
        if (line->open && line->send != NULL && line_room(line) > 0)
            at_ns = sooner(at_ns, line->out_at_ns);
    }
    return at_ns;
}

bool ring_sim_woken(struct ring *ring)
{
    struct ring_sim *here = sim_of(ring);
    bool woken = here->woken && sim.now_ns >= here->woken_at_ns;
    if (woken)
        here->woken = false;
    return woken;
}

bool ring_sim_is_waking(const struct ring *ring)
{
    if (sim_of(ring)->woken)
        return true;
    for (uint32_t i = 0; i < sim.server->count; i++) {
        const struct ring_sim *other = sim_of(sim.server->reactor[i]->ring);
        for (uint32_t k = 0; k < other->wake_count; k++)
            if (other->wakes[k] == sim_of(ring))
                return true;
    }
    return false;
}

static void sim_wait(struct ring *ring, int64_t wait_ns)
{
    struct ring_sim *here = sim_of(ring);
    ring->turns++;
    for (uint32_t i = 0; i < here->wake_count; i++) {
        totals.wakeups++;
        here->wakes[i]->woken = true;
        here->wakes[i]->woken_at_ns = line_later_ns();
    }
    here->wake_count = 0;
    world_wait(ring, wait_ns);
}

/* One completion of the connection, if it has any; a send that goes on is none. */
static uint32_t line_reap(struct ring_sim *here, struct line *line)
{
    bool send_first = sim_one_in(2);
    if (send_ready(line) && (send_first || !recv_ready(line)))
        return send_complete(line);
    if (!recv_ready(line))
        return 0;
    recv_complete(here, line);
    return 1;
}

static uint32_t sim_reap(struct ring *ring)
{
    struct ring_sim *here = sim_of(ring);
    uint32_t count = 0;
    if (read_ready(here)) {
        read_complete(here);
        count++;
    }
    if (accept_ready(here)) {
        accept_complete(here);
        count++;
    }
    uint32_t kept = here->fd_count, first = kept > 0 ? (uint32_t)sim_below(kept) : 0;
    for (uint32_t i = 0; i < kept; i++) {
        uint32_t at = (first + i) % kept;
        if (is_kept(here, at) && !sim_one_in(8)) /* another time */
            count += line_reap(here, &lines[here->fd[at] - SIM_FD_FIRST]);
    }
    return count;
}

/* ---- the rest of the engine ---------------------------------------------- */

static void sim_buffer_unused(struct ring *ring, uint16_t buffer)
{
    if (buffer >= BUFFERS || ring->buffer_refs[buffer] != 0)
        sim_fail("buffer %u is given back wrongly", buffer);
    memset(sim_of(ring)->buffer[buffer], '?', BUFFER_BYTES); /* whoever still looks sees it */
}

static uint32_t sim_buffers_available(const struct ring *ring)
{
    return BUFFERS - ring_sim_held(ring);
}

uint32_t ring_sim_held(const struct ring *ring)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < BUFFERS; i++)
        count += ring->buffer_refs[i] != 0;
    return count;
}

static bool sim_keep(struct ring *ring, int fd)
{
    struct ring_sim *here = sim_of(ring);
    line_of(fd);
    here->fd[here->fd_count++] = fd;
    return true;
}

/* What the client has not taken yet goes lost where requests are unread, or come: as with TCP. */
static void sim_close(struct ring *ring, int fd)
{
    struct line *line = line_of(fd);
    (void)ring;
    if (line->recv != NULL || line->send != NULL)
        sim_fail("descriptor %d is closed while something is in flight", fd);
    sim_note("close %d", fd);
    if (line_left(&line->in) > 0 || line->reset) {
        line->lost = line_left(&line->out) > 0;
        line->out.taken = line->out.size;
    }
    line->open = false;
}

static void sim_shutdown(struct ring *ring, int fd, int how)
{
    struct line *line = line_of(fd);
    (void)ring;
    if (how != SHUT_RD)
        line->shut = true;
    if (how != SHUT_WR) {
        line->ends = true;
        line->in_at_ns = sim.now_ns;
    }
}

static size_t sim_unread(const struct ring *ring, int fd)
{
    (void)ring;
    return line_left(&line_of(fd)->in);
}

static size_t sim_unsent(const struct ring *ring, int fd)
{
    (void)ring;
    return line_left(&line_of(fd)->out);
}

static bool sim_acked(const struct ring *ring, int fd, uint64_t *bytes)
{
    (void)ring;
    *bytes = line_of(fd)->out.taken;
    return true;
}

static void sim_free(struct ring *ring)
{
    (void)ring; /* it is the simulator's */
}

static const struct ring_engine sim_engine = {
    .name = "sim",
    .option = "sim",
    .free = sim_free,
    .accept = sim_accept,
    .recv = sim_recv,
    .recv_once = sim_recv_once,
    .recv_into = sim_recv_into,
    .send = sim_send,
    .sendmsg = sim_sendmsg,
    .read = sim_read,
    .cancel = sim_cancel,
    .wake = sim_wake,
    .wait = sim_wait,
    .reap = sim_reap,
    .buffer_unused = sim_buffer_unused,
    .buffers_available = sim_buffers_available,
    .keep = sim_keep,
    .close = sim_close,
    .shutdown = sim_shutdown,
    .unread = sim_unread,
    .unsent = sim_unsent,
    .acked = sim_acked,
};

struct ring *ring_sim_new(void)
{
    struct ring_sim *here = sim_alloc(sizeof(*here));
    here->ring.engine = &sim_engine;
    here->ring.buffer_refs = here->refs;
    strcpy(here->ring.features, " none ");
    return &here->ring;
}
