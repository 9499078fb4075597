/*
 * trace.h - recorded cache traces, replayed as GET, and SET on a miss.
 *
 *   NAME.lis[.zst]             text lines "first count ignored request": keys first ..
 * first+count-1 NAME.oracleGeneral[.bin][.zst]   24-byte records: u32 time, u64 id, u32 size, i64
 * next access
 *
 * Ids are renumbered densely in the order of first use, so that key names stay short.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_REQUESTS_MAX = 1 << 30 };

struct trace {
    uint32_t *key;  /* of each request */
    uint32_t *size; /* of each key's value, as recorded; 0 where the format has none */
    uint64_t requests, unique;
    _Atomic uint64_t next; /* the next request to hand out */
};

/* Reads a whole trace; .zst goes through `zstd -dc`. NULL with the reason in error[256]. */
struct trace *trace_load(const char *path, char *error);
void trace_free(struct trace **trace);

/* Takes the next request; false at the end. Thread: any. */
static inline bool trace_take(struct trace *trace, uint64_t *key)
{
    /* relaxed: only the number matters, the arrays do not change */
    uint64_t at = atomic_fetch_add_explicit(&trace->next, 1, memory_order_relaxed);
    if (at >= trace->requests)
        return false;
    *key = trace->key[at];
    return true;
}

#endif
