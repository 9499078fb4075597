/*
 * test_counters.c - the table of counters: whole, without twins, and as markdown.
 */
#include "shoal/stats/counters.h"

#include "shoal/stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct counter_row *row_named(const char *name)
{
    for (uint32_t i = 0; i < counters_count(); i++)
        if (strcmp(counters_at(i)->name, name) == 0)
            return counters_at(i);
    fail_msg("there is no counter %s", name);
    return NULL;
}

static void a_row_is_its_member(void **state)
{
    (void)state;
    assert_int_equal(row_named("evicted_clients")->offset,
                     offsetof(struct reactor_stats, buffers_closed));
    assert_int_equal(row_named("evicted_keys")->offset,
                     offsetof(struct reactor_stats, keyspace.evicted));
    assert_string_equal(row_named("evicted_keys")->section, "Stats");
    assert_int_equal(row_named("evicted_keys")->kind, COUNTER_EVENTS);
    assert_int_equal(row_named("turns")->kind, COUNTER_TOTAL);
    assert_int_equal(row_named("connected_clients")->kind, COUNTER_STATE);
}

static void no_two_rows_share_a_name_or_a_member(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < counters_count(); i++)
        for (uint32_t k = 0; k < i; k++) {
            assert_string_not_equal(counters_at(i)->name, counters_at(k)->name);
            assert_int_not_equal(counters_at(i)->offset, counters_at(k)->offset);
        }
}

/* A bar within a cell would end the cell early. */
static void every_row_is_a_line_of_markdown(void **state)
{
    (void)state;
    char *text, *at;
    size_t size;
    uint32_t lines = 0;
    FILE *out = open_memstream(&text, &size);
    counters_print_markdown(out);
    fclose(out);
    for (char *line = strtok_r(text, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at)) {
        uint32_t bars = 0;
        for (const char *c = line; *c != '\0'; c++)
            bars += *c == '|';
        assert_int_equal(bars, 5);
        if (lines == 2 + (uint32_t)(row_named("turns") - counters_at(0)))
            assert_string_equal(
                line, "| Shoal | `turns` | unchanged: a total | turns of the shards' loops |");
        lines++;
    }
    assert_int_equal(lines, 2 + counters_count());
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_its_member),
        cmocka_unit_test(no_two_rows_share_a_name_or_a_member),
        cmocka_unit_test(every_row_is_a_line_of_markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
