/*
 * out.h - what a connection has yet to send: a list of chunks, sent by one operation at a time.
 *
 * A chunk holds bytes of its own, or points into a reply reference. Chunks with bytes come from the
 * reactor's pool and go back when sent, so that an idle connection holds none.
 */
#ifndef SHOAL_CONN_OUT_H
#define SHOAL_CONN_OUT_H

#include "shoal/base/bound.h"
#include "shoal/base/list.h"
#include "shoal/base/must.h"
#include "shoal/conn/reply_ref.h"
#include "shoal/net/ring.h"
#include "shoal/proto/reply.h"

enum {
    CHUNK_BYTES = BOUND(16 * 1024, 1024),
    CHUNK_ROOM_MIN = BOUND(512, 64), /* less room than this at the end: begin a new chunk */
    CHUNK_POOL_MAX = BOUND(256, 2),  /* chunks a reactor keeps; others come and go one by one */
    OUT_VECTOR_MAX = BOUND(64, 2),   /* chunks in one send */
    /* Bytes in one send: it completes when all have gone, and on a Unix socket only that shows that
     * a client reads. 256 KB cost a GET of 1 MB 20 % over TCP. */
    OUT_SEND_MAX = BOUND(1024 * 1024, 4096),
};

struct chunk {
    struct chunk *next;
    char *data; /* own[] or inside the reply reference */
    size_t size;
    struct reply_ref *ref; /* one use; NULL: own[] */
    bool loose;            /* not of the pool */
    uint32_t pushed;       /* of what was put here, bytes that no request has asked for */
    char own[];
};

struct out {
    struct io_op op;
    LIST_OF(struct chunk) chunks;
    struct chunk *flying;      /* last chunk of the send in flight; NULL: none */
    size_t bytes;              /* not sent yet, in flight included */
    size_t push_bytes;         /* of pushes among them: exact but for a chunk that is partly sent */
    struct out_vector *vector; /* of a send of several chunks */
};

struct chunk_pool {
    struct chunk *free;
    uint32_t count;                         /* chunks of the pool, in use or free */
    uint64_t slab_bytes, loose_bytes;       /* allocated for chunks of the pool, and beyond it */
    void (*grown)(struct chunk_pool *pool); /* called when loose_bytes have grown; may be NULL */
    uint32_t slab_left;
    char *slab;
    void *slabs; /* list of all, for the end */
};

/* A place for at least CHUNK_ROOM_MIN bytes at the end; NULL when memory is out. out_written() says
 * how many were used. */
char *out_room(struct out *out, struct chunk_pool *pool, size_t *room);
static inline void out_written(struct out *out, size_t size)
{
    dcheck(out->chunks.first != NULL); /* else `last` may be another connection's by now */
    out->chunks.last->size += size;
    out->bytes += size;
}

/* Copies. False when memory is out. */
bool out_bytes(struct out *out, struct chunk_pool *pool, const char *data, size_t size);

/* Takes over one use of the reply reference: all its bytes and pins, in order. False when memory is
 * out (the use is given back). */
bool out_ref(struct out *out, struct reactor *here, struct reply_ref *ref);

/* The same two for a push: bytes that no request has asked for. */
bool out_push(struct out *out, struct chunk_pool *pool, const char *data, size_t size);
bool out_push_ref(struct out *out, struct reactor *here, struct reply_ref *ref);

/* What there is of replies. */
static inline size_t out_reply_bytes(const struct out *out)
{
    return out->bytes > out->push_bytes ? out->bytes - out->push_bytes : 0;
}

/* Starts sending what is there, unless a send is in flight. The op's owner calls out_sent() on its
 * completion. */
void out_send(struct out *out, struct ring *ring, int fd);

/* Drops the first `size` sent bytes. */
void out_sent(struct out *out, struct reactor *here, size_t size);

/* Drops everything; nothing may be in flight. */
void out_clear(struct out *out, struct reactor *here);

void chunk_pool_fini(struct chunk_pool *pool);

#endif
