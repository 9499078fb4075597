/*
 * uring_buffers.c - the provided-buffer ring: references to receive buffers, and giving them back.
 */
#include "uring_buffers.h"

#include "uring_features.h"

#include "shoal/base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    GUARD_BYTES = 4096,
    /* liburing 2.3 does not know these of newer kernels; their values are the kernel's ABI */
    SHOAL_PBUF_RING_INC = 2, /* 6.12: io_uring_buf_reg.flags, in 2.3 still called pad */
    SHOAL_CQE_F_BUF_MORE = 1 << 4,
    /* Buffers do not start at the same offset of a page, or they would compete for the same cache
       sets. */
    STRIDE_EXTRA = 192,
};

static int ring_register(struct uring_buffers *b, struct io_uring *io, bool incremental)
{
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)b->ring,
        .ring_entries = b->count,
        .bgid = URING_BUFFER_GROUP,
        .pad = incremental ? SHOAL_PBUF_RING_INC : 0,
    };
    return io_uring_register_buf_ring(io, &reg, 0);
}

static void give_to_kernel(struct uring_buffers *b, uint16_t id)
{
    struct uring_buffer *state = &b->state[id];
    state->filled = 0;
    state->with_kernel = true;
    b->with_kernel++;
    io_uring_buf_ring_add(b->ring, b->pool + id * b->stride, b->size, id,
                          io_uring_buf_ring_mask(b->count), 0);
    io_uring_buf_ring_advance(b->ring, 1);
}

int uring_buffers_init(struct uring_buffers *b, struct io_uring *io,
                       const struct ring_config *config)
{
    must((config->buffer_count & (config->buffer_count - 1)) == 0);
    b->size = config->buffer_bytes;
    b->count = config->buffer_count;
    b->stride = b->size + STRIDE_EXTRA;
    size_t pool_size = (b->stride * b->count + 4095) & ~(size_t)4095;
    size_t ring_size = (b->count * sizeof(struct io_uring_buf) + 4095) & ~(size_t)4095;
    b->mapping_size = ring_size + GUARD_BYTES + pool_size + GUARD_BYTES;
    b->mapping = mmap(NULL, b->mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->mapping == MAP_FAILED)
        return -errno;
    b->state = calloc(b->count, sizeof(*b->state));
    b->refs = calloc(b->count, sizeof(*b->refs));
    int ret = -ENOMEM;
    if (b->state == NULL || b->refs == NULL)
        goto fail;
    b->pool = b->mapping + ring_size + GUARD_BYTES;
    if (mprotect(b->mapping, ring_size, PROT_READ | PROT_WRITE) != 0 ||
        mprotect(b->pool, pool_size, PROT_READ | PROT_WRITE) != 0) {
        ret = -errno;
        goto fail;
    }
    b->ring = (struct io_uring_buf_ring *)b->mapping;
    io_uring_buf_ring_init(b->ring);
    b->incremental = uring_feature_asked(config->features, URING_INCREMENTAL_BUFFERS) &&
                     ring_register(b, io, true) == 0;
    if (!b->incremental && (ret = ring_register(b, io, false)) < 0)
        goto fail;
    for (uint32_t id = 0; id < b->count; id++)
        give_to_kernel(b, (uint16_t)id);
    return 0;

fail:
    free(b->refs);
    free(b->state);
    munmap(b->mapping, b->mapping_size);
    return ret;
}

void uring_buffers_fini(struct uring_buffers *b)
{
    munmap(b->mapping, b->mapping_size);
    free(b->refs);
    free(b->state);
}

char *uring_buffers_filled(struct uring_buffers *b, uint16_t id, int result, uint32_t cqe_flags)
{
    struct uring_buffer *state = &b->state[id];
    must(id < b->count && state->with_kernel);
    char *data = b->pool + id * b->stride + state->filled;
    if (result > 0)
        state->filled += (uint32_t)result;
    must(state->filled <= b->size);
    if (!b->incremental || !(cqe_flags & SHOAL_CQE_F_BUF_MORE)) {
        state->with_kernel = false;
        b->with_kernel--;
    }
    b->refs[id]++;
    return data;
}

void uring_buffers_unused(struct uring_buffers *b, uint16_t id)
{
    if (!b->state[id].with_kernel)
        give_to_kernel(b, id);
}
