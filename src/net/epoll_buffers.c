/*
 * epoll_buffers.c - receive buffers that a receive of our own fills.
 */
#include "epoll_buffers.h"

#include "shoal/base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    GUARD_BYTES = 4096,
    /* Buffers do not start at the same offset of a page, or they would compete for the same cache
       sets. */
    STRIDE_EXTRA = 192,
};

int epoll_buffers_init(struct epoll_buffers *b, const struct ring_config *config)
{
    b->size = config->buffer_bytes;
    b->count = config->buffer_count;
    b->stride = b->size + STRIDE_EXTRA;
    size_t pool_size = (b->stride * b->count + 4095) & ~(size_t)4095;
    b->mapping_size = GUARD_BYTES + pool_size + GUARD_BYTES;
    b->mapping = mmap(NULL, b->mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->mapping == MAP_FAILED)
        return -errno;
    b->pool = b->mapping + GUARD_BYTES;
    b->unused = calloc(b->count, sizeof(*b->unused));
    b->refs = calloc(b->count, sizeof(*b->refs));
    if (b->unused == NULL || b->refs == NULL ||
        mprotect(b->pool, pool_size, PROT_READ | PROT_WRITE) != 0) {
        epoll_buffers_fini(b);
        return -ENOMEM;
    }
    b->current = EPOLL_BUFFERS_NONE;
    for (uint32_t id = 0; id < b->count; id++)
        b->unused[b->unused_count++] = (uint16_t)id;
    return 0;
}

void epoll_buffers_fini(struct epoll_buffers *b)
{
    munmap(b->mapping, b->mapping_size);
    free(b->unused);
    free(b->refs);
}

char *epoll_buffers_room(struct epoll_buffers *b, size_t *room)
{
    if (unlikely(b->current == EPOLL_BUFFERS_NONE)) {
        if (b->unused_count == 0)
            return NULL;
        b->current = b->unused[--b->unused_count];
        b->filled = 0;
    }
    *room = b->size - b->filled;
    return b->pool + (size_t)b->current * b->stride + b->filled;
}

uint16_t epoll_buffers_filled(struct epoll_buffers *b, size_t size)
{
    uint16_t id = (uint16_t)b->current;
    must(b->current != EPOLL_BUFFERS_NONE && size <= b->size - b->filled);
    b->filled += (uint32_t)size;
    b->refs[id]++;
    if (unlikely(b->size - b->filled < b->size / EPOLL_BUFFERS_ROOM_PART || b->filled == b->size))
        b->current = EPOLL_BUFFERS_NONE;
    return id;
}

void epoll_buffers_unused(struct epoll_buffers *b, uint16_t id)
{
    if (b->current == id) {
        b->filled = 0;
        return;
    }
    must(b->unused_count < b->count);
    b->unused[b->unused_count++] = id;
}
