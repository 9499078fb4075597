/*
 * test_table.c - the table against a plain array, while it grows to 200,000 items and shrinks back.
 */
#include "unit/store/table/table_model.h"

static void an_empty_table_has_nothing(void **state)
{
    struct table_model *m = *state;
    assert_int_equal(m->table.table_bytes, 0);
    model_check(m, 1);
    model_drop(m, 1);
    table_prefetch_bucket(&m->table, 7);
    assert_false(table_prefetch_item(&m->table, 7));
    table_prefetch_child_item(&m->table, 7);
    assert_null(table_random(&m->table, &m->random, 5));
    assert_int_equal(table_scan(&m->table, 0, NULL, NULL), 0);
    assert_int_equal(table_sweep_expired(&m->table, 100, 5, NULL, NULL, NULL), 0);
    table_validate(&m->table);
}

/* Whoever asks for items ahead is told of those that take a third pass. */
static void some_items_are_behind_a_second_bucket(void **state)
{
    struct table_model *m = *state;
    enum { COUNT = 100 * 1000 };
    uint32_t deep = 0;
    for (uint32_t id = 0; id < COUNT; id++)
        model_put(m, id, 1, 0);
    for (uint32_t id = 0; id < COUNT; id++) {
        char text[64];
        uint64_t hash = hash_key(key_of(id, text));
        bool child = table_prefetch_item(&m->table, hash);
        if (child)
            table_prefetch_child_item(&m->table, hash);
        deep += child;
        model_check(m, id);
    }
    assert_in_range(deep, COUNT / 50, COUNT / 5);
}

static void the_first_item_costs_a_page(void **state)
{
    struct table_model *m = *state;
    model_put(m, 1, 1, 0);
    assert_true(m->table.table_bytes <= 4096 + 256);
    model_check(m, 1);
}

static void it_agrees_with_the_model_while_growing_and_shrinking(void **state)
{
    struct table_model *m = *state;
    for (int i = 0; i < 6; i++) {
        model_churn(m, 60 * 1000, 85);
        table_validate(&m->table);
    }
    while (m->count < 200 * 1000)
        model_put(m, (uint32_t)(random_next(&m->random) >> 32) % IDS, 5, 0);
    model_check_all(m);
    uint64_t grown = table_bucket_count(&m->table);
    assert_true(grown * 5 >= m->count && grown * 4 < m->count + 1000);
    for (int i = 0; i < 20; i++) {
        model_churn(m, 60 * 1000, 5);
        table_validate(&m->table);
    }
    model_check_all(m);
    for (uint32_t id = 0; id < IDS; id++)
        model_drop(m, id);
    model_check_all(m);
    assert_int_equal(table_bucket_count(&m->table), 64);
    assert_int_equal(m->table.item_bytes, 0);
    assert_true(m->table.table_bytes <= 4096 + 1024);
}

static void a_replaced_item_is_freed_and_counted(void **state)
{
    struct table_model *m = *state;
    char text[64];
    uint64_t hash = hash_key(key_of(9, text));
    model_put(m, 9, 1, 0);
    struct item *old = table_find(&m->table, key_of(9, text), hash);
    table_replace(&m->table, old, model_item(m, 9, 2, 77), hash);
    m->value[9] = 2;
    m->expire_ms[9] = 77;
    model_check(m, 9);
    assert_int_equal(m->table.expires, 1);
    table_validate(&m->table);
}

/* Eviction goes by what commands have asked for, not by what was looked at for other reasons. */
static void only_hits_count(void **state)
{
    struct table_model *m = *state;
    char text[64];
    struct bytes key = key_of(9, text);
    uint64_t hash = hash_key(key), word = 0;
    model_put(m, 9, 1, 0);
    const struct item *item = table_find(&m->table, key, hash);
    assert_ptr_equal(table_peek(&m->table, key, hash, &word), item);
    assert_int_equal(word_freq(word), 0);
    assert_ptr_equal(table_hit(&m->table, key, hash), item);
    assert_ptr_equal(table_peek(&m->table, key, hash, &word), item);
    assert_int_equal(word_freq(word), 1);
    assert_null(table_hit(&m->table, key_of(10, text), hash_key(key_of(10, text))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MODEL(an_empty_table_has_nothing),
        IN_MODEL(some_items_are_behind_a_second_bucket),
        IN_MODEL(the_first_item_costs_a_page),
        IN_MODEL(it_agrees_with_the_model_while_growing_and_shrinking),
        IN_MODEL(a_replaced_item_is_freed_and_counted),
        IN_MODEL(only_hits_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
