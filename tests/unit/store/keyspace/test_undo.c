/*
 * test_undo.c - random changes that are taken back leave the keyspace as it was, whatever was kept,
 * deleted, flushed or refused for want of memory; those that stand are all there.
 */
#include "shoal/base/hash.h"
#include "shoal/store/keyspace/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

enum { KEYS = 60, DBS = 2, BIG = 2 * BLOB_BYTES_MIN, ROUNDS = 3000 };
static const int64_t start_ms = 1750000000000;

static struct keyspace_stats stats;
static struct arena *arena;
static struct random random_state;
static char filler[BIG + 1];

/* ---- memory that runs out ---------------------------------------------------- */

static uint32_t fails_in; /* allocations until one fails; 0: none does */

static bool fails(void)
{
    return fails_in > 0 && --fails_in == 0;
}

void *__real_arena_alloc(struct arena *a, size_t size);
void *__real_arena_alloc_aligned(struct arena *a, size_t size, size_t align);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_arena_alloc(struct arena *a, size_t size);
void *__wrap_arena_alloc_aligned(struct arena *a, size_t size, size_t align);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_arena_alloc(struct arena *a, size_t size)
{
    return fails() ? NULL : __real_arena_alloc(a, size);
}

void *__wrap_arena_alloc_aligned(struct arena *a, size_t size, size_t align)
{
    return fails() ? NULL : __real_arena_alloc_aligned(a, size, align);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* ---- what there is ----------------------------------------------------------- */

struct seen {
    bool exists;
    int64_t expire_ms;
    uint64_t hash;
    size_t size;
    enum item_encoding encoding;
};

static uint32_t draw(uint32_t below)
{
    return (uint32_t)random_below(&random_state, below);
}

static struct key key_of(uint8_t db, uint32_t id, char name[32])
{
    int size = snprintf(name, 32, "key:%u", id);
    struct bytes bytes = bytes_of(name, (size_t)size);
    return (struct key){ bytes, hash_key(bytes), db };
}

static struct seen see(struct keyspace *k, uint8_t db, uint32_t id)
{
    char name[32], scratch[INT64_TEXT_MAX];
    struct key key = key_of(db, id, name);
    const struct item *item = table_find(&k->db[db], key.name, key.hash);
    if (item == NULL)
        return (struct seen){ 0 };
    struct bytes value = item_value(item, scratch);
    return (struct seen){ true, item_expire_ms(item), hash_key(value), value.size,
                          item_encoding(item) };
}

static void see_all(struct keyspace *k, struct seen seen[DBS][KEYS])
{
    for (uint8_t db = 0; db < DBS; db++)
        for (uint32_t id = 0; id < KEYS; id++)
            seen[db][id] = see(k, db, id);
}

static void assert_as_seen(struct keyspace *k, struct seen seen[DBS][KEYS])
{
    struct seen now[DBS][KEYS];
    see_all(k, now);
    for (uint8_t db = 0; db < DBS; db++) {
        uint64_t count = 0;
        for (uint32_t id = 0; id < KEYS; id++) {
            const struct seen *a = &seen[db][id], *b = &now[db][id];
            assert_int_equal(a->exists, b->exists);
            assert_int_equal(a->expire_ms, b->expire_ms);
            assert_int_equal(a->size, b->size);
            assert_int_equal(a->encoding, b->encoding);
            assert_true(a->hash == b->hash);
            count += b->exists;
        }
        assert_int_equal(k->db[db].count, count);
        table_validate(&k->db[db]);
    }
}

/* ---- random changes ------------------------------------------------------------ */

static int64_t some_expire(void)
{
    return draw(2) ? 0 : start_ms + 1 + draw(100000);
}

static size_t some_size(void)
{
    return draw(8) == 0 ? BIG - draw(1000) : draw(200);
}

static void move_or_copy(struct keyspace *k, struct key from)
{
    char name[32];
    uint8_t db = (uint8_t)draw(DBS);
    struct key to = key_of(db, draw(KEYS / 2) * 2, name);
    bool same = db == from.db && bytes_equal(from.name, to.name);
    if (same || keyspace_find(k, from) == NULL)
        return;
    if (draw(2))
        keyspace_move(k, from, to);
    else
        keyspace_copy(k, from, to);
}

static void change(struct keyspace *k, uint8_t db, uint32_t id)
{
    char name[32];
    struct key key = key_of(db, id, name);
    switch (draw(10)) {
    case 0:
    case 1:
        keyspace_set(k, key, bytes_of(filler + draw(2), some_size()), some_expire());
        break;
    case 2:
        keyspace_set_int(k, key, (int64_t)draw(1000000), some_expire());
        break;
    case 3: {
        size_t size = some_size() + 1;
        char *data = keyspace_resize(k, key, size);
        if (data != NULL)
            data[draw((uint32_t)size)] = 'X';
        break;
    }
    case 4:
    case 5:
        keyspace_delete(k, key);
        break;
    case 6:
        if (keyspace_find(k, key) != NULL)
            keyspace_expire(k, key, some_expire());
        break;
    case 7:
    case 8:
        move_or_copy(k, key);
        break;
    default:
        if (draw(10) == 0)
            keyspace_swap(k, 0, 1);
        else if (draw(20) == 0)
            keyspace_flush(k, draw(2) ? (int)db : -1);
    }
}

static struct keyspace *keyspace_some(void)
{
    struct keyspace *k = keyspace_new(arena, &stats);
    k->now_ms = start_ms;
    for (uint8_t db = 0; db < DBS; db++)
        for (uint32_t id = 0; id < KEYS; id += 1 + draw(3))
            change(k, db, id);
    return k;
}

static int set_up(void **state)
{
    hash_seed();
    random_seed(&random_state, test_seed());
    for (size_t i = 0; i < sizeof(filler); i++)
        filler[i] = (char)('a' + i % 23);
    arena = arena_new();
    *state = keyspace_some();
    return 0;
}

static int tear_down(void **state)
{
    struct keyspace *keyspace = *state;
    keyspace_free(&keyspace);
    arena_free_all(&arena);
    return 0;
}

/* Some rounds of changes of keys with an even id, which it holds; between them others change. */
static struct undo *change_some(struct keyspace *k, struct seen before[DBS][KEYS], bool others)
{
    struct undo *undo = undo_new(k);
    if (undo == NULL)
        return NULL;
    for (uint32_t round = draw(3) + 1; round > 0; round--) {
        undo_open(k, undo);
        for (uint32_t i = draw(30); i > 0; i--)
            change(k, (uint8_t)draw(DBS), draw(KEYS / 2) * 2);
        undo_close(k);
        for (uint32_t i = others ? draw(10) : 0; i > 0; i--) {
            uint8_t db = (uint8_t)draw(DBS);
            uint32_t id = draw(KEYS / 2) * 2 + 1;
            char name[32];
            keyspace_set(k, key_of(db, id, name), bytes_of(filler, draw(100)), 0);
            before[db][id] = see(k, db, id);
        }
    }
    return undo;
}

/* ---- tests --------------------------------------------------------------------- */

static void what_is_taken_back_was_never_there(void **state)
{
    struct keyspace *k = *state;
    struct seen before[DBS][KEYS];
    for (int i = 0; i < ROUNDS; i++) {
        see_all(k, before);
        struct undo *undo = change_some(k, before, false);
        assert_false(undo_failed(undo));
        if (draw(4) == 0) {
            undo_commit(k, &undo);
            see_all(k, before);
        } else {
            undo_revert(k, &undo);
        }
        assert_as_seen(k, before);
        keyspace_drain(k, UINT64_MAX);
    }
}

/* A flush would take the others' keys too; the whole shard is held then. */
static void what_others_changed_meanwhile_stays(void **state)
{
    struct keyspace *k = *state;
    struct seen before[DBS][KEYS];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t changes = k->_changes;
        see_all(k, before);
        struct undo *undo = undo_new(k);
        undo_open(k, undo);
        for (uint32_t n = draw(30); n > 0; n--) {
            char name[32];
            struct key key = key_of((uint8_t)draw(DBS), draw(KEYS / 2) * 2, name);
            if (draw(2))
                keyspace_delete(k, key);
            else
                keyspace_set(k, key, bytes_of(filler, some_size()), some_expire());
        }
        undo_close(k);
        for (uint32_t id = 1; id < KEYS; id += 2) {
            char name[32];
            keyspace_set(k, key_of(0, id, name), bytes_of(filler, draw(100)), 0);
            before[0][id] = see(k, 0, id);
        }
        undo_revert(k, &undo);
        assert_as_seen(k, before);
        assert_true(k->_changes > changes);
    }
}

static void memory_that_runs_out_takes_nothing_along(void **state)
{
    struct keyspace *k = *state;
    struct seen before[DBS][KEYS];
    uint32_t failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        see_all(k, before);
        fails_in = draw(60) + 1;
        struct undo *undo = change_some(k, before, false);
        fails_in = 0;
        if (undo == NULL) {
            assert_as_seen(k, before);
            continue;
        }
        failed += undo_failed(undo);
        fails_in = 1; /* taking back needs none */
        undo_revert(k, &undo);
        assert_true(fails_in <= 1);
        fails_in = 0;
        assert_as_seen(k, before);
        keyspace_drain(k, UINT64_MAX);
        if (k->db[0].count + k->db[1].count < KEYS / 4)
            for (uint32_t id = 0; id < KEYS; id++)
                change(k, id % DBS, id);
    }
    assert_true(failed > 0);
}

static void a_watched_key_has_changed_though_it_is_as_before(void **state)
{
    struct keyspace *k = *state;
    char name[32];
    struct key key = key_of(0, 2, name);
    struct watch_mark mark;
    assert_true(keyspace_set(k, key, bytes_of("v", 1), 0));
    assert_true(keyspace_watch_add(k, key, &mark));
    struct undo *undo = undo_new(k);
    undo_open(k, undo);
    keyspace_delete(k, key);
    undo_close(k);
    undo_revert(k, &undo);
    assert_true(keyspace_watch_changed(k, key, mark));
    keyspace_watch_remove(k, key);
}

/* Its name takes no byte, and is compared like others when it changes again. */
static void the_empty_key_is_like_others(void **state)
{
    struct keyspace *k = *state;
    struct key key = { .name = bytes_of("", 0), .hash = hash_key(bytes_of("", 0)) };
    struct undo *undo = undo_new(k);
    undo_open(k, undo);
    assert_true(keyspace_set(k, key, bytes_of("1", 1), 0));
    assert_true(keyspace_set(k, key, bytes_of("2", 1), 0));
    undo_close(k);
    undo_revert(k, &undo);
    assert_null(keyspace_find(k, key));
}

static void nothing_stays_allocated(void **state)
{
    struct keyspace *k = *state;
    for (int round = 0; round < 2; round++) {
        struct undo *undo = undo_new(k);
        undo_open(k, undo);
        for (uint32_t id = 0; id < KEYS; id++)
            change(k, 0, id);
        undo_close(k);
        if (round == 0)
            undo_commit(k, &undo);
        else
            undo_revert(k, &undo);
        assert_null(undo);
        assert_int_equal(k->_undo_count, 0);
        assert_int_equal(k->observed, 0);
    }
}

int main(void)
{
#define WITH_KEYSPACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_KEYSPACE(what_is_taken_back_was_never_there),
        WITH_KEYSPACE(what_others_changed_meanwhile_stays),
        WITH_KEYSPACE(memory_that_runs_out_takes_nothing_along),
        WITH_KEYSPACE(a_watched_key_has_changed_though_it_is_as_before),
        WITH_KEYSPACE(the_empty_key_is_like_others),
        WITH_KEYSPACE(nothing_stays_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
