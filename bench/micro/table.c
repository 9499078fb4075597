/*
 * table.c - what a key costs: nanoseconds to set, to find (one by one, and in prefetched groups of
 * 16), to overwrite, to look at in the sweep and to delete; and bytes.
 *
 *     table [keys ...]       1000 1000000 8000000 when not said
 *
 * Keys are 16 bytes, values 32. One by one means dependent: which key is next comes out of the last
 * value.
 */
#include "shoal/base/hash.h"
#include "shoal/store/keyspace/keyspace.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROUP = 16, FINDS_MIN = 2 * 1000 * 1000 };

static struct keyspace_stats stats;

struct text {
    char key[16];
};

static struct text text_of(uint64_t id)
{
    static const char hex[] = "0123456789abcdef";
    struct text text;
    uint64_t z = mix(id);
    for (int i = 0; i < 16; i++, z >>= 4)
        text.key[i] = hex[z & 15];
    return text;
}

static struct key key_of(const struct text *text)
{
    struct bytes name = bytes_of(text->key, sizeof(text->key));
    return (struct key){ .name = name, .hash = hash_key(name) };
}

static uint64_t resident_bytes(void)
{
    mem_purge();
    return mem_stats_read().resident;
}

static void set_all(struct keyspace *keyspace, uint64_t keys, const char *what, int64_t expire_ms)
{
    char value[32];
    memset(value, 'v', sizeof(value));
    double start = now_ns(), worst = 0;
    for (uint64_t i = 0; i < keys; i++) {
        struct text text = text_of(i);
        memcpy(value, &i, sizeof(i));
        double before = i % 16 == 0 ? now_ns() : 0;
        if (!keyspace_set(keyspace, key_of(&text), bytes_of(value, sizeof(value)), expire_ms))
            abort();
        if (i % 16 == 0 && now_ns() - before > worst)
            worst = now_ns() - before;
    }
    printf("  %-34s %8.1f ns   (slowest seen %.0f us)\n", what, (now_ns() - start) / (double)keys,
           worst / 1000);
}

static void find_one_by_one(struct keyspace *keyspace, uint64_t keys, uint64_t finds)
{
    uint64_t next = 1, found = 0;
    double start = now_ns();
    for (uint64_t i = 0; i < finds; i++) {
        struct text text = text_of(next);
        struct item *item = keyspace_read(keyspace, key_of(&text));
        uint64_t value;
        memcpy(&value, item_raw(item), sizeof(value));
        found += value == next;
        next = mix(value + i) % keys;
    }
    printf("  %-34s %8.1f ns%s\n", "find, one by one", (now_ns() - start) / (double)finds,
           found == finds ? "" : "  WRONG");
}

static void find_in_groups(struct keyspace *keyspace, uint64_t keys, uint64_t finds,
                           uint64_t spread)
{
    struct table *table = &keyspace->db[0];
    struct text text[GROUP];
    struct key key[GROUP];
    uint64_t found = 0;
    double start = now_ns();
    for (uint64_t i = 0; i < finds; i += GROUP) {
        for (unsigned j = 0; j < GROUP; j++) {
            text[j] = text_of(spread + mix(i + j) % keys);
            key[j] = key_of(&text[j]);
            table_prefetch_bucket(table, key[j].hash);
        }
        for (unsigned j = 0; j < GROUP; j++)
            table_prefetch_item(table, key[j].hash);
        for (unsigned j = 0; j < GROUP; j++)
            found += keyspace_read(keyspace, key[j]) != NULL;
    }
    printf("  %-34s %8.1f ns\n", spread == 0 ? "find, groups of 16" : "miss, groups of 16",
           (now_ns() - start) / (double)finds);
    if (spread == 0 && found < finds)
        printf("  WRONG\n");
}

static void overwrite_in_groups(struct keyspace *keyspace, uint64_t keys, uint64_t sets)
{
    struct table *table = &keyspace->db[0];
    struct text text[GROUP];
    struct key key[GROUP];
    char value[32] = "a value of exactly 32 bytes ...";
    double start = now_ns();
    for (uint64_t i = 0; i < sets; i += GROUP) {
        for (unsigned j = 0; j < GROUP; j++) {
            text[j] = text_of(mix(i + j) % keys);
            key[j] = key_of(&text[j]);
            table_prefetch_bucket(table, key[j].hash);
        }
        for (unsigned j = 0; j < GROUP; j++)
            table_prefetch_item(table, key[j].hash);
        for (unsigned j = 0; j < GROUP; j++)
            keyspace_set(keyspace, key[j], bytes_of(value, sizeof(value)), 0);
    }
    printf("  %-34s %8.1f ns\n", "overwrite, groups of 16", (now_ns() - start) / (double)sets);
}

static void only_make_keys(uint64_t keys, uint64_t finds)
{
    uint64_t sum = 0;
    double start = now_ns();
    for (uint64_t i = 0; i < finds; i++) {
        struct text text = text_of(mix(i) % keys);
        sum += key_of(&text).hash;
    }
    __asm__ volatile("" : : "r"(sum));
    printf("  %-34s %8.1f ns\n", "(of which making and hashing a key)",
           (now_ns() - start) / (double)finds);
}

static void sweep_idle(struct keyspace *keyspace, uint64_t passes)
{
    struct table *table = &keyspace->db[0];
    double start = now_ns();
    for (uint64_t i = 0; i < passes; i++)
        table_sweep_expired(table, UINT64_MAX, keyspace->now_ms, NULL, NULL, NULL);
    printf("  %-34s %8.1f ns\n", "sweep, a bucket with nothing due",
           (now_ns() - start) / (double)(passes * table_bucket_count(table)));
}

/* The keyspace's work for `keys` keys until nothing is left of it, slice by slice. */
static void work_off(struct keyspace *keyspace, const char *name, uint64_t keys, double start)
{
    uint64_t slices = 0;
    int64_t wait_ms;
    double worst = 0, before = start;
    while ((wait_ms = keyspace_work(keyspace)) >= 0) {
        keyspace->now_ms += wait_ms;
        double after = now_ns();
        worst = after - before > worst ? after - before : worst;
        before = after;
        slices++;
    }
    printf("  %-34s %8.1f ns   (%lu slices, slowest %.0f us)\n", name,
           (before - start) / (double)keys, slices, worst / 1000);
}

static void expire_all(struct keyspace *keyspace)
{
    keyspace->now_ms += 100 * 1000;
    work_off(keyspace, "expire", keyspace->db[0].count, now_ns());
}

static void flush_all(struct keyspace *keyspace)
{
    uint64_t keys = keyspace->db[0].count;
    double start = now_ns();
    keyspace_flush(keyspace, 0);
    work_off(keyspace, "flush", keys, start);
}

static void delete_all(struct keyspace *keyspace, uint64_t keys)
{
    double start = now_ns();
    for (uint64_t i = 0; i < keys; i++) {
        struct text text = text_of(i);
        if (!keyspace_delete(keyspace, key_of(&text)))
            abort();
    }
    printf("  %-34s %8.1f ns\n", "delete, one by one", (now_ns() - start) / (double)keys);
}

static void measure(uint64_t keys)
{
    mem_return_in_background();
    struct arena *arena = arena_new();
    struct keyspace *keyspace = keyspace_new(arena, &stats);
    keyspace->now_ms = 1750000000000;
    uint64_t finds = FINDS_MIN, resident = resident_bytes();
    printf("%lu keys\n", keys);
    set_all(keyspace, keys, "set, new keys", 0);
    const struct table *table = &keyspace->db[0];
    printf("  %-34s %8.1f bytes counted, %.1f resident (items %.1f, table %.1f)\n", "a key",
           (double)(table->item_bytes + table->table_bytes) / (double)keys,
           (double)(int64_t)(resident_bytes() - resident) / (double)keys,
           (double)table->item_bytes / (double)keys, (double)table->table_bytes / (double)keys);
    only_make_keys(keys, finds);
    find_one_by_one(keyspace, keys, finds);
    find_in_groups(keyspace, keys, finds, 0);
    find_in_groups(keyspace, keys, finds, (uint64_t)1 << 40);
    overwrite_in_groups(keyspace, keys, finds);
    set_all(keyspace, keys, "overwrite with a TTL, one by one", keyspace->now_ms + 50 * 1000);
    sweep_idle(keyspace, 1 + 1000 * 1000 / keys);
    expire_all(keyspace);
    set_all(keyspace, keys, "set, new keys again", 0);
    flush_all(keyspace);
    set_all(keyspace, keys, "set, new keys again", 0);
    delete_all(keyspace, keys);
    keyspace_free(&keyspace);
    arena_free_all(&arena);
}

int main(int argc, char **argv)
{
    static const uint64_t usual[] = { 1000, 1000 * 1000, 8 * 1000 * 1000 };
    hash_seed_fixed(1);
    if (argc > 1)
        for (int i = 1; i < argc; i++)
            measure(strtoull(argv[i], NULL, 10));
    else
        for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
            measure(usual[i]);
    return 0;
}
