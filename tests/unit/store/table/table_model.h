/*
 * table_model.h - the table beside a plain array, for the tests of its files.
 */
#ifndef SHOAL_TESTS_TABLE_MODEL_H
#define SHOAL_TESTS_TABLE_MODEL_H

#include "shoal/base/hash.h"
#include "shoal/base/random.h"
#include "shoal/store/table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

enum { IDS = 300 * 1000 };

/* The model: what value each key id holds; 0 = absent. */
struct table_model {
    struct arena *arena;
    struct table table;
    uint32_t *value;
    int64_t *expire_ms;
    uint64_t count;
    struct random random;
};

/* Keys of 1 to 40 bytes, so that all ways to compare are used. */
static inline struct bytes key_of(uint32_t id, char text[64])
{
    int n = snprintf(text, 64, "%x", id);
    if (id % 3 == 0)
        n = snprintf(text, 64, "key:%010u", id);
    if (id % 7 == 0)
        n = snprintf(text, 64, "a-rather-long-prefix-of-a-key:%010u", id);
    return bytes_of(text, (size_t)n);
}

static inline struct item *model_item(struct table_model *m, uint32_t id, uint32_t value,
                                      int64_t expire_ms)
{
    char text[64], data[64];
    int n = snprintf(data, sizeof(data), "value %u of key %u", value, id);
    return item_new(m->arena, key_of(id, text), bytes_of(data, (size_t)n), expire_ms);
}

static inline void model_put(struct table_model *m, uint32_t id, uint32_t value, int64_t expire_ms)
{
    char text[64];
    struct bytes key = key_of(id, text);
    uint64_t hash = hash_key(key);
    struct item *item = model_item(m, id, value, expire_ms),
                *old = table_find(&m->table, key, hash);
    if (old != NULL)
        table_replace(&m->table, old, item, hash);
    else
        assert_true(table_add(&m->table, item, hash));
    m->count += m->value[id] == 0;
    m->value[id] = value;
    m->expire_ms[id] = expire_ms;
}

static inline void model_drop(struct table_model *m, uint32_t id)
{
    char text[64];
    struct bytes key = key_of(id, text);
    struct item *item = table_find(&m->table, key, hash_key(key));
    assert_int_equal(item != NULL, m->value[id] != 0);
    if (item != NULL)
        table_remove_item(&m->table, item, hash_key(key));
    m->count -= m->value[id] != 0;
    m->value[id] = 0;
}

static inline void model_check(struct table_model *m, uint32_t id)
{
    char text[64], data[64], scratch[INT64_TEXT_MAX];
    struct bytes key = key_of(id, text);
    struct item *item = table_find(&m->table, key, hash_key(key));
    assert_int_equal(item != NULL, m->value[id] != 0);
    if (item == NULL)
        return;
    int n = snprintf(data, sizeof(data), "value %u of key %u", m->value[id], id);
    assert_true(bytes_equal(item_value(item, scratch), bytes_of(data, (size_t)n)));
    assert_true(bytes_equal(item_key(item), key));
    assert_int_equal(item_expire_ms(item), m->expire_ms[id]);
}

static inline int model_set_up(void **state)
{
    struct table_model *m = calloc(1, sizeof(*m));
    m->value = calloc(IDS, sizeof(*m->value));
    m->expire_ms = calloc(IDS, sizeof(*m->expire_ms));
    random_seed(&m->random, test_seed());
    m->arena = arena_new();
    table_init(&m->table, m->arena);
    m->table.now_ms = 1000 * 1000;
    hash_seed_fixed(random_next(&m->random));
    *state = m;
    return 0;
}

static inline int model_tear_down(void **state)
{
    struct table_model *m = *state;
    table_fini(&m->table);
    int leaked = m->table.count != 0 || m->table.item_bytes != 0 || m->table.table_bytes != 0;
    arena_free_all(&m->arena);
    free(m->value);
    free(m->expire_ms);
    free(m);
    return leaked;
}

static inline void model_check_all(struct table_model *m)
{
    for (uint32_t id = 0; id < IDS; id++)
        model_check(m, id);
    assert_int_equal(m->table.count, m->count);
    table_validate(&m->table);
}

/* Random operations, leaning towards growth until `target` and towards removal after. */
static inline void model_churn(struct table_model *m, uint64_t operations, unsigned put_percent)
{
    for (uint64_t i = 0; i < operations; i++) {
        uint64_t r = random_next(&m->random);
        uint32_t id = (uint32_t)(r >> 32) % IDS;
        if (r % 100 < put_percent)
            model_put(m, id, 1 + (uint32_t)i, r & 256 ? 0 : 1000 * 1000 + (int64_t)(r % 100000));
        else if (r % 100 < 90)
            model_drop(m, id);
        else
            model_check(m, id);
    }
}

#define IN_MODEL(test) cmocka_unit_test_setup_teardown(test, model_set_up, model_tear_down)

#endif
