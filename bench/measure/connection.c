/*
 * connection.c - a connection's buffers and records.
 */
#include "connection.h"

#include <stdlib.h>
#include <unistd.h>

#include "shoal/base/mem.h"
#include "shoal/base/must.h"

void conn_init(struct conn *conn, int fd, uint32_t index, uint32_t waiting_max)
{
    uint32_t records = 1;
    while (records < waiting_max)
        records *= 2;
    *conn = (struct conn){ .fd = fd, .index = index, ._mask = records - 1 };
    conn->_pending = mem_must_alloc(sizeof(*conn->_pending) * records);
    conn->_refill = mem_must_alloc(sizeof(*conn->_refill) * records);
}

void conn_fini(struct conn *conn)
{
    close(conn->fd);
    free(conn->out[0].data);
    free(conn->out[1].data);
    free(conn->carry.data);
    free(conn->_pending);
    free(conn->_refill);
}

char *buffer_grow(struct buffer *buffer, uint32_t size)
{
    uint64_t capacity = ((uint64_t)buffer->size + size) * 3 / 2 + 64;
    must(capacity <= UINT32_MAX);
    buffer->data = realloc(buffer->data, capacity);
    must(buffer->data != NULL);
    buffer->capacity = (uint32_t)capacity;
    return buffer->data + buffer->size;
}

bool conn_asks(const struct conn *conn, uint64_t key, uint8_t command)
{
    for (uint32_t i = 0; i < conn->waiting; i++) {
        const struct request *request = &conn->_pending[(conn->_head + i) & conn->_mask];
        if (request->key == key && request->command == command)
            return true;
    }
    return false;
}

void conn_refill_push(struct conn *conn, uint64_t key)
{
    must(conn->_refills <= conn->_mask); /* never more misses than requests that waited */
    conn->_refill[conn->_refills++] = key;
}

bool conn_refill_pop(struct conn *conn, uint64_t *key)
{
    if (conn->_refilled == conn->_refills) {
        conn->_refilled = conn->_refills = 0;
        return false;
    }
    *key = conn->_refill[conn->_refilled++];
    return true;
}
