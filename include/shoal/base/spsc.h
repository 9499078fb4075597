/*
 * spsc.h - a bounded queue of pointers between exactly two threads.
 *
 * Each side keeps a cached copy of the other's index and touches the shared one only when the cache
 * says full or empty. Pushing and popping are private until spsc_publish() and spsc_release(), so
 * that a whole batch costs one shared store on either side.
 *
 * Memory order, complete:
 *   tail   stored with release by the producer, loaded with acquire by the consumer: the slots
 *          written before a publish are visible to the thread that sees the new tail
 *   head   stored with release by the consumer, loaded with acquire by the producer: a slot is
 *          overwritten only after its reader has said that it has read it
 *
 * The sleep and wake-up protocol on top of it is in mesh/sleep.h.
 *
 * source   Lamport's queue with cached indices: FastForward (PPoPP 2008), MCRingBuffer (IPDPS 2010)
 */
#ifndef SHOAL_BASE_SPSC_H
#define SHOAL_BASE_SPSC_H

#include "shoal/base/must.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spsc {
    uint32_t mask; /* capacity - 1; read-only after spsc_new() */

    _Alignas(64) uint32_t _next_tail; /* producer's: pushed, perhaps not published */
    uint32_t _head_seen;

    _Alignas(64) _Atomic uint32_t _tail;

    _Alignas(64) uint32_t _next_head; /* consumer's: popped, perhaps not released */
    uint32_t _tail_seen;

    _Alignas(64) _Atomic uint32_t _head;

    _Alignas(64) void *_slot[];
};

/* `capacity` is a power of two, at least 2. NULL when memory is out. Thread: any, once. */
struct spsc *spsc_new(uint32_t capacity);
void spsc_free(struct spsc **queue); /* after both threads have stopped */

/* False when full. Thread: producer. */
static inline bool spsc_push(struct spsc *queue, void *pointer)
{
    if (queue->_next_tail - queue->_head_seen > queue->mask) {
        /* acquire: pairs with the release in spsc_release(); the slots behind it have been read */
        queue->_head_seen = atomic_load_explicit(&queue->_head, memory_order_acquire);
        if (queue->_next_tail - queue->_head_seen > queue->mask)
            return false;
    }
    queue->_slot[queue->_next_tail++ & queue->mask] = pointer;
    return true;
}

/* Makes what was pushed visible. False when there was nothing new. Thread: producer. */
static inline bool spsc_publish(struct spsc *queue)
{
    /* relaxed: the producer is the only writer of the tail */
    if (atomic_load_explicit(&queue->_tail, memory_order_relaxed) == queue->_next_tail)
        return false;
    /* release: the slots written above become visible to the acquire in spsc_ready() */
    atomic_store_explicit(&queue->_tail, queue->_next_tail, memory_order_release);
    return true;
}

/* How many can be popped. Reads the shared tail only when the cached one says none. Thread:
 * consumer. */
static inline uint32_t spsc_ready(struct spsc *queue)
{
    if (queue->_tail_seen == queue->_next_head) {
        /* acquire: pairs with the release in spsc_publish() */
        queue->_tail_seen = atomic_load_explicit(&queue->_tail, memory_order_acquire);
    }
    return queue->_tail_seen - queue->_next_head;
}

/* The `i`-th of those ready, without popping it: for prefetching. Thread: consumer. */
static inline void *spsc_peek(const struct spsc *queue, uint32_t i)
{
    return queue->_slot[(queue->_next_head + i) & queue->mask];
}

/* NULL when empty. The slot stays the reader's until spsc_release(). Thread: consumer. */
static inline void *spsc_pop(struct spsc *queue)
{
    if (spsc_ready(queue) == 0)
        return NULL;
    return queue->_slot[queue->_next_head++ & queue->mask];
}

/* Gives the popped slots back to the producer. Thread: consumer. */
static inline void spsc_release(struct spsc *queue)
{
    /* relaxed: the consumer is the only writer of the head */
    if (atomic_load_explicit(&queue->_head, memory_order_relaxed) != queue->_next_head) {
        /* release: our reads of the slots come before the producer's acquire in spsc_push() */
        atomic_store_explicit(&queue->_head, queue->_next_head, memory_order_release);
    }
}

/* How many the consumer has released since the beginning (modulo 2^32). Thread: producer. */
static inline uint32_t spsc_released(struct spsc *queue)
{
    queue->_head_seen = atomic_load_explicit(&queue->_head, memory_order_acquire);
    return queue->_head_seen;
}

/* How many were popped since the beginning (modulo 2^32). Thread: consumer. */
static inline uint32_t spsc_popped(const struct spsc *queue)
{
    return queue->_next_head;
}

/* How many were pushed since the beginning (modulo 2^32). Thread: producer. */
static inline uint32_t spsc_pushed(const struct spsc *queue)
{
    return queue->_next_tail;
}

#endif
