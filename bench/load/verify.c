/*
 * verify.c - values that tell which write they came from, and the judgement of replies.
 */
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shoal/base/mem.h"
#include "shoal/base/random.h"

enum { HEAD_BYTES = 17 };

struct verify *verify_new(uint64_t keys, uint32_t run, bool may_expire)
{
    struct verify *verify = mem_must_zalloc(sizeof(*verify));
    verify->_key = mem_must_zalloc(sizeof(*verify->_key) * keys);
    verify->_keys = keys;
    verify->_run = run;
    verify->_may_expire = may_expire;
    atomic_flag_clear(&verify->_example_taken);
    return verify;
}

void verify_free(struct verify **verify)
{
    if (*verify != NULL)
        free((*verify)->_key);
    free(*verify);
    *verify = NULL;
}

uint32_t verify_write(struct verify *verify, uint64_t key, bool deletion)
{
    struct verify_key *record = &verify->_key[key];
    uint32_t version = atomic_load_explicit(&record->sent, memory_order_relaxed) + 1;
    if (deletion) /* before `sent`, whose release publishes it to verify_check() */
        atomic_store_explicit(&record->deleted, version, memory_order_relaxed);
    atomic_store_explicit(&record->sent, version, memory_order_release);
    return version;
}

void verify_confirm(struct verify *verify, uint64_t key, uint32_t version)
{
    /* release: pairs with verify_read() in another worker, whose request then comes after this
     * reply */
    atomic_store_explicit(&verify->_key[key].confirmed, version, memory_order_release);
}

uint32_t verify_read(const struct verify *verify, uint64_t key)
{
    return atomic_load_explicit(&verify->_key[key].confirmed, memory_order_acquire);
}

static void fill_text(uint64_t seed, char *out, size_t size)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    for (size_t i = 0; i < size; i++) {
        if (i % 10 == 0)
            seed = random_mix(seed + 0x9e3779b97f4a7c15u);
        out[i] = letters[seed >> (6 * (i % 10)) & 63];
    }
}

void verify_fill(const struct verify *verify, uint64_t key, uint32_t version, char *out,
                 size_t size)
{
    char head[HEAD_BYTES + 1];
    snprintf(head, sizeof(head), "v%08" PRIx32 "%08" PRIx32, verify->_run, version);
    memcpy(out, head, HEAD_BYTES);
    uint64_t seed = random_mix(key) ^ ((uint64_t)verify->_run << 32 | version);
    fill_text(seed, out + HEAD_BYTES, size - HEAD_BYTES);
}

static bool content_is_right(const struct verify *verify, uint64_t key, const char *data,
                             size_t size, uint32_t *version)
{
    char head[HEAD_BYTES + 1], text[64];
    uint32_t run;
    if (size < VERIFY_VALUE_MIN)
        return false;
    memcpy(head, data, HEAD_BYTES);
    head[HEAD_BYTES] = '\0';
    if (sscanf(head, "v%8" SCNx32 "%8" SCNx32, &run, version) != 2 || run != verify->_run)
        return false;
    char *expected = size <= sizeof(text) ? text : mem_must_alloc(size);
    verify_fill(verify, key, *version, expected, size);
    bool same = memcmp(expected, data, size) == 0;
    if (expected != text)
        free(expected);
    return same;
}

static void report(struct verify *verify, _Atomic uint64_t *counter, const char *what, uint64_t key,
                   const char *data, size_t size)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    if (!atomic_flag_test_and_set(&verify->_example_taken))
        snprintf(verify->example, sizeof(verify->example), "%s: key %" PRIu64 " gave \"%.*s\"",
                 what, key, data ? (int)(size < 60 ? size : 60) : 3, data ? data : "nil");
}

void verify_check(struct verify *verify, uint64_t key, uint32_t since, const char *data,
                  size_t size)
{
    struct verify_key *record = &verify->_key[key];
    /* acquire: pairs with verify_write(); a deletion sent before this reply is then visible */
    uint32_t latest = atomic_load_explicit(&record->sent, memory_order_acquire);
    uint32_t version = 0;
    atomic_fetch_add_explicit(&verify->checked, 1, memory_order_relaxed);
    if (data == NULL) {
        uint32_t deleted = atomic_load_explicit(&record->deleted, memory_order_relaxed);
        bool allowed = since == 0 || (deleted != 0 && deleted >= since) || verify->_may_expire;
        if (!allowed)
            report(verify, &verify->missing, "missing", key, NULL, 0);
    } else if (!content_is_right(verify, key, data, size, &version) || version > latest) {
        report(verify, &verify->wrong, "wrong", key, data, size);
    } else if (version < since) {
        report(verify, &verify->stale, "stale", key, data, size);
    }
}

uint64_t verify_failures(const struct verify *verify)
{
    return verify->wrong + verify->missing + verify->stale;
}
