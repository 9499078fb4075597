/*
 * test_defrag.c - slabs that are mostly empty go back, whatever is in them can still be read, and
 * nothing runs when there is nothing to do.
 *
 * Without jemalloc nothing can move: then most are skipped, and the model test runs without moves.
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

enum { KEYS = 300000, MODEL_KEYS = 6000, VALUE_MAX = 20000, PASSES_MAX = 8 };
/* A slice, and what is done between two looks at the clock: 16 buckets, all items of which move. */
enum { SLICE_NS = 50 * 1000, STEP_NS = 16 * 12 * (WORK_BLOCK_NS + WORK_MOVE_NS) };

static const int64_t start_ms = 1750000000000;
static struct arena *arena;
static struct keyspace *keyspace;
static struct keyspace_stats stats;
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static int setup(void **state)
{
    (void)state;
    random_state = (uint64_t)time(NULL) * 2654435761 | 1;
    print_message("seed %lu\n", (unsigned long)random_state);
    stats = (struct keyspace_stats){ 0 };
    arena = arena_new();
    keyspace = keyspace_new(arena, &stats);
    keyspace->now_ms = start_ms;
    keyspace->defrag.limits = (struct defrag_limits){
        .on = true,
        .lower_percent = 10,
        .ignore_bytes = 100 * 1000,
        .cycle_percent = 5,
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keyspace_free(&keyspace);
    arena_free_all(&arena);
    return 0;
}

static void need_slabs(void)
{
    if (keyspace->defrag._slabs != NULL)
        return;
    print_message("skipped: this build's allocator says nothing about its slabs\n");
    skip();
}

/* ---- keys whose value can be told from their number and size ------------- */

static struct key key_of(uint64_t id, char text[32])
{
    struct key key = { .db = (uint8_t)(id % 3) };
    key.name = bytes_of(text, (size_t)snprintf(text, 32, "key:%lu", (unsigned long)id));
    key.hash = hash_key(key.name);
    return key;
}

static struct bytes value_of(uint64_t id, size_t size)
{
    static char value[VALUE_MAX];
    for (size_t i = 0; i < size; i += 7)
        value[i] = (char)('a' + (id + i) % 23);
    return bytes_of(value, size);
}

static void set(uint64_t id, size_t size, int64_t expire_ms)
{
    char text[32];
    assert_true(keyspace_set(keyspace, key_of(id, text), value_of(id, size), expire_ms));
}

static bool holds(uint64_t id, size_t size)
{
    char text[32], scratch[INT64_TEXT_MAX];
    const struct item *item = keyspace_find(keyspace, key_of(id, text));
    if (item == NULL || item_value_size(item) != size)
        return false;
    const char *got = item_value(item, scratch).data;
    for (size_t i = 0; i < size; i += 7)
        if (got[i] != (char)('a' + (id + i) % 23))
            return false;
    return true;
}

static bool drop(uint64_t id)
{
    char text[32];
    return keyspace_delete(keyspace, key_of(id, text));
}

static size_t small_size(uint64_t id)
{
    return 20 + id * 2654435761 % 61;
}

/* One key of eight stays. */
static void leave_holes(void)
{
    for (uint64_t id = 0; id < KEYS; id++)
        set(id, small_size(id), 0);
    for (uint64_t id = 0; id < KEYS; id++)
        if (id % 8 != 3)
            assert_true(drop(id));
}

static void holes_are_left(void)
{
    for (uint64_t id = 0; id < KEYS; id++)
        assert_int_equal(holds(id, small_size(id)), id % 8 == 3);
    for (int db = 0; db < 3; db++)
        table_validate(&keyspace->db[db]);
}

static double waste(void)
{
    struct slab_totals totals = slabs_totals(keyspace->defrag._slabs);
    return (double)totals.wasted_bytes / (double)totals.allocated_bytes;
}

/* ---- what moves ---------------------------------------------------------- */

static void slabs_that_are_mostly_empty_go_back(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    uint64_t active = arena_active_bytes(keyspace->arena);
    uint64_t used = keyspace_used(keyspace);
    assert_true(waste() > .5);
    for (int pass = 0; pass < PASSES_MAX && waste() > .05; pass++)
        assert_true(defrag_run(keyspace, UINT64_MAX));
    print_message("%.3f of the bytes lie idle\n", waste());
    assert_true(waste() <= .05);
    assert_true(arena_active_bytes(keyspace->arena) < active / 2);
    assert_int_equal(keyspace_used(keyspace), used);
    holes_are_left();
}

static void a_pass_can_be_made_in_small_parts(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    uint64_t parts = 1, buckets = 0, looked = 0;
    for (int db = 0; db < 3; db++)
        buckets += table_bucket_count(&keyspace->db[db]);
    while (!defrag_run(keyspace, 5))
        parts++;
    assert_in_range(parts, buckets / 5, buckets / 5 + 3);
    looked = keyspace->defrag.figures.items_moved + keyspace->defrag.figures.items_left;
    assert_int_equal(looked, keyspace_count(keyspace)); /* each item once */
    holes_are_left();
}

/* Children of long chains lie in slabs too. */
static void chained_buckets_move(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    const struct defrag_figures *figures = &keyspace->defrag.figures;
    for (int pass = 0; pass < 3; pass++)
        defrag_run(keyspace, UINT64_MAX);
    assert_true(figures->moved > figures->items_moved);
    holes_are_left();
}

static void the_policy_bits_stay(void **state)
{
    (void)state;
    char text[32];
    need_slabs();
    keyspace->policy = evict_policy_find("allkeys-s3fifo");
    leave_holes();
    set(3, small_size(3), start_ms + 5000);
    for (int i = 0; i < 2; i++)
        assert_true(holds(3, small_size(3)));
    int freq = keyspace_freq(keyspace, key_of(3, text));
    assert_true(freq > 0);
    struct key key = key_of(3, text);
    const struct item *before = keyspace_find(keyspace, key);
    freq = keyspace_freq(keyspace, key);
    for (int pass = 0; pass < PASSES_MAX && keyspace_find(keyspace, key) == before; pass++) {
        defrag_run(keyspace, UINT64_MAX);
        freq = keyspace_freq(keyspace, key);
    }
    assert_int_equal(keyspace_freq(keyspace, key), freq);
    assert_int_equal(item_expire_ms(keyspace_find(keyspace, key)), start_ms + 5000);
    assert_int_equal(keyspace->db[key.db].expires, 1);
    table_validate(&keyspace->db[key.db]);
    keyspace->now_ms += 5000;
    assert_null(keyspace_find(keyspace, key));
}

/* Only the item around it moves: a reply may be read from it at the moment. */
static void a_large_value_stays_where_it_is(void **state)
{
    (void)state;
    char text[32];
    need_slabs();
    for (uint64_t id = 0; id < 1000; id++)
        set(KEYS + id, BLOB_BYTES_MIN + id, 0);
    leave_holes();
    struct key key = key_of(KEYS + 17, text);
    struct blob *blob = item_blob(keyspace_find(keyspace, key));
    blob_read(blob);
    for (int pass = 0; pass < 3; pass++)
        defrag_run(keyspace, UINT64_MAX);
    assert_ptr_equal(item_blob(keyspace_find(keyspace, key)), blob);
    assert_true(blob_shared(blob));
    for (uint64_t id = 0; id < 1000; id++)
        assert_true(holds(KEYS + id, BLOB_BYTES_MIN + id));
    assert_true(drop(KEYS + 17));
    assert_int_equal(blob->size, BLOB_BYTES_MIN + 17);
    blob_unread(blob);
    holes_are_left();
}

static void a_watched_key_has_not_changed(void **state)
{
    (void)state;
    char text[32];
    struct watch_mark mark;
    need_slabs();
    leave_holes();
    struct key key = key_of(11, text);
    assert_true(keyspace_watch_add(keyspace, key, &mark));
    for (int pass = 0; pass < 3; pass++)
        defrag_run(keyspace, UINT64_MAX);
    assert_false(keyspace_watch_changed(keyspace, key, mark));
    keyspace_watch_remove(keyspace, key);
}

/* ---- when ---------------------------------------------------------------- */

/* Calls it when it wants to be called; milliseconds until it asks for nothing any more. `rested_ns`
 * is what it had spent before the last slice, after which nothing waits. */
static int64_t work_until_quiet(uint64_t *slices, uint64_t *rested_ns)
{
    int64_t wait_ms, spent_ms = 0;
    uint64_t begun_ns = work_ns;
    while ((wait_ms = defrag_work(keyspace)) >= 0) {
        assert_in_range(work_ns - begun_ns, 0, SLICE_NS + STEP_NS);
        keyspace->now_ms += wait_ms;
        spent_ms += wait_ms;
        *rested_ns = keyspace->defrag.figures.ns;
        ++*slices;
        assert_true(spent_ms < 1000 * 1000);
        begun_ns = work_ns;
    }
    return spent_ms;
}

static void it_works_in_slices_within_its_share(void **state)
{
    (void)state;
    uint64_t slices = 0, rested_ns = 0;
    need_slabs();
    leave_holes();
    assert_true(waste() > .5);
    int64_t spent_ms = work_until_quiet(&slices, &rested_ns);
    assert_true(slices > 10);
    assert_true(waste() < .1);
    assert_false(keyspace->defrag.running);
    uint64_t ns = keyspace->defrag.figures.ns;
    double share = (double)rested_ns / (double)((spent_ms + 1) * 1000000);
    print_message("%lu slices, %.4f of a CPU\n", (unsigned long)slices, share);
    assert_true(share > .04 && share <= .05);
    keyspace_publish(keyspace);
    assert_int_equal(counter_get(&stats.defrag_items_moved), keyspace->defrag.figures.items_moved);
    assert_int_equal(counter_get(&stats.defrag_ns), ns);
    keyspace_reset_stats(keyspace);
    assert_int_equal(counter_get(&stats.defrag_items_moved), 0);
    holes_are_left();
}

static void it_does_not_run_before_its_time(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    int64_t wait_ms = defrag_work(keyspace);
    assert_true(wait_ms > 0 && keyspace->defrag.running);
    uint64_t looked = keyspace->defrag.figures.left + keyspace->defrag.figures.moved;
    assert_true(looked > 0);
    assert_int_equal(defrag_work(keyspace), wait_ms);
    assert_int_equal(keyspace->defrag.figures.left + keyspace->defrag.figures.moved, looked);
    keyspace->now_ms += wait_ms;
    defrag_work(keyspace);
    assert_true(keyspace->defrag.figures.left + keyspace->defrag.figures.moved > looked);
}

static void nothing_runs_when_nothing_is_to_be_gained(void **state)
{
    (void)state;
    assert_int_equal(defrag_work(keyspace), -1); /* empty */
    for (uint64_t id = 0; id < KEYS; id++)
        set(id, small_size(id), 0);
    assert_int_equal(keyspace_work(keyspace), -1);
    assert_int_equal(keyspace->defrag.figures.left, 0);
}

static void it_is_off_when_told_so(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    keyspace->defrag.limits.on = false;
    assert_int_equal(keyspace_work(keyspace), -1);
    keyspace->defrag.limits.on = true;
    assert_true(defrag_work(keyspace) > 0);
    keyspace->defrag.limits.on = false; /* in the middle of a pass */
    assert_int_equal(keyspace_work(keyspace), -1);
    assert_false(keyspace->defrag.running);
    assert_int_equal(keyspace->defrag.figures.moved + keyspace->defrag.figures.left > 0, 1);
}

static void what_may_be_ignored_is(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    keyspace->defrag.limits.ignore_bytes = (uint64_t)1 << 30;
    assert_int_equal(defrag_work(keyspace), -1);
    keyspace->defrag.limits.ignore_bytes = 1;
    keyspace->defrag.limits.lower_percent = 1000;
    assert_int_equal(defrag_work(keyspace), -1);
    keyspace->defrag.limits.lower_percent = 50;
    assert_true(defrag_work(keyspace) > 0);
}

/* Pages that lie idle for another reason: it looks again ever more seldom, and never by itself. */
static void what_cannot_be_moved_is_left_alone(void **state)
{
    (void)state;
    need_slabs();
    static void *foreign[40000];
    set(1, 50, 0);
    for (int i = 0; i < 40000; i++)
        foreign[i] = slabs_alloc(keyspace->defrag._slabs, 500);
    for (int i = 0; i < 40000; i++)
        if (i % 8 != 0)
            slabs_release(keyspace->defrag._slabs, foreign[i], 500);
    uint64_t slices = 0, rested_ns;
    work_until_quiet(&slices, &rested_ns);
    assert_true(slices < 10);
    assert_true(waste() > .5);
    uint64_t looked = keyspace->defrag.figures.left;
    for (int ms = 0; ms < 30 * 1000; ms += 100) { /* clients are busy, but nothing changes */
        keyspace->now_ms += 100;
        assert_true(defrag_work(keyspace) < 1000 * 1000);
    }
    assert_true(keyspace->defrag.figures.left - looked < 10);
    for (int i = 0; i < 40000; i += 8)
        slabs_release(keyspace->defrag._slabs, foreign[i], 500);
}

static void the_sweep_keeps_its_own_time(void **state)
{
    (void)state;
    need_slabs();
    leave_holes();
    for (uint64_t id = 0; id < 100; id++)
        set(KEYS + id, 20, start_ms + 2000);
    int64_t end_ms = start_ms + 5000, wait_ms;
    while (keyspace->now_ms < end_ms && (wait_ms = keyspace_work(keyspace)) >= 0)
        keyspace->now_ms += wait_ms > 0 ? wait_ms : 1;
    for (int db = 0; db < 3; db++)
        assert_int_equal(keyspace->db[db].expires, 0);
    assert_true(waste() < .1);
}

/* ---- a model ------------------------------------------------------------- */

struct model {
    bool there;
    size_t size;
};

static size_t any_size(void)
{
    static const size_t below[] = { 30, 30, 100, 100, 300, 1000, 15000, VALUE_MAX };
    return draw(below[draw(8)]);
}

static void change(struct model *model, uint64_t id)
{
    switch (draw(8)) {
    case 0:
    case 1:
        if (model[id].there)
            assert_true(drop(id));
        model[id].there = false;
        return;
    case 2: /* a stretch of neighbours goes, so that slabs empty */
        for (uint64_t i = id; i < id + 100 && i < MODEL_KEYS; i++)
            if (model[i].there) {
                assert_true(drop(i));
                model[i].there = false;
            }
        return;
    default:
        model[id] = (struct model){ true, any_size() };
        set(id, model[id].size, draw(4) == 0 ? start_ms + 1000000 : 0);
    }
}

static void random_changes_with_moves_between(void **state)
{
    (void)state;
    static struct model model[MODEL_KEYS];
    memset(model, 0, sizeof(model));
    for (int step = 0; step < 60000; step++) {
        change(model, draw(MODEL_KEYS));
        if (draw(10) == 0)
            defrag_run(keyspace, draw(200));
        uint64_t id = draw(MODEL_KEYS);
        assert_int_equal(holds(id, model[id].size), model[id].there);
    }
    defrag_run(keyspace, UINT64_MAX);
    for (uint64_t id = 0; id < MODEL_KEYS; id++)
        assert_int_equal(holds(id, model[id].size), model[id].there);
    for (int db = 0; db < 3; db++)
        table_validate(&keyspace->db[db]);
    assert_true(keyspace->defrag.figures.moved > 0 || keyspace->defrag._slabs == NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slabs_that_are_mostly_empty_go_back),
        TEST(a_pass_can_be_made_in_small_parts),
        TEST(chained_buckets_move),
        TEST(the_policy_bits_stay),
        TEST(a_large_value_stays_where_it_is),
        TEST(a_watched_key_has_not_changed),
        TEST(it_works_in_slices_within_its_share),
        TEST(it_does_not_run_before_its_time),
        TEST(nothing_runs_when_nothing_is_to_be_gained),
        TEST(it_is_off_when_told_so),
        TEST(what_may_be_ignored_is),
        TEST(what_cannot_be_moved_is_left_alone),
        TEST(the_sweep_keeps_its_own_time),
        TEST(random_changes_with_moves_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
