/*
 * epoll_buffers.h - the receive buffers of an epoll engine, counted. Private to the engine.
 *
 *   | guard page | buffer 0 | buffer 1 | ... | guard page |
 *
 * Receives fill one buffer after another, several of them the same one in turn. A buffer begins anew
 * when nobody refers to it any more.
 */
#ifndef SHOAL_NET_EPOLL_BUFFERS_H
#define SHOAL_NET_EPOLL_BUFFERS_H

#include "shoal/net/ring.h"

enum {
    /* Less room than this part of a buffer is not worth a receive: it would cut requests in two. */
    EPOLL_BUFFERS_ROOM_PART = 16,
    EPOLL_BUFFERS_NONE = -1,
};

struct epoll_buffers {
    char *pool, *mapping;
    size_t mapping_size;
    size_t stride; /* from one buffer to the next */
    uint32_t size, count;
    int current;     /* the one that is being filled, or EPOLL_BUFFERS_NONE */
    uint32_t filled; /* bytes of it that are given out */
    uint16_t *unused;
    uint32_t unused_count; /* a stack: what was used last is in the cache */
    uint32_t *refs;        /* beside it, for ring_buffer_hold() and _release() */
};

/* 0 or -errno. */
int epoll_buffers_init(struct epoll_buffers *buffers, const struct ring_config *config);
void epoll_buffers_fini(struct epoll_buffers *buffers);

/* Where the next receive may write; NULL: no buffer is free. */
char *epoll_buffers_room(struct epoll_buffers *buffers, size_t *room);

/* Notes that `size` bytes have come there; the caller holds one reference to the buffer returned. */
uint16_t epoll_buffers_filled(struct epoll_buffers *buffers, size_t size);

/* Nobody refers to it any more. */
void epoll_buffers_unused(struct epoll_buffers *buffers, uint16_t id);

static inline uint32_t epoll_buffers_available(const struct epoll_buffers *buffers)
{
    return buffers->unused_count + (buffers->current != EPOLL_BUFFERS_NONE);
}

#endif
