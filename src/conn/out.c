/*
 * out.c - a connection's unsent bytes.
 */
#include "shoal/conn/out.h"

#include "shoal/conn/conns.h"
#include "shoal/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/uio.h>

enum {
    /* Chunks do not all begin at the same offset of a page: their first lines would share cache
       sets. */
    CHUNK_STRIDE = sizeof(struct chunk) + CHUNK_BYTES + 192,
    SLAB_CHUNKS = 8,
    LOOSE_BYTES = CHUNK_BYTES + 4096, /* a chunk by itself: the allocator's size class */
};

struct out_vector {
    struct msghdr message;
    struct iovec parts[OUT_VECTOR_MAX];
};

struct slab {
    struct slab *next;
    _Alignas(64) char memory[];
};

static struct chunk *slab_cut(struct chunk_pool *pool)
{
    if (pool->slab_left == 0) {
        static_assert(SLAB_CHUNKS * CHUNK_STRIDE % 64 == 0, "aligned_alloc wants a multiple");
        struct slab *slab = aligned_alloc(64, sizeof(*slab) + SLAB_CHUNKS * (size_t)CHUNK_STRIDE);
        if (slab == NULL)
            return NULL;
        slab->next = pool->slabs;
        pool->slabs = slab;
        pool->slab = slab->memory;
        pool->slab_left = SLAB_CHUNKS;
        pool->slab_bytes += SLAB_CHUNKS * (size_t)CHUNK_STRIDE;
    }
    struct chunk *chunk = (struct chunk *)(pool->slab + (--pool->slab_left) * (size_t)CHUNK_STRIDE);
    return chunk;
}

/* A chunk beyond the pool: a burst's memory goes back when the burst is over. */
static struct chunk *chunk_loose(struct chunk_pool *pool)
{
    struct chunk *chunk = malloc(LOOSE_BYTES);
    if (chunk == NULL)
        return NULL;
    pool->loose_bytes += LOOSE_BYTES;
    if (pool->grown != NULL)
        pool->grown(pool);
    *chunk = (struct chunk){ .data = chunk->own, .loose = true };
    return chunk;
}

static struct chunk *chunk_get(struct chunk_pool *pool)
{
    struct chunk *chunk = pool->free;
    if (likely(chunk != NULL)) {
        pool->free = chunk->next;
    } else if (pool->count < CHUNK_POOL_MAX) {
        chunk = slab_cut(pool);
        if (chunk == NULL)
            return NULL;
        pool->count++;
    } else {
        return chunk_loose(pool);
    }
    *chunk = (struct chunk){ .data = chunk->own };
    return chunk;
}

static void chunk_drop(struct reactor *here, struct chunk *chunk)
{
    if (chunk->ref != NULL) {
        reply_ref_unuse(here, chunk->ref);
        free(chunk);
        return;
    }
    if (chunk->loose) {
        here->conns->chunks.loose_bytes -= LOOSE_BYTES;
        free(chunk);
        return;
    }
    chunk->next = here->conns->chunks.free;
    here->conns->chunks.free = chunk;
}

void chunk_pool_fini(struct chunk_pool *pool)
{
    for (struct slab *slab = pool->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        free(slab);
    }
}

static size_t chunk_room(const struct out *out)
{
    const struct chunk *last = out->chunks.last;
    if (out->chunks.first == NULL || last->ref != NULL || last == out->flying)
        return 0;
    return (size_t)(last->own + CHUNK_BYTES - (last->data + last->size));
}

char *out_room(struct out *out, struct chunk_pool *pool, size_t *room)
{
    *room = chunk_room(out);
    if (unlikely(*room < CHUNK_ROOM_MIN)) {
        struct chunk *chunk = chunk_get(pool);
        if (chunk == NULL)
            return NULL;
        list_add(&out->chunks, chunk, next);
        *room = CHUNK_BYTES;
    }
    return out->chunks.last->data + out->chunks.last->size;
}

bool out_bytes(struct out *out, struct chunk_pool *pool, const char *data, size_t size)
{
    while (size > 0) {
        size_t room;
        char *place = out_room(out, pool, &room);
        if (place == NULL)
            return false;
        size_t part = size < room ? size : room;
        memcpy(place, data, part);
        out_written(out, part);
        data += part;
        size -= part;
    }
    return true;
}

static void note_pushed(struct out *out, size_t size)
{
    out->chunks.last->pushed += (uint32_t)size;
    out->push_bytes += size;
}

bool out_push(struct out *out, struct chunk_pool *pool, const char *data, size_t size)
{
    for (size_t part; size > 0; data += part, size -= part) {
        size_t room;
        char *place = out_room(out, pool, &room);
        if (place == NULL)
            return false;
        part = size < room ? size : room;
        memcpy(place, data, part);
        out_written(out, part);
        note_pushed(out, part);
    }
    return true;
}

static bool append_part(struct out *out, struct reply_ref *ref, char *data, size_t size)
{
    if (size == 0)
        return true;
    struct chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL)
        return false;
    *chunk = (struct chunk){ .data = data, .size = size, .ref = ref };
    reply_ref_use(ref);
    list_add(&out->chunks, chunk, next);
    out->bytes += size;
    return true;
}

bool out_ref(struct out *out, struct reactor *here, struct reply_ref *ref)
{
    size_t at = 0;
    bool ok = true;
    for (uint32_t i = 0; i < ref->pin_count && ok; i++) {
        const struct reply_pin *pin = &ref->pins[i];
        ok = append_part(out, ref, ref->base + at, pin->offset - at) &&
             append_part(out, ref, (char *)pin->text.data, pin->text.size);
        at = pin->offset;
    }
    ok = ok && append_part(out, ref, ref->base + at, ref->size - at);
    reply_ref_unuse(here, ref); /* ours; the chunks hold theirs */
    return ok;
}

bool out_push_ref(struct out *out, struct reactor *here, struct reply_ref *ref)
{
    must(ref->pin_count == 0);
    bool ok = append_part(out, ref, ref->base, ref->size);
    if (ok && ref->size > 0)
        note_pushed(out, ref->size);
    reply_ref_unuse(here, ref);
    return ok;
}

static uint32_t vector_fill(struct out *out, struct out_vector *vector)
{
    uint32_t count = 0;
    size_t room = OUT_SEND_MAX;
    for (struct chunk *chunk = out->chunks.first;
         chunk != NULL && count < OUT_VECTOR_MAX && room > 0; chunk = chunk->next) {
        size_t size = chunk->size < room ? chunk->size : room;
        vector->parts[count++] = (struct iovec){ chunk->data, size };
        room -= size;
        out->flying = chunk;
    }
    return count;
}

void out_send(struct out *out, struct ring *ring, int fd)
{
    if (out->flying != NULL ||
        out->bytes == 0) /* room for a reply that was not sent may be there */
        return;
    bool several = out->chunks.first->next != NULL && out->chunks.first->size < OUT_SEND_MAX;
    if (several && out->vector == NULL)
        out->vector = malloc(sizeof(*out->vector)); /* without it: one chunk at a time */
    if (!several || out->vector == NULL) {
        size_t size =
            out->chunks.first->size < OUT_SEND_MAX ? out->chunks.first->size : OUT_SEND_MAX;
        out->flying = out->chunks.first;
        ring_send(ring, &out->op, fd, out->chunks.first->data, size);
        return;
    }
    out->vector->message = (struct msghdr){ .msg_iov = out->vector->parts };
    out->vector->message.msg_iovlen = vector_fill(out, out->vector);
    ring_sendmsg(ring, &out->op, fd, &out->vector->message);
}

void out_sent(struct out *out, struct reactor *here, size_t size)
{
    must(size <= out->bytes);
    out->flying = NULL;
    out->bytes -= size;
    while (out->chunks.first != NULL && size >= out->chunks.first->size) {
        struct chunk *chunk = list_take(&out->chunks, next);
        size -= chunk->size;
        out->push_bytes -= chunk->pushed;
        chunk_drop(here, chunk);
    }
    if (out->chunks.first == NULL) {
        free(out->vector);
        out->vector = NULL;
    } else {
        out->chunks.first->data += size;
        out->chunks.first->size -= size;
    }
}

void out_clear(struct out *out, struct reactor *here)
{
    must(!out->op.in_flight);
    out_sent(out, here, out->bytes);
}
