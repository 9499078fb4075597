/*
 * worker_ring.c - liburing behind the five calls a worker needs.
 */
#include "worker_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BUFFER_GROUP = 0, TAG_SHIFT = 1 };

static uint32_t power_of_two(uint64_t at_least, uint32_t min, uint32_t max)
{
    uint32_t size = min;
    while (size < at_least && size < max)
        size *= 2;
    return size;
}

static int buffers_init(struct ring *ring)
{
    size_t ring_bytes = ring->_buffer_count * sizeof(struct io_uring_buf);
    size_t bytes = ring_bytes + (size_t)ring->_buffer_count * ring->_buffer_size;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    ring->_buffers = (struct io_uring_buf_ring *)memory;
    ring->_memory = memory + ring_bytes;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)memory,
        .ring_entries = ring->_buffer_count,
        .bgid = BUFFER_GROUP,
    };
    int result = io_uring_register_buf_ring(&ring->_uring, &registration, 0);
    if (result < 0) {
        munmap(memory, bytes);
        return result;
    }
    io_uring_buf_ring_init(ring->_buffers);
    for (uint32_t i = 0; i < ring->_buffer_count; i++)
        ring_release(ring, &(struct event){ .data = ring->_memory, ._buffer = (uint16_t)i });
    io_uring_buf_ring_advance(ring->_buffers, (int)ring->_returned);
    ring->_returned = 0;
    return 0;
}

int ring_init(struct ring *ring, uint32_t connections, uint64_t burst_bytes)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP,
        .cq_entries = power_of_two((uint64_t)connections * 4, 4 * RING_ENTRIES, 1 << 16),
    };
    *ring = (struct ring){ ._returned = 0 };
    int result = io_uring_queue_init_params(RING_ENTRIES, &ring->_uring, &params);
    if (result < 0)
        return result;
    io_uring_register_ring_fd(&ring->_uring); /* saves a look-up a call; old kernels refuse, fine */
    ring->_buffer_size = power_of_two(burst_bytes, RING_BUFFER_BYTES_MIN, RING_BUFFER_BYTES_MAX);
    ring->_buffer_count = power_of_two(connections, RING_BUFFERS_MIN, RING_BUFFERS_MAX);
    result = buffers_init(ring);
    if (result < 0)
        io_uring_queue_exit(&ring->_uring);
    return result;
}

void ring_fini(struct ring *ring)
{
    size_t ring_bytes = ring->_buffer_count * sizeof(struct io_uring_buf);
    io_uring_queue_exit(&ring->_uring);
    munmap(ring->_buffers, ring_bytes + (size_t)ring->_buffer_count * ring->_buffer_size);
}

static struct io_uring_sqe *get_sqe(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->_uring);
    while (sqe == NULL) {
        io_uring_submit(&ring->_uring);
        sqe = io_uring_get_sqe(&ring->_uring);
    }
    return sqe;
}

void ring_send(struct ring *ring, int fd, uint32_t tag, const char *data, uint32_t size)
{
    struct io_uring_sqe *sqe = get_sqe(ring);
    io_uring_prep_send(sqe, fd, data, size, MSG_NOSIGNAL);
    sqe->user_data = (uint64_t)tag << TAG_SHIFT | EVENT_SENT;
}

void ring_receive(struct ring *ring, int fd, uint32_t tag)
{
    struct io_uring_sqe *sqe = get_sqe(ring);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    sqe->user_data = (uint64_t)tag << TAG_SHIFT | EVENT_RECEIVED;
}

void ring_wait(struct ring *ring, uint64_t timeout_ns)
{
    struct io_uring_cqe *cqe;
    struct __kernel_timespec timeout = {
        .tv_sec = (long long)(timeout_ns / 1000000000u),
        .tv_nsec = (long long)(timeout_ns % 1000000000u),
    };
    if (ring->_returned > 0) {
        io_uring_buf_ring_advance(ring->_buffers, (int)ring->_returned);
        ring->_returned = 0;
    }
    if (timeout_ns == 0)
        io_uring_submit_and_get_events(&ring->_uring);
    else
        io_uring_submit_and_wait_timeout(&ring->_uring, &cqe, 1, &timeout, NULL);
}

bool ring_next(struct ring *ring, struct event *event)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    io_uring_for_each_cqe(&ring->_uring, head, cqe)
    {
        event->kind = cqe->user_data & 1 ? EVENT_RECEIVED : EVENT_SENT;
        event->tag = (uint32_t)(cqe->user_data >> TAG_SHIFT);
        event->result = cqe->res;
        event->ended = !(cqe->flags & IORING_CQE_F_MORE);
        event->data = NULL;
        if (cqe->flags & IORING_CQE_F_BUFFER) {
            event->_buffer = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            event->data = ring->_memory + (size_t)event->_buffer * ring->_buffer_size;
        }
        io_uring_cq_advance(&ring->_uring, 1);
        return true;
    }
    return false;
}

void ring_release(struct ring *ring, const struct event *event)
{
    if (event->data == NULL)
        return;
    io_uring_buf_ring_add(ring->_buffers,
                          ring->_memory + (size_t)event->_buffer * ring->_buffer_size,
                          ring->_buffer_size, event->_buffer,
                          io_uring_buf_ring_mask(ring->_buffer_count), (int)ring->_returned);
    ring->_returned++;
}
