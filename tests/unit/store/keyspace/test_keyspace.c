/*
 * test_keyspace.c - expiry to the millisecond, resizing, flushing and WATCH; and all of it against
 * a naive map.
 */
#include "shoal/base/hash.h"
#include "shoal/store/keyspace/keyspace.h"
#include "support/work_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "support/seed.h"

enum { BIG = 3 * BLOB_BYTES_MIN };
static const int64_t start_ms = 1750000000000;

static struct keyspace_stats stats;
static struct arena *arena;
static char filler[4 << 20];

static int set_up(void **state)
{
    hash_seed();
    memset(&stats, 0, sizeof(stats));
    for (size_t i = 0; i < sizeof(filler); i++)
        filler[i] = (char)('a' + i % 23);
    arena = arena_new();
    struct keyspace *keyspace = keyspace_new(arena, &stats);
    keyspace->now_ms = start_ms;
    *state = keyspace;
    return 0;
}

static int tear_down(void **state)
{
    struct keyspace *keyspace = *state;
    for (int db = 0; db < DATABASES_MAX; db++)
        table_validate(&keyspace->db[db]);
    keyspace_free(&keyspace);
    arena_free_all(&arena);
    return 0;
}

/* Does a slice of work, and waits for the next; true while more is wanted soon. */
static bool is_busy(struct keyspace *k)
{
    enum { REST_MS_MAX = 8 };
    int64_t wait_ms = keyspace_work(k);
    if (wait_ms < 0 || wait_ms > REST_MS_MAX)
        return false;
    k->now_ms += wait_ms;
    return true;
}

static struct key key_in(uint8_t db, const char *text)
{
    struct bytes name = bytes_str(text);
    return (struct key){ .name = name, .hash = hash_key(name), .db = db };
}

static struct key key_of(const char *text)
{
    return key_in(0, text);
}

static void assert_value(struct keyspace *keyspace, struct key key, struct bytes expected)
{
    char scratch[INT64_TEXT_MAX];
    struct item *item = keyspace_find(keyspace, key);
    assert_non_null(item);
    assert_true(bytes_equal(item_value(item, scratch), expected));
}

static uint64_t used_bytes(struct keyspace *keyspace)
{
    keyspace_publish(keyspace);
    return counter_get(&stats.used_bytes);
}

/* ---- reads and expiry ---------------------------------------------------- */

static void hits_and_misses_are_counted_for_reads_only(void **state)
{
    struct keyspace *k = *state;
    assert_null(keyspace_read(k, key_of("a")));
    assert_true(keyspace_set(k, key_of("a"), bytes_str("1"), 0));
    assert_non_null(keyspace_read(k, key_of("a")));
    assert_non_null(keyspace_find(k, key_of("a")));
    assert_null(keyspace_find(k, key_of("b")));
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.hits), 1);
    assert_int_equal(counter_get(&stats.misses), 1);
    assert_int_equal(counter_get(&stats.keys[0]), 1);
}

static void a_key_expires_to_the_millisecond(void **state)
{
    struct keyspace *k = *state;
    assert_true(keyspace_set(k, key_of("a"), bytes_str("x"), start_ms + 100));
    k->now_ms = start_ms + 99;
    assert_non_null(keyspace_read(k, key_of("a")));
    k->now_ms = start_ms + 100;
    assert_null(keyspace_read(k, key_of("a")));
    assert_int_equal(k->db[0].count, 0);
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.expired), 1);
    assert_false(keyspace_delete(k, key_of("a")));
}

static void a_ttl_is_kept_replaced_or_removed_by_a_write(void **state)
{
    struct keyspace *k = *state;
    struct key a = key_of("a");
    assert_true(keyspace_set(k, a, bytes_str("x"), KEYSPACE_KEEP_TTL));
    assert_int_equal(item_expire_ms(keyspace_find(k, a)), 0);
    assert_true(keyspace_expire(k, a, start_ms + 50));
    assert_true(keyspace_set(k, a, bytes_of(filler, 300), KEYSPACE_KEEP_TTL));
    assert_int_equal(item_expire_ms(keyspace_find(k, a)), start_ms + 50);
    assert_true(keyspace_set_int(k, a, 5, KEYSPACE_KEEP_TTL));
    assert_int_equal(item_expire_ms(keyspace_find(k, a)), start_ms + 50);
    assert_true(keyspace_set_int(k, a, 5, start_ms + 60));
    assert_int_equal(item_expire_ms(keyspace_find(k, a)), start_ms + 60);
    k->now_ms = start_ms + 60;
    assert_true(keyspace_set(k, a, bytes_str("new"), KEYSPACE_KEEP_TTL)); /* it was gone */
    assert_int_equal(item_expire_ms(keyspace_find(k, a)), 0);
    assert_true(keyspace_set(k, a, bytes_str("new"), start_ms + 70));
    assert_true(keyspace_set(k, a, bytes_str("new"), 0));
    assert_int_equal(k->db[0].expires, 0);
}

static void an_expiry_can_be_set_and_removed_at_every_size(void **state)
{
    struct keyspace *k = *state;
    static const size_t more[] = { BLOB_BYTES_MIN - 1, BLOB_BYTES_MIN, BIG };
    for (size_t size = 0; size < 303; size++) {
        struct bytes value = bytes_of(filler, size < 300 ? size : more[size - 300]);
        assert_true(keyspace_set(k, key_of("a"), value, 0));
        assert_true(keyspace_expire(k, key_of("a"), start_ms + 10));
        assert_value(k, key_of("a"), value);
        assert_int_equal(k->db[0].expires, 1);
        table_validate(&k->db[0]);
        assert_true(keyspace_expire(k, key_of("a"), 0));
        assert_value(k, key_of("a"), value);
        assert_int_equal(k->db[0].expires, 0);
    }
}

static void the_sweep_reclaims_everything_and_then_rests(void **state)
{
    struct keyspace *k = *state;
    char text[32];
    assert_int_equal(keyspace_work(k), -1);
    for (unsigned i = 0; i < 30000; i++) {
        snprintf(text, sizeof(text), "key%u", i);
        struct key key = key_in((uint8_t)(i % 3), text);
        assert_true(
            keyspace_set(k, key, bytes_str("v"), i % 10 == 0 ? 0 : start_ms + 1 + i % 1000));
    }
    int64_t wait = 0, spent = 0;
    while ((wait = keyspace_work(k)) >= 0) {
        k->now_ms += wait > 0 ? wait : 1;
        spent += wait;
        assert_true(spent < 10000);
    }
    for (int db = 0; db < 3; db++) {
        assert_int_equal(k->db[db].expires, 0);
        assert_int_equal(k->db[db].count, 1000);
    }
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.expired), 27000);
    assert_true(k->now_ms < start_ms + 1000 + 2000); /* well under two seconds after the last */
}

static void an_expiry_storm_is_freed_in_slices_within_a_second(void **state)
{
    struct keyspace *k = *state;
    char text[32];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(text, sizeof(text), "key%u", i);
        assert_true(keyspace_set(k, key_of(text), bytes_str("v"), start_ms + 5));
    }
    k->now_ms += 5;
    while (k->db[0].count > 0) {
        uint64_t before = k->db[0].count;
        int64_t wait_ms = keyspace_work(k);
        assert_true(before - k->db[0].count < 4000); /* 250 us */
        k->now_ms += wait_ms > 0 ? wait_ms : 0;
    }
    assert_in_range(k->now_ms - start_ms, 5, 1500);
}

/* ---- values -------------------------------------------------------------- */

static void values_of_any_size_replace_each_other(void **state)
{
    struct keyspace *k = *state;
    static const size_t sizes[] = { 0,    1,     7,     23,    24,  25,      40,     1000,
                                    1001, 16383, 16384, 16385, BIG, BIG - 1, 100000, 1 << 20 };
    enum { N = sizeof(sizes) / sizeof(*sizes) };
    for (size_t from = 0; from < N; from++)
        for (size_t to = 0; to < N; to++) {
            assert_true(keyspace_set(k, key_of("k"), bytes_of(filler, sizes[from]), 0));
            assert_true(keyspace_set(k, key_of("k"), bytes_of(filler + 5, sizes[to]), 0));
            assert_value(k, key_of("k"), bytes_of(filler + 5, sizes[to]));
        }
}

static void a_value_of_the_same_class_stays_where_it_is(void **state)
{
    struct keyspace *k = *state;
    assert_true(keyspace_set(k, key_of("key:000000000001"), bytes_of(filler, 32), 0));
    struct item *item = keyspace_find(k, key_of("key:000000000001"));
    assert_true(
        keyspace_set(k, key_of("key:000000000001"), bytes_of(filler + 9, 30), start_ms + 9));
    assert_ptr_equal(keyspace_find(k, key_of("key:000000000001")), item);
    assert_value(k, key_of("key:000000000001"), bytes_of(filler + 9, 30));
    table_validate(&k->db[0]);
}

static void a_value_may_come_from_the_item_itself(void **state)
{
    struct keyspace *k = *state;
    static const size_t sizes[] = { 1, 20, 40, 5000, BIG };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char scratch[INT64_TEXT_MAX];
        struct bytes value = bytes_of(filler, sizes[i]);
        assert_true(keyspace_set(k, key_of("k"), value, 0));
        struct bytes own = item_value(keyspace_find(k, key_of("k")), scratch);
        assert_true(keyspace_set(k, key_of("k"), own, start_ms + 5));
        assert_value(k, key_of("k"), value);
        own = item_value(keyspace_find(k, key_of("k")), scratch);
        assert_true(keyspace_set(k, key_of("copy"), own, 0));
        assert_value(k, key_of("copy"), value);
    }
}

static void a_read_blob_is_never_changed(void **state)
{
    struct keyspace *k = *state;
    struct key key = key_of("big");
    for (int what = 0; what < 4; what++) {
        assert_true(keyspace_set(k, key, bytes_of(filler, BIG), 0));
        struct blob *blob = item_blob(keyspace_find(k, key));
        blob_read(blob);
        if (what == 0)
            assert_true(keyspace_set(k, key, bytes_of(filler + 1, BIG), 0));
        if (what == 1)
            memset(keyspace_resize(k, key, BIG + 10), 'z', BIG + 10);
        if (what == 2)
            assert_true(keyspace_delete(k, key));
        if (what == 3)
            keyspace_flush(k, -1);
        while (is_busy(k))
            ;
        assert_int_equal(blob->owners, 0);
        assert_int_equal(blob->size, BIG);
        assert_memory_equal(blob->data, filler, BIG);
        blob_unread(blob);
    }
}

static void resize_keeps_what_was_there_and_fills_with_zeros(void **state)
{
    struct keyspace *k = *state;
    static const size_t sizes[] = { 0, 1, 5, 40, 300, 16383, 16384, 20000, 1 << 20, 3 << 20 };
    enum { N = sizeof(sizes) / sizeof(*sizes) };
    for (size_t from = 0; from < N; from++)
        for (size_t to = 0; to < N; to++) {
            assert_true(keyspace_set(k, key_of("k"), bytes_of(filler, sizes[from]), start_ms + 1));
            char *data = keyspace_resize(k, key_of("k"), sizes[to]);
            assert_non_null(data);
            size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            assert_memory_equal(data, filler, kept);
            for (size_t i = kept; i < sizes[to]; i++)
                assert_int_equal(data[i], 0);
            struct item *item = keyspace_find(k, key_of("k"));
            assert_int_equal(item_value_size(item), sizes[to]);
            assert_int_equal(item_expire_ms(item), start_ms + 1);
            table_validate(&k->db[0]);
        }
}

static void resize_makes_text_of_an_integer_and_a_key_of_nothing(void **state)
{
    struct keyspace *k = *state;
    assert_true(keyspace_set(k, key_of("n"), bytes_str("12345"), 0));
    char *data = keyspace_resize(k, key_of("n"), 7);
    memcpy(data + 5, "ab", 2);
    assert_value(k, key_of("n"), bytes_str("12345ab"));
    data = keyspace_resize(k, key_of("new"), 3);
    assert_memory_equal(data, "\0\0\0", 3);
    assert_int_equal(k->db[0].count, 2);
}

/* With every move that a TTL coming and going makes. */
static void what_was_resized_is_told_until_it_is_set_again(void **state)
{
    struct keyspace *k = *state;
    static const size_t sizes[] = { 1, 7, 8, 100, BIG };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct key key = key_of("resized");
        assert_true(keyspace_set(k, key, bytes_str("text"), 0));
        assert_false(item_resized(keyspace_find(k, key)));
        assert_non_null(keyspace_resize(k, key, sizes[i]));
        for (int64_t expire_ms = k->now_ms + 1000; expire_ms >= 0;
             expire_ms = expire_ms > 0 ? 0 : -1) {
            assert_true(keyspace_expire(k, key, expire_ms));
            assert_true(item_resized(keyspace_find(k, key)));
        }
        assert_true(i % 2 == 0 ? keyspace_set(k, key, bytes_str("other"), 0)
                               : keyspace_set_int(k, key, 1, 0));
        assert_false(item_resized(keyspace_find(k, key)));
        assert_true(keyspace_delete(k, key));
    }
}

static void appending_moves_the_value_rarely(void **state)
{
    struct keyspace *k = *state;
    unsigned moves = 0;
    const void *before = NULL;
    for (size_t size = 10; size <= 4 << 20; size += 10) {
        char *data = keyspace_resize(k, key_of("log"), size);
        moves += before != data;
        before = data;
        memset(data + size - 10, 'x', 10);
    }
    assert_true(moves < 30);
    assert_true(used_bytes(k) < 7 << 20);
}

static void the_empty_key_and_the_longest_are_keys(void **state)
{
    struct keyspace *k = *state;
    struct bytes name = bytes_of(filler, 1 << 20);
    struct key longest = { .name = name, .hash = hash_key(name) };
    assert_true(keyspace_set(k, key_of(""), bytes_str("empty"), 0));
    assert_true(keyspace_set(k, longest, bytes_str("long"), 0));
    assert_value(k, key_of(""), bytes_str("empty"));
    assert_value(k, longest, bytes_str("long"));
    assert_true(keyspace_delete(k, key_of("")));
    assert_true(keyspace_delete(k, longest));
}

/* ---- flush --------------------------------------------------------------- */

static void a_flush_is_seen_at_once_and_freed_later(void **state)
{
    struct keyspace *k = *state;
    char text[32];
    uint64_t empty = used_bytes(k);
    for (unsigned i = 0; i < 60000; i++) {
        snprintf(text, sizeof(text), "key%u", i);
        assert_true(keyspace_set(k, key_in((uint8_t)(i % 2), text), bytes_of(filler, 50), 0));
    }
    uint64_t full = used_bytes(k);
    keyspace_flush(k, 0);
    assert_null(keyspace_find(k, key_of("key0")));
    assert_non_null(keyspace_find(k, key_in(1, "key1")));
    assert_int_equal(used_bytes(k), full);
    assert_int_equal(counter_get(&stats.lazyfree_pending), 30000);
    keyspace_flush(k, -1);
    keyspace_publish(k);
    assert_int_equal(counter_get(&stats.lazyfree_pending), 60000);
    int calls = 0;
    while (is_busy(k))
        calls++;
    assert_in_range(calls, 1, 1000);
    assert_int_equal(used_bytes(k), empty);
    assert_int_equal(counter_get(&stats.lazyfree_pending), 0);
}

/* ---- WATCH --------------------------------------------------------------- */

static struct watch_mark watch(struct keyspace *k, struct key key)
{
    struct watch_mark mark;
    assert_true(keyspace_watch_add(k, key, &mark));
    return mark;
}

typedef void (*change_fn)(struct keyspace *k, struct key key);

static void by_set(struct keyspace *k, struct key key)
{
    keyspace_set(k, key, bytes_str("y"), 0);
}
static void by_set_int(struct keyspace *k, struct key key)
{
    keyspace_set_int(k, key, 4, 0);
}
static void by_resize(struct keyspace *k, struct key key)
{
    keyspace_resize(k, key, 20);
}
static void by_delete(struct keyspace *k, struct key key)
{
    keyspace_delete(k, key);
}
static void by_expire(struct keyspace *k, struct key key)
{
    keyspace_expire(k, key, start_ms + 100000);
}
static void by_flush(struct keyspace *k, struct key key)
{
    (void)key;
    keyspace_flush(k, 0);
}
static void by_flush_and_set(struct keyspace *k, struct key key)
{
    keyspace_flush(k, -1);
    keyspace_set(k, key, bytes_str("x"), k->now_ms + 10000);
}
static void by_time(struct keyspace *k, struct key key)
{
    (void)key;
    k->now_ms += 20000;
}
static void by_lazy_expiry(struct keyspace *k, struct key key)
{
    k->now_ms += 20000;
    keyspace_find(k, key);
    keyspace_set(k, key, bytes_str("x"), 0);
}
static void by_sweep(struct keyspace *k, struct key key)
{
    (void)key;
    k->now_ms += 20000;
    while (k->db[0].count > 0)
        keyspace_work(k);
}

static void every_change_of_a_live_key_is_noticed(void **state)
{
    struct keyspace *k = *state;
    static const change_fn changes[] = { by_set,         by_set_int, by_resize,        by_delete,
                                         by_expire,      by_flush,   by_flush_and_set, by_time,
                                         by_lazy_expiry, by_sweep };
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct key key = key_of("watched");
        assert_true(keyspace_set(k, key, bytes_str("x"), k->now_ms + 10000));
        struct watch_mark mark = watch(k, key);
        assert_true(mark.live);
        assert_false(keyspace_watch_changed(k, key, mark));
        keyspace_find(k, key);
        keyspace_set(k, key_of("other"), bytes_str("x"), k->now_ms + 5);
        keyspace_set(k, key_in(1, "watched"), bytes_str("x"), 0);
        keyspace_delete(k, key_of("other"));
        keyspace_flush(k, 1);
        assert_false(keyspace_watch_changed(k, key, mark));
        changes[i](k, key);
        assert_true(keyspace_watch_changed(k, key, mark));
        keyspace_watch_remove(k, key);
        assert_int_equal(k->watched, 0);
    }
}

static void what_was_absent_or_expired_is_not_changed_by_reaping_or_flushing(void **state)
{
    struct keyspace *k = *state;
    assert_true(keyspace_set(k, key_of("old"), bytes_str("x"), start_ms + 1));
    assert_true(keyspace_set(k, key_of("bystander"), bytes_str("x"), 0));
    k->now_ms += 10;
    struct watch_mark old = watch(k, key_of("old")), none = watch(k, key_of("none"));
    assert_false(old.live || none.live);
    assert_null(keyspace_find(k, key_of("old")));
    assert_false(keyspace_delete(k, key_of("none")));
    keyspace_work(k);
    keyspace_flush(k, -1);
    assert_false(keyspace_watch_changed(k, key_of("old"), old));
    assert_false(keyspace_watch_changed(k, key_of("none"), none));
    by_set(k, key_of("none"));
    by_delete(k, key_of("none"));
    assert_true(keyspace_watch_changed(k, key_of("none"), none));
    keyspace_watch_remove(k, key_of("old"));
    keyspace_watch_remove(k, key_of("none"));
}

/* ---- the model ----------------------------------------------------------- */

enum { IDS = 3000 };

struct model {
    size_t size[IDS], offset[IDS];
    int64_t expire_ms[IDS];
    bool there[IDS];
};

static void model_reap(struct model *m, int64_t now_ms, unsigned id)
{
    if (m->there[id] && m->expire_ms[id] != 0 && m->expire_ms[id] <= now_ms)
        m->there[id] = false;
}

static size_t any_size(unsigned *seed)
{
    unsigned r = (unsigned)rand_r(seed) % 100;
    unsigned limit = r < 80 ? 100 : r < 97 ? 3000 : 60000;
    return (unsigned)rand_r(seed) % limit;
}

static void step(struct keyspace *k, struct model *m, unsigned *seed)
{
    char text[32];
    unsigned id = (unsigned)rand_r(seed) % IDS, what = (unsigned)rand_r(seed) % 100;
    snprintf(text, sizeof(text), "model:%u", id);
    struct key key = key_in((uint8_t)(id % DATABASES_MAX), text);
    int64_t expire_ms = what % 2 ? 0 : k->now_ms + 1 + rand_r(seed) % 5000;
    model_reap(m, k->now_ms, id);
    if (what < 40) {
        m->size[id] = any_size(seed);
        m->offset[id] = (unsigned)rand_r(seed) % 1000;
        bool keep = what < 10;
        assert_true(keyspace_set(k, key, bytes_of(filler + m->offset[id], m->size[id]),
                                 keep ? KEYSPACE_KEEP_TTL : expire_ms));
        m->expire_ms[id] = !keep ? expire_ms : m->there[id] ? m->expire_ms[id] : 0;
        m->there[id] = true;
    } else if (what < 55) {
        assert_int_equal(keyspace_delete(k, key), m->there[id]);
        m->there[id] = false;
    } else if (what < 65 && m->there[id]) {
        assert_true(keyspace_expire(k, key, expire_ms));
        m->expire_ms[id] = expire_ms;
    } else if (what < 75 && m->there[id]) {
        size_t before = m->size[id], size = any_size(seed);
        char *data = keyspace_resize(k, key, size);
        if (size > before)
            memcpy(data + before, filler + m->offset[id] + before, size - before);
        m->size[id] = size;
    } else {
        struct item *item = keyspace_read(k, key);
        assert_int_equal(item != NULL, m->there[id]);
        if (item != NULL) {
            assert_value(k, key, bytes_of(filler + m->offset[id], m->size[id]));
            assert_int_equal(item_expire_ms(item), m->expire_ms[id]);
        }
    }
}

static void it_agrees_with_the_model(void **state)
{
    struct keyspace *k = *state;
    struct model *m = calloc(1, sizeof(*m));
    unsigned seed = test_seed();
    for (int i = 0; i < 150 * 1000; i++) {
        step(k, m, &seed);
        if (i % 20 == 0)
            k->now_ms += rand_r(&seed) % 5;
        if (i % 200 == 0)
            keyspace_work(k);
        if (i % 40000 == 39999) {
            keyspace_flush(k, -1);
            memset(m->there, 0, sizeof(m->there));
        }
        if (i % 10000 == 0)
            for (int db = 0; db < DATABASES_MAX; db++)
                table_validate(&k->db[db]);
    }
    free(m);
}

#define IN_KEYSPACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEYSPACE(hits_and_misses_are_counted_for_reads_only),
        IN_KEYSPACE(a_key_expires_to_the_millisecond),
        IN_KEYSPACE(a_ttl_is_kept_replaced_or_removed_by_a_write),
        IN_KEYSPACE(an_expiry_can_be_set_and_removed_at_every_size),
        IN_KEYSPACE(the_sweep_reclaims_everything_and_then_rests),
        IN_KEYSPACE(an_expiry_storm_is_freed_in_slices_within_a_second),
        IN_KEYSPACE(values_of_any_size_replace_each_other),
        IN_KEYSPACE(a_value_of_the_same_class_stays_where_it_is),
        IN_KEYSPACE(a_value_may_come_from_the_item_itself),
        IN_KEYSPACE(a_read_blob_is_never_changed),
        IN_KEYSPACE(resize_keeps_what_was_there_and_fills_with_zeros),
        IN_KEYSPACE(resize_makes_text_of_an_integer_and_a_key_of_nothing),
        IN_KEYSPACE(what_was_resized_is_told_until_it_is_set_again),
        IN_KEYSPACE(appending_moves_the_value_rarely),
        IN_KEYSPACE(the_empty_key_and_the_longest_are_keys),
        IN_KEYSPACE(a_flush_is_seen_at_once_and_freed_later),
        IN_KEYSPACE(every_change_of_a_live_key_is_noticed),
        IN_KEYSPACE(what_was_absent_or_expired_is_not_changed_by_reaping_or_flushing),
        IN_KEYSPACE(it_agrees_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
