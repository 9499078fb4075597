/*
 * test_watch.c - the registry against a plain array of pins, through growth and removals.
 */
#include "shoal/base/hash.h"
#include "shoal/store/keyspace/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/seed.h"

enum { IDS = 600 };

static struct watch_key key_of(unsigned id, char text[32])
{
    int n = snprintf(text, 32, "key%u", id / 3); /* the same name in three databases */
    struct bytes name = bytes_of(text, (size_t)n);
    return (struct watch_key){ .name = name, .hash = hash_key(name), .db = (uint8_t)(id % 3) };
}

static void a_touch_gives_a_new_version(void **state)
{
    struct watch_registry *registry = *state;
    char text[32];
    struct watch_key key = key_of(1, text);
    watch_touch(registry, key);
    assert_int_equal(watch_count(registry), 0);
    assert_true(watch_pin(registry, key));
    uint64_t version = watch_version(registry, key);
    assert_int_not_equal(version, 0);
    watch_touch(registry, key);
    assert_int_not_equal(watch_version(registry, key), version);
    watch_unpin(registry, key);
    assert_int_equal(watch_count(registry), 0);
}

static void the_name_is_copied(void **state)
{
    struct watch_registry *registry = *state;
    char text[32];
    struct watch_key key = key_of(30, text);
    assert_true(watch_pin(registry, key));
    memset(text, 'x', sizeof(text));
    watch_unpin(registry, key_of(30, text));
    assert_int_equal(watch_count(registry), 0);
}

static void versions_are_never_used_twice(void **state)
{
    struct watch_registry *registry = *state;
    char text[32];
    uint64_t last = 0;
    for (int i = 0; i < 100; i++) {
        assert_true(watch_pin(registry, key_of(5, text)));
        assert_true(watch_version(registry, key_of(5, text)) > last);
        watch_touch(registry, key_of(5, text));
        last = watch_version(registry, key_of(5, text));
        watch_unpin(registry, key_of(5, text));
    }
}

static void it_agrees_with_the_model(void **state)
{
    struct watch_registry *registry = *state;
    unsigned pins[IDS] = { 0 }, distinct = 0;
    uint64_t version[IDS] = { 0 };
    unsigned seed = test_seed();
    char text[32];
    for (int i = 0; i < 200 * 1000; i++) {
        unsigned id = (unsigned)rand_r(&seed) % IDS, what = (unsigned)rand_r(&seed) % 100;
        unsigned bias = i / 20000 % 2 ? 30 : 60; /* fill up and empty in turns */
        struct watch_key key = key_of(id, text);
        if (what < bias) {
            assert_true(watch_pin(registry, key));
            if (pins[id]++ == 0) {
                version[id] = watch_version(registry, key);
                distinct++;
            }
        } else if (what < 90) {
            if (pins[id] == 0)
                continue;
            watch_unpin(registry, key);
            distinct -= --pins[id] == 0;
        } else {
            watch_touch(registry, key);
            if (pins[id] > 0) {
                assert_true(watch_version(registry, key) > version[id]);
                version[id] = watch_version(registry, key);
            }
        }
        if (pins[id] > 0)
            assert_int_equal(watch_version(registry, key), version[id]);
        assert_int_equal(watch_count(registry), distinct);
    }
    for (unsigned id = 0; id < IDS; id++)
        for (; pins[id] > 0; pins[id]--)
            watch_unpin(registry, key_of(id, text));
    assert_int_equal(watch_count(registry), 0);
}

static struct arena *arena;

static int set_up(void **state)
{
    hash_seed();
    arena = arena_new();
    *state = watch_registry_new(arena);
    return 0;
}

static int tear_down(void **state)
{
    struct watch_registry *registry = *state;
    watch_registry_free(&registry);
    arena_free_all(&arena);
    return 0;
}

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REGISTRY(a_touch_gives_a_new_version),
        WITH_REGISTRY(the_name_is_copied),
        WITH_REGISTRY(versions_are_never_used_twice),
        WITH_REGISTRY(it_agrees_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
