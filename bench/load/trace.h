/*
 * trace.h - recorded and made-up cache traces, replayed as GET, and SET on a miss.
 *
 *   NAME.lis[.zst]      lines "first count ignored request": keys first to first + count - 1
 *   NAME.oracleGeneral[.bin][.zst]   24-byte records: u32 time, u64 id, u32 size, i64 next access
 *   zipf:E, churn:E:D:O              see trace_make()
 *
 * Keys are numbered densely in the order of first use, so that their names stay short. One
 * connection replays a trace. What it has under way (--pipeline) are requests of different keys, so
 * that no answer depends on another's: each key sees the operations of a strictly sequential
 * replay, in their order; only operations on different keys change places, within a batch.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_REQUESTS_MAX = 1 << 30 };

struct trace {
    uint32_t *key;  /* of each request */
    uint32_t *size; /* of each key's value, as recorded; 0 where the format has none; or NULL */
    uint64_t requests, unique;
    uint64_t next; /* the next request to hand out */
};

/* Reads a whole trace; .zst goes through `zstd -dc`. NULL with the reason in error[256]. */
struct trace *trace_load(const char *path, char *error);
void trace_free(struct trace **trace);

/*
 * Makes a trace of `requests` requests by `spec`, the same again for the same seed:
 *
 *   zipf:E        one of `keys` keys, key number n with a chance in proportion to n^-E
 *   churn:E:D:O   the same, but popularity drifts: in as many requests as there are keys, a part D
 *                 of the places in the order of popularity passes to new keys, great and small
 *                 alike; and a part O of the requests is for keys that are asked for once
 *
 *   returns  NULL when `spec` is neither: it may be a file's name
 */
struct trace *trace_make(const char *spec, uint64_t keys, uint64_t requests, uint64_t seed);

/* The next request's key; false at the end. trace_advance() goes on to the one behind it. Thread:
 * the worker that replays. */
static inline bool trace_peek(const struct trace *trace, uint64_t *key)
{
    if (trace->next == trace->requests)
        return false;
    *key = trace->key[trace->next];
    return true;
}

static inline bool trace_advance(struct trace *trace)
{
    trace->next++;
    return true;
}

#endif
