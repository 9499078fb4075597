/*
 * connection.h - one connection of a worker: what is being sent, what is being waited for.
 *
 * Two output buffers: one is with the kernel until its send completes, the other collects. Replies
 * are scanned in place; only one that is cut by the end of a receive buffer is carried over.
 * Thread: owner.
 */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data;
    uint32_t size, capacity;
};

/* A request that waits for its reply, where somebody asks which one it was (see worker.h). */
struct request {
    uint64_t key;
    uint64_t intended_ns, sent_ns;
    uint32_t version; /* verify: of a write, or the oldest a read may show */
    uint8_t command;  /* index in the mix */
};

struct conn {
    int fd;
    uint32_t index;      /* among all workers' connections */
    uint32_t home_shard; /* with cross_share: the reactor that serves it */
    bool closed, sending, exhausted;
    uint8_t filling; /* which of out[] collects */
    uint32_t sent;   /* of the other, what the kernel has taken */
    struct buffer out[2], carry;
    uint32_t waiting;  /* requests without a reply */
    uint64_t sent_ns;  /* closed loop: when the batch was built */
    uint64_t sequence; /* preload: keys written */
    struct request *_pending;
    uint32_t _head, _mask;
    uint64_t *_refill; /* trace: keys that missed, in the order of their requests */
    uint32_t _refills, _refilled;
};

/* At most `waiting_max` requests wait at a time. Aborts when memory is out. */
void conn_init(struct conn *conn, int fd, uint32_t index, uint32_t waiting_max);
void conn_fini(struct conn *conn);

/* Room for `size` more bytes at the end; the caller adds what it wrote to ->size. */
char *buffer_grow(struct buffer *buffer, uint32_t size);

static inline char *buffer_room(struct buffer *buffer, uint32_t size)
{
    if (__builtin_expect(buffer->capacity - buffer->size < size, 0))
        return buffer_grow(buffer, size);
    return buffer->data + buffer->size;
}

/* The record of the request being added, and of the one being answered. */
static inline struct request *conn_push(struct conn *conn)
{
    return &conn->_pending[(conn->_head + conn->waiting++) & conn->_mask];
}

static inline struct request *conn_pop(struct conn *conn)
{
    conn->waiting--;
    return &conn->_pending[conn->_head++ & conn->_mask];
}

/* Whether a request with this key and this place in the mix waits for its reply. */
bool conn_asks(const struct conn *conn, uint64_t key, uint8_t command);

/* Keys to be set, first in, first out. All are taken out before any is put in again. */
void conn_refill_push(struct conn *conn, uint64_t key);
bool conn_refill_pop(struct conn *conn, uint64_t *key);

#endif
