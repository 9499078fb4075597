/*
 * placement.h - keys chosen by the shard they live on, the knob behind --cross-shard.
 *
 * A sharded server owns slots in contiguous ranges: owner = slot * shards / 16384. For each command
 * a coin with the wanted probability decides whether its keys must live on another shard than the
 * one that serves the connection; then keys are drawn from the distribution until one fits. Thread:
 * owner.
 */
#ifndef BENCH_PLACEMENT_H
#define BENCH_PLACEMENT_H

#include "load.h"

/* A draw that fits is 1 in `shards` at worst on average; this many misses mean that none will come
 * (a hot key with everything), and the last draw is taken. */
enum { PLACEMENT_DRAWS_MAX = 4096 };

uint32_t placement_owner(const struct load *load, uint64_t key);
uint64_t placement_pick_slow(struct key_picker *picker, struct random *rng, const struct load *load,
                             uint32_t home);
uint64_t placement_pick_again(struct key_picker *picker, struct random *rng,
                              const struct load *load, uint32_t home, uint64_t first);

static inline uint64_t placement_pick(struct key_picker *picker, struct random *rng,
                                      const struct load *load, uint32_t home)
{
    if (load->cross_share < 0)
        return key_pick(picker, rng);
    return placement_pick_slow(picker, rng, load, home);
}

#endif
