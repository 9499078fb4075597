/*
 * keys.h - which key comes next, and what it is called.
 *
 * A key is a number below --keys; a distribution draws it and its name is "key:" and the number,
 * padded with zeros to --key-size.
 */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include "shoal/base/random.h"

#include <stdbool.h>

enum key_dist_kind { KEY_UNIFORM, KEY_ZIPF, KEY_HOT, KEY_SEQ };

struct key_dist {
    enum key_dist_kind kind;
    double exponent;            /* zipf: > 0 */
    double hot_keys, hot_share; /* hot: this part of the keys gets this part of the requests */
};

/* "uniform", "zipf:0.99", "hot:0.01:0.9", "seq"; false on anything else. Thread: any. */
bool key_dist_parse(const char *text, struct key_dist *dist);

struct key_picker {
    struct key_dist dist;
    uint64_t count;
    uint64_t _next, _step, _hot;
    double _low, _high, _cut; /* zipf: see keys.c */
};

/* `stream` of `streams` pickers; with seq each takes every streams-th key. Thread: owner. */
void key_picker_init(struct key_picker *picker, const struct key_dist *dist, uint64_t count,
                     uint64_t stream, uint64_t streams);

uint64_t key_pick_skewed(struct key_picker *picker, struct random *rng);

/* 0..count-1. Thread: owner. */
static inline uint64_t key_pick(struct key_picker *picker, struct random *rng)
{
    if (picker->dist.kind == KEY_UNIFORM)
        return random_below(rng, picker->count);
    return key_pick_skewed(picker, rng);
}

enum { KEY_NAME_MAX = 4096, KEY_NAME_DEFAULT = 16, KEY_DIGITS_MAX = 20 };

struct key_name {
    uint32_t size;           /* of the whole name */
    uint32_t digits;         /* at its end that differ between keys */
    char zero[KEY_NAME_MAX]; /* the name of key 0 */
};

/* False when `size` bytes cannot name `count` keys. Thread: any. */
bool key_name_init(struct key_name *name, uint32_t size, uint64_t count);

/* Writes the digits of `key` into a name that begins at `at` and holds key 0's. Thread: any. */
void key_name_write(const struct key_name *name, char *at, uint64_t key);

#endif
