/*
 * hash.h - the two hashes of a key: its slot (where it lives) and its table hash.
 *
 * The slot is Redis Cluster's CRC16 (XMODEM) of the key, or of what stands between its first '{'
 * and the next '}' when that is not empty. The table hash is XXH3-64 under a 192-byte secret drawn
 * from getrandom() once per process, so that nobody outside can aim keys at one bucket.
 */
#ifndef SHOAL_BASE_HASH_H
#define SHOAL_BASE_HASH_H

#include "shoal/base/bytes.h"

enum { SLOT_COUNT = 16384 };

/* Draws the secret. Call before any hash_key(); aborts when the kernel gives no randomness. Thread:
 * startup. */
void hash_seed(void);

/* The same from a fixed seed, for tests and benchmarks that must repeat. Thread: startup. */
void hash_seed_fixed(uint64_t seed);

/* Thread: any, after hash_seed(). */
uint64_t hash_key(struct bytes key);

/* CRC16 (polynomial 0x1021, initial 0), sliced by 8. Thread: any. */
uint16_t crc16(const void *data, size_t size);

/* The part of `key` that decides its slot. Thread: any. */
struct bytes hash_tag(struct bytes key);

/* 0..SLOT_COUNT-1. Thread: any. */
static inline uint16_t hash_slot(struct bytes key)
{
    struct bytes tag = hash_tag(key);
    return crc16(tag.data, tag.size) & (SLOT_COUNT - 1);
}

#endif
