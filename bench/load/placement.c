/*
 * placement.c - drawing keys until they live where they should.
 */
#include "placement.h"

#include <string.h>

#include "shoal/base/hash.h"

uint32_t placement_owner(const struct load *load, uint64_t key)
{
    char name[KEY_NAME_MAX];
    memcpy(name, load->key_name.zero, load->key_name.size);
    key_name_write(&load->key_name, name, key);
    uint32_t slot = hash_slot(bytes_of(name, load->key_name.size));
    return (uint32_t)((uint64_t)slot * load->shards / SLOT_COUNT);
}

static uint64_t pick_where(struct key_picker *picker, struct random *rng, const struct load *load,
                           uint32_t home, bool cross)
{
    uint64_t key = key_pick(picker, rng);
    for (int i = 0; i < PLACEMENT_DRAWS_MAX; i++) {
        if ((placement_owner(load, key) != home) == cross)
            return key;
        key = key_pick(picker, rng);
    }
    return key;
}

uint64_t placement_pick_slow(struct key_picker *picker, struct random *rng, const struct load *load,
                             uint32_t home)
{
    return pick_where(picker, rng, load, home, random_unit(rng) < load->cross_share);
}

uint64_t placement_pick_again(struct key_picker *picker, struct random *rng,
                              const struct load *load, uint32_t home, uint64_t first)
{
    if (load->cross_share < 0)
        return key_pick(picker, rng);
    return pick_where(picker, rng, load, home, placement_owner(load, first) != home);
}
