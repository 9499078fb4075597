/*
 * uring_buffers.h - the receive buffers that an io_uring picks from, counted. Private to the
 * engine.
 *
 *   | guard page | buffer 0 | buffer 1 | ... | guard page |
 *
 * The kernel writes here unseen by any sanitizer, so the pool stands between PROT_NONE pages: an
 * overrun is -EFAULT instead of silent damage. With incremental buffers (6.12) several receives
 * fill one buffer in turn; it goes back when the kernel is done with it and every reader has
 * released it.
 */
#ifndef SHOAL_NET_URING_BUFFERS_H
#define SHOAL_NET_URING_BUFFERS_H

#include "shoal/net/ring.h"

#include <liburing.h>

enum { URING_BUFFER_GROUP = 0 };

struct uring_buffer {
    uint32_t filled; /* bytes given out of it so far */
    bool with_kernel;
};

struct uring_buffers {
    struct io_uring_buf_ring *ring; /* shared with the kernel */
    char *pool, *mapping;
    size_t mapping_size;
    size_t stride; /* from one buffer to the next */
    uint32_t size, count;
    uint32_t with_kernel; /* buffers it can still pick from */
    bool incremental;
    struct uring_buffer *state;
    uint32_t *refs; /* beside it, for ring_buffer_hold() and _release() */
};

/* 0 or -errno. */
int uring_buffers_init(struct uring_buffers *buffers, struct io_uring *io,
                       const struct ring_config *config);
void uring_buffers_fini(struct uring_buffers *buffers);

/* Notes a completion that used `id` and returns where its bytes are; the caller holds one
 * reference. */
char *uring_buffers_filled(struct uring_buffers *buffers, uint16_t id, int result,
                           uint32_t cqe_flags);
/* Nobody refers to it any more: it goes back, if the kernel is done with it too. */
void uring_buffers_unused(struct uring_buffers *buffers, uint16_t id);

#endif
