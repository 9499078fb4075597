/*
 * lifetime.h - how long keys may live, whatever their client asks for: a default for writes that
 * give no TTL, a maximum, and jitter, so that what was written together does not expire together.
 *
 *   the client gives a TTL    the lesser of it and the maximum, less up to `jitter_percent` of that
 *   it gives none             the default, treated likewise
 *   it asks for none          never, or the maximum if there is one (PERSIST, COPY of such a key)
 *   the key keeps its own     as it is, unless it is beyond the maximum
 *
 * Jitter only shortens. Times that have passed stay what they are. Thread: any.
 */
#ifndef SHOAL_STORE_KEYSPACE_LIFETIME_H
#define SHOAL_STORE_KEYSPACE_LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

enum { LIFETIME_JITTER_MAX = 100 }; /* percent; a TTL is at least a millisecond in any case */
#define LIFETIME_MS_MAX ((int64_t)36500 * 86400 * 1000) /* a century; sums cannot overflow */

struct lifetime {
    bool on;                    /* one of the three is set */
    uint32_t jitter_percent;    /* 0..LIFETIME_JITTER_MAX */
    int64_t default_ms, max_ms; /* 0 = none, ..LIFETIME_MS_MAX */
};

struct lifetime lifetime_of(int64_t default_ms, int64_t max_ms, uint32_t jitter_percent);

/*
 * Each returns a deadline as items hold it, 0 = never. `random` is 64 random bits.
 *   _explicit  of a write that gives a deadline, or asks for none (0)
 *   _default   of a write that says nothing
 *   _kept      of a write that keeps the deadline of its key
 */
int64_t lifetime_apply_explicit(const struct lifetime *lifetime, int64_t expire_ms, int64_t now_ms,
                                uint64_t random);
int64_t lifetime_apply_default(const struct lifetime *lifetime, int64_t now_ms, uint64_t random);
int64_t lifetime_apply_kept(const struct lifetime *lifetime, int64_t expire_ms, int64_t now_ms,
                            uint64_t random);

#endif
