/*
 * test_registry.c - names to rows, keys of a command line, and what every row must say.
 */
#include "support/cmd_harness.h"

static int setup(void **state)
{
    (void)state;
    harness_registry_with(NULL);
    return 0;
}

static const struct command *find(const char *name)
{
    return registry_find(bytes_str(name));
}

static void finds_every_row(void **state)
{
    (void)state;
    assert_true(registry_top_count() > 40);
    for (uint32_t i = 0; i < registry_count(); i++) {
        const struct command *command = registry_at(i);
        assert_int_equal(command->id, i);
        if (i >= registry_top_count()) {
            assert_non_null(strchr(command->full_name, '|'));
            continue;
        }
        assert_ptr_equal(find(command->name), command);
        assert_string_equal(command->full_name, command->name);
    }
}

static void ignores_case_and_nothing_else(void **state)
{
    (void)state;
    assert_string_equal(find("GeT")->name, "get");
    assert_string_equal(find("INCRBYFLOAT")->name, "incrbyfloat");
    static const char *const unknown[] = { "",           "g",           "ge",
                                           "gett",       "\aet",        "incrbyfloaT!",
                                           "incrbyfloa", "incrbyfloau", "getran",
                                           "exists\n",   "expiretimf",  "GE\x14" };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_null(find(unknown[i]));
    assert_null(registry_find(bytes_of("get\0", 4)));
}

static void finds_sub_commands(void **state)
{
    (void)state;
    const struct command *object = find("object");
    const struct command *sub = registry_find_sub(object, bytes_str("EnCoding"));
    assert_string_equal(sub->full_name, "object|encoding");
    assert_in_range(sub->id, registry_top_count(), registry_count() - 1);
    assert_ptr_equal(registry_at(sub->id), sub);
    assert_null(registry_find_sub(object, bytes_str("encodin")));
    assert_null(registry_find_sub(find("get"), bytes_str("encoding")));
}

/* Names with other characters than letters, and one that differs from "get" beyond letters only. */
static void names_with_other_characters(void **state)
{
    static const struct command rows[] = { { .name = "a_b", .group = "" },
                                           { .name = "long_name_here", .group = "" },
                                           { .name = "x1", .group = "" },
                                           { 0 } };
    const struct command *const families[] = { rows };
    (void)state;
    registry_init(families, 1);
    assert_string_equal(find("A_B")->name, "a_b");
    assert_null(find("a\x7f"
                     "b"));
    assert_string_equal(find("LONG_name_HERE")->name, "long_name_here");
    assert_string_equal(find("X1")->name, "x1");
    assert_null(find("x\x11"));
    assert_null(find("get"));
}

static void keys_of(const char *name, uint32_t argc, uint32_t *indices, uint32_t *count)
{
    const struct command *command = find(name);
    struct args args = { .count = argc };
    *count = 0;
    for (uint32_t i = command_key_first(command, &args); i != 0;
         i = command_key_next(command, &args, i))
        indices[(*count)++] = i;
}

static void keys_of_a_command(void **state)
{
    uint32_t keys[8], count;
    (void)state;
    keys_of("get", 2, keys, &count);
    assert_true(count == 1 && keys[0] == 1);
    keys_of("del", 4, keys, &count);
    assert_true(count == 3 && keys[2] == 3);
    keys_of("mset", 5, keys, &count);
    assert_true(count == 2 && keys[0] == 1 && keys[1] == 3);
    keys_of("dbsize", 1, keys, &count);
    assert_int_equal(count, 0);
    const struct command *sub = registry_find_sub(find("object"), bytes_str("freq"));
    struct args args = { .count = 3 };
    assert_int_equal(command_key_first(sub, &args), 2);
    assert_int_equal(command_key_next(sub, &args, 2), 0);
    assert_false(command_key_written(sub, &args, 2));
    assert_true(command_key_written(find("mset"), &args, 1));
}

static void arity(void **state)
{
    (void)state;
    assert_true(command_arity_ok(find("get"), 2) && !command_arity_ok(find("get"), 3));
    assert_true(command_arity_ok(find("set"), 9) && !command_arity_ok(find("set"), 2));
    assert_true(command_arity_ok(find("mset"), 5));
    assert_false(command_arity_ok(find("mset"), 4) || command_arity_ok(find("mset"), 2));
}

/* A route without its handler would crash on a client's word. */
static void rows_are_complete(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < registry_count(); i++) {
        const struct command *command = registry_at(i);
        bool each = command->route == ROUTE_EACH_SUM || command->route == ROUTE_EACH_ARRAY;
        bool home = command->route == ROUTE_HOME;
        assert_true(command->subs != NULL || each == (command->each != NULL));
        assert_true(command->subs != NULL || home == (command->home != NULL));
        assert_true(command->subs != NULL || (!each && !home) == (command->shard != NULL));
        assert_true(command->arity != 0 && command->group && command->since);
        assert_true(command->complexity && command->summary && command->syntax);
        assert_true((command->first_key != 0) == (command->step != 0));
        bool both = (command->flags & CMD_WRITE) && (command->flags & CMD_READONLY);
        assert_false(both);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_every_row, setup),
        cmocka_unit_test_setup(ignores_case_and_nothing_else, setup),
        cmocka_unit_test_setup(finds_sub_commands, setup),
        cmocka_unit_test_setup(names_with_other_characters, setup),
        cmocka_unit_test_setup(keys_of_a_command, setup),
        cmocka_unit_test_setup(arity, setup),
        cmocka_unit_test_setup(rows_are_complete, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
