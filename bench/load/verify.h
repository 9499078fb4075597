/*
 * verify.h - whether the server gives back what was stored: value = f(key, version).
 *
 * Every key has one writer, the connection key % clients, so its versions are stored in order;
 * anyone may read. A read issued when version a had been confirmed and answered when version b had
 * been sent must show one of a..b: an older one is stale, another content is wrong, and nothing at
 * all is missing unless one of a..b was a deletion (or values may expire). That is linearizability
 * of each key as far as a client can see it.
 *
 *   value   "v" | run (8 hex) | version (8 hex) | text drawn from (key, version, run)
 *
 * Shared by all workers; a key's record is written by its writer's worker only.
 */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERIFY_VALUE_MIN = 20 };

struct verify_key {
    _Atomic uint32_t sent, confirmed; /* versions; 0 = nothing stored in this run */
    _Atomic uint32_t deleted;         /* the latest version that was a deletion */
};

struct verify {
    struct verify_key *_key;
    uint64_t _keys;
    uint32_t _run;
    bool _may_expire;
    _Atomic uint64_t checked, wrong, missing, stale;
    char example[160]; /* the first bad one, in words */
    atomic_flag _example_taken;
};

/* Aborts when memory is out. Thread: startup. */
struct verify *verify_new(uint64_t keys, uint32_t run, bool may_expire);
void verify_free(struct verify **verify);

/* A write or deletion of `key` is about to be sent: its version. Thread: the key's writer. */
uint32_t verify_write(struct verify *verify, uint64_t key, bool deletion);
void verify_confirm(struct verify *verify, uint64_t key, uint32_t version);

/* A read is about to be sent: what to give verify_check(). Thread: any. */
uint32_t verify_read(const struct verify *verify, uint64_t key);

/* Fills a value. Thread: any. */
void verify_fill(const struct verify *verify, uint64_t key, uint32_t version, char *out,
                 size_t size);

/* Judges a reply; data is NULL for nil. Thread: any. */
void verify_check(struct verify *verify, uint64_t key, uint32_t since, const char *data,
                  size_t size);

/* Replies that were not right. */
uint64_t verify_failures(const struct verify *verify);

#endif
