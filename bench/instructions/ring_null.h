/*
 * ring_null.h - a ring without a kernel, for one connection: what it receives is put in by hand,
 * what it sends is looked at and dropped.
 */
#ifndef SHOAL_BENCH_INSTRUCTIONS_RING_NULL_H
#define SHOAL_BENCH_INSTRUCTIONS_RING_NULL_H

#include "shoal/net/ring.h"

enum { RING_NULL_BYTES = 32 * 1024 };

/* ring_free() frees it. */
struct ring *ring_null_new(void);

/* The one receive buffer, RING_NULL_BYTES large. Nobody may hold it any more. */
char *ring_null_buffer(struct ring *ring);

/* The next ring_reap() hands the buffer's first `size` bytes to the connection. */
void ring_null_deliver(struct ring *ring, size_t size);

/* Copies what is being sent to `to` and returns its size; 0: nothing is. The next ring_reap()
 * completes the send. */
size_t ring_null_sent(struct ring *ring, char *to, size_t room);

#endif
