/*
 * lifetime.c - a default TTL, a maximum, and jitter.
 */
#include "shoal/store/keyspace/lifetime.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"

struct lifetime lifetime_of(int64_t default_ms, int64_t max_ms, uint32_t jitter_percent)
{
    must(default_ms >= 0 && default_ms <= LIFETIME_MS_MAX);
    must(max_ms >= 0 && max_ms <= LIFETIME_MS_MAX && jitter_percent <= LIFETIME_JITTER_MAX);
    return (struct lifetime){
        .on = default_ms > 0 || max_ms > 0 || jitter_percent > 0,
        .jitter_percent = jitter_percent,
        .default_ms = default_ms,
        .max_ms = max_ms,
    };
}

static bool is_too_long(const struct lifetime *lifetime, int64_t expire_ms, int64_t now_ms)
{
    return lifetime->max_ms > 0 && (expire_ms == 0 || expire_ms - now_ms > lifetime->max_ms);
}

/* Any of [ttl - share, ttl] with the same chance; divided first, since the longest TTLs overflow
 * otherwise. */
static int64_t with_jitter(const struct lifetime *lifetime, int64_t ttl_ms, uint64_t random)
{
    int64_t percent = lifetime->jitter_percent;
    int64_t share = ttl_ms / 100 * percent + ttl_ms % 100 * percent / 100;
    ttl_ms -= (int64_t)(random % ((uint64_t)share + 1));
    return max(ttl_ms, 1);
}

int64_t lifetime_apply_explicit(const struct lifetime *lifetime, int64_t expire_ms, int64_t now_ms,
                                uint64_t random)
{
    if (is_too_long(lifetime, expire_ms, now_ms))
        expire_ms = now_ms + lifetime->max_ms;
    if (expire_ms == 0 || expire_ms <= now_ms)
        return expire_ms;
    return now_ms + with_jitter(lifetime, expire_ms - now_ms, random);
}

int64_t lifetime_apply_default(const struct lifetime *lifetime, int64_t now_ms, uint64_t random)
{
    int64_t expire_ms = lifetime->default_ms > 0 ? now_ms + lifetime->default_ms : 0;
    return lifetime_apply_explicit(lifetime, expire_ms, now_ms, random);
}

int64_t lifetime_apply_kept(const struct lifetime *lifetime, int64_t expire_ms, int64_t now_ms,
                            uint64_t random)
{
    if (!is_too_long(lifetime, expire_ms, now_ms))
        return expire_ms;
    return lifetime_apply_explicit(lifetime, 0, now_ms, random);
}
