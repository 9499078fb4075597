/*
 * test_shard.c - a shard is made with nothing in it, and unmade without a rest.
 */
#include "shoal/shard/shard.h"

#include "shoal/shard/key_queues.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void it_begins_with_nothing_held_or_gathered(void **state)
{
    (void)state;
    struct shard shard = { 0 };
    shard_init(&shard);
    assert_false(key_queues_active(shard.queues));
    assert_false(batcher_waits(&shard.batcher));
    memset(shard.scratch, 1, BATCHER_SCRATCH_BYTES); /* a sanitizer sees if it is shorter */
    shard_fini(&shard);
}

static void it_may_be_unmade_twice(void **state)
{
    (void)state;
    struct shard shard = { 0 };
    shard_init(&shard);
    shard_fini(&shard);
    assert_null(shard.queues);
    assert_null(shard.scratch);
    shard_fini(&shard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_nothing_held_or_gathered),
        cmocka_unit_test(it_may_be_unmade_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
