/*
 * test_table_walk.c - SCAN, random items, the expiry sweep and draining, under growth and shrinking.
 */
#include "unit/store/table/table_model.h"

#include <math.h>

/* ---- SCAN ------------------------------------------------------------------ */

struct seen {
    struct table_model *m;
    uint8_t *times; /* by key id, through the value's text */
};

static void see(void *context, struct item *item, uint64_t unused)
{
    struct seen *seen = context;
    char scratch[INT64_TEXT_MAX], text[64];
    struct bytes value = item_value(item, scratch);
    unsigned version, id;
    (void)unused;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    assert_int_equal(sscanf(text, "value %u of key %u", &version, &id), 2);
    seen->times[id] += seen->times[id] < 255;
}

/* Keys with an even id stay throughout; the odd ones come and go and make the table grow or
 * shrink. */
static void scan_while(struct table_model *m, unsigned put_percent, unsigned per_step)
{
    struct seen seen = { m, calloc(IDS, 1) };
    uint64_t cursor = 0, steps = 0;
    do {
        cursor = table_scan(&m->table, cursor, see, &seen);
        for (unsigned i = 0; i < per_step; i++) {
            uint64_t r = random_next(&m->random);
            uint32_t id = ((uint32_t)(r >> 32) % (IDS / 2)) * 2 + 1;
            if (r % 100 < put_percent)
                model_put(m, id, 3, 0);
            else
                model_drop(m, id);
        }
        assert_true(++steps < 1000 * 1000);
    } while (cursor != 0);
    for (uint32_t id = 0; id < IDS; id += 2)
        assert_true(m->value[id] == 0 || seen.times[id] > 0);
    free(seen.times);
}

static void scan_returns_what_stays_under_growth_and_shrinking(void **state)
{
    struct table_model *m = *state;
    for (uint32_t id = 0; id < 2000; id += 2)
        model_put(m, id, 1, 0);
    uint64_t small = table_bucket_count(&m->table);
    scan_while(m, 100, 200);
    assert_true(table_bucket_count(&m->table) > 20 * small);
    scan_while(m, 0, 30);
    scan_while(m, 50, 20);
    scan_while(m, 0, 300);
    scan_while(m, 90, 3);
    scan_while(m, 2, 1000);
    table_validate(&m->table);
}

static void scan_of_an_unchanged_table_returns_each_once(void **state)
{
    struct table_model *m = *state;
    for (uint32_t id = 0; id < 5000; id++)
        model_put(m, id, 1, 0);
    struct seen seen = { m, calloc(IDS, 1) };
    uint64_t cursor = 0, steps = 0;
    do {
        cursor = table_scan(&m->table, cursor, see, &seen);
        steps++;
    } while (cursor != 0);
    for (uint32_t id = 0; id < 5000; id++)
        assert_int_equal(seen.times[id], 1);
    assert_true(steps <= table_bucket_count(&m->table));
    free(seen.times);
}

static void scan_takes_any_cursor(void **state)
{
    struct table_model *m = *state;
    for (uint32_t id = 0; id < 1000; id++)
        model_put(m, id, 1, 0);
    struct seen seen = { m, calloc(IDS, 1) };
    static const uint64_t odd[] = { UINT64_MAX, (uint64_t)1 << 63, 12345678901234567, 1 };
    for (size_t i = 0; i < 4; i++) {
        uint64_t cursor = odd[i], steps = 0;
        do
            cursor = table_scan(&m->table, cursor, see, &seen);
        while (cursor != 0 && ++steps < 100000);
        assert_int_equal(cursor, 0);
    }
    free(seen.times);
}

/* ---- a random item --------------------------------------------------------- */

static uint32_t draw_id(struct table_model *m)
{
    char scratch[INT64_TEXT_MAX], text[64] = "";
    const struct item *item = table_random(&m->table, &m->random, m->table.now_ms);
    unsigned version, id;
    assert_non_null(item);
    struct bytes value = item_value(item, scratch);
    memcpy(text, value.data, value.size);
    assert_int_equal(sscanf(text, "value %u of key %u", &version, &id), 2);
    return id;
}

/* The `live` keys from `first` on are drawn, and each as often as chance has it: chi-square, whose
 * mean is one less than the number of keys and whose variance twice that. */
static void expect_uniform(struct table_model *m, uint32_t first, uint32_t live)
{
    enum { DRAWS_A_KEY = 100 };
    unsigned *hits = calloc(live, sizeof(*hits));
    double chi_square = 0, mean = live - 1.0;
    for (uint32_t i = 0; i < live * DRAWS_A_KEY; i++) {
        uint32_t id = draw_id(m);
        assert_in_range(id, first, first + live - 1);
        hits[id - first]++;
    }
    for (uint32_t i = 0; i < live; i++) {
        double off = (double)hits[i] - DRAWS_A_KEY;
        chi_square += off * off / DRAWS_A_KEY;
    }
    print_message("%u keys of %lu in %lu buckets: chi-square %.0f\n", live,
                  (unsigned long)m->table.count, (unsigned long)table_bucket_count(&m->table),
                  chi_square);
    assert_true(chi_square < mean + 7 * sqrt(2 * mean) + 20); /* once in ten million runs */
    free(hits);
}

static void random_items_are_uniform(void **state)
{
    struct table_model *m = *state;
    uint32_t id = 0;
    static const uint32_t sizes[] = { 2, 10, 40, 100, 500, 3000 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (; id < sizes[i]; id++)
            model_put(m, id, 1, 0);
        expect_uniform(m, 0, id);
    }
    while (id > 20)
        model_drop(m, --id);
    expect_uniform(m, 0, id);
}

/* The expired are still in the table: between many live ones, few, and a single one. */
static void random_items_are_live_and_uniform(void **state)
{
    struct table_model *m = *state;
    enum { LIVE = 300, EXPIRED = 20 * 1000 };
    for (uint32_t id = 0; id < LIVE; id++)
        model_put(m, id, 1, id % 2 ? 0 : m->table.now_ms + 1000);
    for (uint32_t id = LIVE; id < LIVE + 300; id++)
        model_put(m, id, 1, m->table.now_ms);
    expect_uniform(m, 0, LIVE);
    for (uint32_t id = LIVE + 300; id < LIVE + EXPIRED; id++)
        model_put(m, id, 1, m->table.now_ms);
    expect_uniform(m, 0, LIVE);
    for (uint32_t id = 15; id < LIVE; id++)
        model_drop(m, id);
    expect_uniform(m, 0, 15);
    for (uint32_t id = 1; id < 15; id++)
        model_drop(m, id);
    for (int i = 0; i < 50; i++)
        assert_int_equal(draw_id(m), 0);
    model_drop(m, 0);
    assert_null(table_random(&m->table, &m->random, m->table.now_ms));
}

/* ---- the sweep ------------------------------------------------------------- */

static bool on_expired(void *context, struct item *item)
{
    struct seen *seen = context;
    assert_true(item_expire_ms(item) != 0);
    see(seen, item, 0);
    return true;
}

static bool keep_every_second(void *context, struct item *item)
{
    (void)context;
    return item_key(item).data[item_key(item).size - 1] % 2 == 0;
}

/* TTLs from 1 ms to years; at each time exactly what has expired is gone after one pass. */
static void the_sweep_frees_exactly_what_has_expired(void **state)
{
    struct table_model *m = *state;
    enum { N = 20000 };
    int64_t now = 1700000000000 + (int64_t)(random_next(&m->random) % 100000000);
    m->table.now_ms = now;
    for (uint32_t id = 0; id < N; id++) {
        int64_t ttl = (int64_t)(random_next(&m->random) % ((uint64_t)1 << (1 + id % 40)));
        model_put(m, id, 1, id % 5 == 0 ? 0 : now + 1 + ttl);
    }
    table_validate(&m->table);
    static const int64_t steps[] = { 1,     10,    100,   300,    511,     512,     513,     5000,
                                     30000, 40000, 56000, 200000, 1000000, 7000000, 50000000 };
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        now += steps[i];
        m->table.now_ms = now;
        if (steps[i] >
            57000) { /* a pause longer than the codes look back: wake it up as the server would */
            for (int64_t t = now - steps[i]; t < now; t += 30000)
                table_sweep_expired(&m->table, UINT64_MAX, t, NULL, NULL, NULL);
        }
        bool wrapped = false;
        while (!wrapped)
            table_sweep_expired(&m->table, 2048, now, NULL, NULL, &wrapped);
        uint64_t live = 0;
        for (uint32_t id = 0; id < N; id++) {
            if (m->value[id] != 0 && m->expire_ms[id] != 0 && m->expire_ms[id] <= now)
                m->value[id] = 0;
            live += m->value[id] != 0;
        }
        assert_int_equal(m->table.count, live);
        m->count = live;
    }
    model_check_all(m);
}

static void an_unwatched_pause_only_delays_the_sweep(void **state)
{
    struct table_model *m = *state;
    int64_t now = 1700000000000;
    m->table.now_ms = now;
    for (uint32_t id = 0; id < 3000; id++)
        model_put(m, id, 1, now + 1000 + id);
    now += 3600 * 1000;
    for (int i = 0; i < 300; i++, now += 1000)
        table_sweep_expired(&m->table, UINT64_MAX, now, NULL, NULL, NULL);
    assert_int_equal(m->table.count, 0);
    assert_int_equal(m->table.expires, 0);
    m->count = 0;
}

static void the_sweep_leaves_what_it_may_not_free(void **state)
{
    struct table_model *m = *state;
    enum { N = 1000 };
    for (uint32_t id = 0; id < N; id++)
        model_put(m, id, 1, 1000);
    uint64_t freed =
        table_sweep_expired(&m->table, UINT64_MAX, 2000, keep_every_second, NULL, NULL);
    assert_true(freed > N / 4 && freed < N * 3 / 4);
    assert_int_equal(m->table.count, N - freed);
    assert_int_equal(freed + table_sweep_expired(&m->table, UINT64_MAX, 2000, NULL, NULL, NULL), N);
    m->count = 0;
}

static void the_sweep_tells_before_it_frees_and_shrinks_the_table(void **state)
{
    struct table_model *m = *state;
    enum { N = 50000 };
    for (uint32_t id = 0; id < N; id++)
        model_put(m, id, 1, 1000 * 1000 + 100);
    uint64_t grown = table_bucket_count(&m->table), freed = 0;
    struct seen seen = { m, calloc(IDS, 1) };
    for (int i = 0; i < 100; i++)
        freed += table_sweep_expired(&m->table, 2048, 1000 * 1000 + 100, on_expired, &seen, NULL);
    assert_int_equal(freed, N);
    for (uint32_t id = 0; id < N; id++)
        assert_int_equal(seen.times[id], 1);
    assert_true(table_bucket_count(&m->table) < grown / 50);
    table_validate(&m->table);
    free(seen.times);
}

static void the_mean_ttl_is_estimated(void **state)
{
    struct table_model *m = *state;
    int64_t now = m->table.now_ms;
    for (uint32_t id = 0; id < 10000; id++)
        model_put(m, id, 1, now + 50000 + (int64_t)(random_next(&m->random) % 20000));
    table_sweep_expired(&m->table, UINT64_MAX, now, NULL, NULL, NULL);
    assert_in_range(m->table.ttl_mean_ms, 59000, 61000);
}

/* ---- flushing -------------------------------------------------------------- */

static void a_moved_table_is_drained_in_slices(void **state)
{
    struct table_model *m = *state;
    enum { N = 50000, SLICE = 1000 };
    for (uint32_t id = 0; id < N; id++)
        model_put(m, id, 1, 0);
    struct table taken;
    table_move(&m->table, &taken);
    assert_int_equal(m->table.count, 0);
    assert_int_equal(m->table.table_bytes, 0);
    model_put(m, 1, 2, 0);
    int slices = 1;
    for (uint64_t before = taken.count; !table_drain(&taken, SLICE);
         before = taken.count, slices++) {
        assert_true(before - taken.count <= SLICE + 64);
        table_validate(&taken);
    }
    assert_in_range(slices, N / (SLICE + 64), N / SLICE + 1);
    assert_int_equal(taken.table_bytes, 0);
    assert_int_equal(m->table.count, 1);
}

static void two_tables_are_exchanged(void **state)
{
    struct table_model *m = *state;
    struct table other;
    for (uint32_t id = 0; id < 5000; id++)
        model_put(m, id, 1, 0);
    uint64_t count = m->table.count, bytes = m->table.item_bytes;
    table_init(&other, m->table._arena);
    table_exchange(&m->table, &other);
    assert_int_equal(m->table.count, 0);
    table_validate(&m->table);
    assert_int_equal(other.count, count);
    assert_int_equal(other.item_bytes, bytes);
    table_validate(&other);
    table_exchange(&m->table, &other);
    for (uint32_t id = 0; id < 5000; id++)
        model_check(m, id);
    table_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MODEL(scan_returns_what_stays_under_growth_and_shrinking),
        IN_MODEL(scan_of_an_unchanged_table_returns_each_once),
        IN_MODEL(scan_takes_any_cursor),
        IN_MODEL(random_items_are_uniform),
        IN_MODEL(random_items_are_live_and_uniform),
        IN_MODEL(the_sweep_frees_exactly_what_has_expired),
        IN_MODEL(an_unwatched_pause_only_delays_the_sweep),
        IN_MODEL(the_sweep_leaves_what_it_may_not_free),
        IN_MODEL(the_sweep_tells_before_it_frees_and_shrinks_the_table),
        IN_MODEL(the_mean_ttl_is_estimated),
        IN_MODEL(a_moved_table_is_drained_in_slices),
        IN_MODEL(two_tables_are_exchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
