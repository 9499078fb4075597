/*
 * test_table_grow.c - the table grows and shrinks bucket by bucket, and stays whole without memory.
 */
#include "unit/store/table/table_model.h"

static unsigned failing; /* of 100 allocations of chunks and child buckets */
static struct random chance;

void *__real_arena_alloc_aligned(struct arena *arena, size_t size, size_t align);
void *__wrap_arena_alloc_aligned(struct arena *arena, size_t size, size_t align);
void *__wrap_arena_alloc_aligned(struct arena *arena, size_t size, size_t align)
{
    if (random_below(&chance, 100) < failing)
        return NULL;
    return __real_arena_alloc_aligned(arena, size, align);
}

static void a_step_adds_or_removes_one_bucket(void **state)
{
    struct table_model *m = *state;
    enum { COUNT = 20 * 1000 };
    model_put(m, 0, 1, 0);
    uint64_t before = table_bucket_count(&m->table);
    for (uint32_t id = 1; id < COUNT; id++) {
        model_put(m, id, 1, 0);
        uint64_t now = table_bucket_count(&m->table);
        assert_true(now == before || now == before + 1);
        before = now;
    }
    assert_in_range(before, COUNT / 5, COUNT / 4);
    for (uint32_t id = 0; id < COUNT; id++) {
        model_drop(m, id);
        uint64_t now = table_bucket_count(&m->table);
        assert_true(now == before || now == before - 1);
        before = now;
    }
    assert_int_equal(before, BUCKETS_MIN);
}

static void it_does_not_swing(void **state)
{
    struct table_model *m = *state;
    enum { COUNT = 5000 };
    for (uint32_t id = 0; id < COUNT; id++)
        model_put(m, id, 1, 0);
    uint64_t grown = table_bucket_count(&m->table);
    for (uint32_t id = 0; id < COUNT / 3; id++)
        model_drop(m, id);
    assert_int_equal(table_bucket_count(&m->table), grown);
    for (uint32_t id = 0; id < COUNT / 3; id++)
        model_put(m, id, 2, 0);
    assert_int_equal(table_bucket_count(&m->table), grown);
    model_check_all(m);
}

/* Adds an item, as often as it takes. */
static void insist(struct table_model *m, uint32_t id)
{
    char text[64];
    uint64_t hash = hash_key(key_of(id, text));
    struct item *item = model_item(m, id, 1, 0);
    while (!table_add(&m->table, item, hash))
        assert_null(table_find(&m->table, key_of(id, text), hash));
    m->count++;
    m->value[id] = 1;
    m->expire_ms[id] = 0;
}

static void without_memory_steps_are_left_out(void **state)
{
    struct table_model *m = *state;
    enum { COUNT = 10 * 1000 };
    random_seed(&chance, random_next(&m->random));
    failing = 80;
    for (uint32_t id = 0; id < COUNT; id++) {
        insist(m, id);
        if (id % 1000 == 0)
            table_validate(&m->table);
    }
    model_check_all(m);
    for (uint32_t id = 0; id < COUNT; id++) {
        model_drop(m, id);
        if (id % 1000 == 0)
            table_validate(&m->table);
    }
    failing = 0;
    model_check_all(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MODEL(a_step_adds_or_removes_one_bucket),
        IN_MODEL(it_does_not_swing),
        IN_MODEL(without_memory_steps_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
