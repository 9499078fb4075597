/*
 * ttlcode.h - an item's expiry in the 10 bits its bucket word has for it.
 *
 *   0          no TTL
 *   0x000 + n  fine: the deadline's 512-ms unit modulo 511, plus 1 (deadlines up to 204 s ahead)
 *   0x200 + n  coarse: its 131-s unit modulo 512 (up to 14 h ahead; later ones are clamped and
 * looked at again)
 *
 * A code tells the sweep whether the item may be due; the item decides. Units wrap around, so a
 * unit counts as past when it is at most 111 behind: what the sweep has missed for longer (57 s) it
 * frees a wrap later. The coarse unit is 256 fine ones, so that a deadline in the present coarse
 * unit always fits the fine scale.
 */
#ifndef SHOAL_STORE_TABLE_TTLCODE_H
#define SHOAL_STORE_TABLE_TTLCODE_H

#include "shoal/base/minmax.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    TTL_FINE_SHIFT = 9,
    TTL_COARSE_SHIFT = 17,
    TTL_COARSE_BIT = 0x200,
    TTL_FINE_UNITS = 511, /* 0 is taken */
    TTL_COARSE_UNITS = 512,
    TTL_AHEAD_MAX = 400, /* units that count as future */
};

/* `expire_ms` 0 = none. Thread: any. */
static inline unsigned ttl_code(int64_t expire_ms, int64_t now_ms)
{
    if (expire_ms == 0)
        return 0;
    int64_t deadline = max(expire_ms, now_ms);
    uint64_t unit = (uint64_t)deadline >> TTL_FINE_SHIFT, now = (uint64_t)now_ms >> TTL_FINE_SHIFT;
    if (unit - now <= TTL_AHEAD_MAX)
        return 1 + unit % TTL_FINE_UNITS;
    unit = (uint64_t)deadline >> TTL_COARSE_SHIFT;
    now = (uint64_t)now_ms >> TTL_COARSE_SHIFT;
    if (unit - now > TTL_AHEAD_MAX)
        unit = now + TTL_AHEAD_MAX;
    return TTL_COARSE_BIT | (unit % TTL_COARSE_UNITS);
}

/* The present units, computed once a slice. */
struct ttl_clock {
    unsigned fine, coarse;
};

static inline struct ttl_clock ttl_clock_at(int64_t now_ms)
{
    return (struct ttl_clock){
        .fine = ((uint64_t)now_ms >> TTL_FINE_SHIFT) % TTL_FINE_UNITS,
        .coarse = ((uint64_t)now_ms >> TTL_COARSE_SHIFT) % TTL_COARSE_UNITS,
    };
}

/* Units from now to the deadline of a code that is not 0, modulo the scale: 0 or above
 * TTL_AHEAD_MAX = may be due. */
static inline unsigned ttl_units_left(unsigned code, struct ttl_clock clock)
{
    if (code & TTL_COARSE_BIT)
        return (code - clock.coarse) % TTL_COARSE_UNITS;
    unsigned unit = code - 1 + TTL_FINE_UNITS - clock.fine;
    return unit >= TTL_FINE_UNITS ? unit - TTL_FINE_UNITS : unit;
}

static inline bool ttl_may_be_due(unsigned code, struct ttl_clock clock)
{
    return code != 0 && ttl_units_left(code, clock) - 1 >= TTL_AHEAD_MAX;
}

/* Rough time left of a code that is not due, for the average. */
static inline uint64_t ttl_ms_left(unsigned code, struct ttl_clock clock)
{
    return (uint64_t)ttl_units_left(code, clock)
           << (code & TTL_COARSE_BIT ? TTL_COARSE_SHIFT : TTL_FINE_SHIFT);
}

#endif
