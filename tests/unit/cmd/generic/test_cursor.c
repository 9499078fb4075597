/*
 * test_cursor.c - the SCAN cursor over several shards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shoal/cmd/generic/cursor.h"

static void parses(void **state)
{
    uint64_t cursor = 1;
    (void)state;
    assert_true(cursor_parse(bytes_str("0"), &cursor) && cursor == 0);
    assert_true(cursor_parse(bytes_str("18446744073709551615"), &cursor));
    assert_int_equal(cursor, UINT64_MAX);
    static const char *const bad[] = { "",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "01",
                                       "1x",
                                       "0x1",
                                       "18446744073709551616",
                                       "99999999999999999999" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cursor_parse(bytes_str(bad[i]), &cursor));
}

/* Tables that end after 3, 1 and 2 steps: every step is taken once and the walk ends. */
static void visits_every_shard(void **state)
{
    const uint64_t steps[] = { 3, 1, 2 };
    uint64_t cursor = 0, taken[3] = { 0 };
    (void)state;
    do {
        uint32_t shard = cursor_shard(cursor, 3);
        uint64_t at = cursor / 3, next = at + 1 < steps[shard] ? at + 1 : 0;
        taken[shard]++;
        cursor = cursor_next(next, shard, 3);
    } while (cursor != 0);
    assert_memory_equal(taken, steps, sizeof(steps));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(visits_every_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
