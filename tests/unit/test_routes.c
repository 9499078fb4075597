/*
 * test_routes.c - docs/internals/routes.md against the registry: every command is in the table, in
 * order and once, with the route that its row has and a promise that the route can keep.
 */
#include "shoal/cmd/registry.h"
#include "shoal/commands.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char table_path[] = "docs/internals/routes.md";

enum { ROWS_MAX = 1024, CELL_MAX = 64 };

struct row {
    char name[CELL_MAX]; /* as the registry spells it: "client|kill" */
    char route[CELL_MAX], promise[CELL_MAX], note[CELL_MAX];
};

static struct row rows[ROWS_MAX];
static size_t row_count;

static const struct {
    const char *route, *promise;
} promises[] = {
    { "HOME", "none" },         { "GATHER", "none" },         { "KEY", "one shard" },
    { "EACH_SUM", "each key" }, { "EACH_ARRAY", "each key" }, { "ATOMIC", "atomic" },
    { "COMBINE", "atomic" },    { "FIRST", "atomic" },        { "DERIVED", "atomic" },
    { "ALL_ATOMIC", "atomic" }, { "ALL_SUM", "each shard" },  { "ALL_ARRAY", "each shard" },
    { "CURSOR", "each shard" }, { "ANY", "each shard" },
};

static const char *const routes[] = {
    [ROUTE_HOME] = "HOME",
    [ROUTE_KEY] = "KEY",
    [ROUTE_EACH_SUM] = "EACH_SUM",
    [ROUTE_EACH_ARRAY] = "EACH_ARRAY",
    [ROUTE_ATOMIC] = "ATOMIC",
    [ROUTE_COMBINE] = "COMBINE",
    [ROUTE_ALL_SUM] = "ALL_SUM",
    [ROUTE_ALL_ARRAY] = "ALL_ARRAY",
    [ROUTE_ALL_ATOMIC] = "ALL_ATOMIC",
    [ROUTE_GATHER] = "GATHER",
    [ROUTE_CURSOR] = "CURSOR",
    [ROUTE_ANY] = "ANY",
};

/* The next cell of a line without the blanks around it; what is behind it. */
static const char *cell(const char *at, char text[CELL_MAX])
{
    const char *end = strchr(at, '|');
    if (end == NULL)
        fail_msg("a row of %s ends early: %s", table_path, at);
    while (at < end && *at == ' ')
        at++;
    size_t size = (size_t)(end - at);
    while (size > 0 && at[size - 1] == ' ')
        size--;
    assert_true(size < CELL_MAX);
    memcpy(text, at, size);
    text[size] = '\0';
    return end + 1;
}

static void row_read(const char *line)
{
    assert_true(row_count < ROWS_MAX);
    struct row *row = &rows[row_count++];
    const char *at = cell(line + 1, row->name);
    at = cell(at, row->route);
    at = cell(at, row->promise);
    cell(at, row->note);
    for (char *c = row->name; *c != '\0'; c++)
        *c = *c == ' ' ? '|' : (char)tolower((unsigned char)*c);
}

static int begin(void **state)
{
    char line[512];
    bool inside = false;
    (void)state;
    commands_register();
    FILE *file = fopen(table_path, "r");
    if (file == NULL)
        fail_msg("%s is not here: start me in the root of the tree", table_path);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "<!-- routes:", 12) == 0)
            inside = strncmp(line + 12, "begin", 5) == 0;
        else if (inside && line[0] == '|' && line[1] == ' ' &&
                 strncmp(line, "| command |", 11) != 0)
            row_read(line);
    }
    fclose(file);
    return 0;
}

static const char *route_of(const struct command *command)
{
    size_t count = sizeof(routes) / sizeof(routes[0]);
    const char *route = command->route < count ? routes[command->route] : NULL;
    if (route == NULL)
        fail_msg("%s has a route that this test does not know", command->full_name);
    return route;
}

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* "now KEY" says that the route is another until the one of the row exists. */
static const char *present_route(const struct row *row)
{
    return strncmp(row->note, "now ", 4) == 0 ? row->note + 4 : row->route;
}

static void every_row_of_the_registry_is_there(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < registry_count(); id++) {
        const struct command *command = registry_at(id);
        const struct row *row = find(command->full_name);
        if (command->flags & CMD_UNDOCUMENTED) /* of the tests' builds only */
            continue;
        if (row == NULL)
            fail_msg("%s has no row for %s", table_path, command->full_name);
        if (strcmp(present_route(row), route_of(command)) != 0)
            fail_msg("%s: %s is %s, and %s in the table", table_path, command->full_name,
                     route_of(command), present_route(row));
        if (strncmp(row->note, "needs", 5) == 0)
            fail_msg("%s: %s is here, it %s nothing", table_path, command->full_name, row->note);
    }
}

static bool is_offered(const char *name)
{
    for (uint32_t id = 0; id < registry_count(); id++)
        if (strcmp(registry_at(id)->full_name, name) == 0)
            return true;
    return false;
}

static void what_is_not_offered_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        if (!is_offered(rows[i].name) && strncmp(rows[i].note, "needs ", 6) != 0)
            fail_msg("%s: %s is not offered and says no need", table_path, rows[i].name);
}

static void promises_fit_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        size_t k = 0, count = sizeof(promises) / sizeof(promises[0]);
        while (k < count && strcmp(promises[k].route, rows[i].route) != 0)
            k++;
        if (k == count)
            fail_msg("%s: %s has a route that there is not: %s", table_path, rows[i].name,
                     rows[i].route);
        if (strcmp(promises[k].promise, rows[i].promise) != 0)
            fail_msg("%s: %s promises \"%s\", %s keeps \"%s\"", table_path, rows[i].name,
                     rows[i].promise, rows[i].route, promises[k].promise);
    }
}

/* A command with several keys that is bound to one shard has a route in the table that is not. */
static void several_keys_are_on_several_shards(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < registry_count(); id++) {
        const struct command *command = registry_at(id);
        bool several = command->last_key != command->first_key || command->keys != NULL;
        if (several && !(command->flags & CMD_UNDOCUMENTED) &&
            strcmp(find(command->full_name)->route, "KEY") == 0)
            fail_msg("%s has several keys, and the table binds them to one shard",
                     command->full_name);
    }
}

static void rows_are_in_order(void **state)
{
    (void)state;
    assert_true(row_count > 300);
    for (size_t i = 1; i < row_count; i++)
        if (strcmp(rows[i - 1].name, rows[i].name) >= 0)
            fail_msg("%s: %s stands before %s", table_path, rows[i - 1].name, rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_registry_is_there),
        cmocka_unit_test(what_is_not_offered_says_why),
        cmocka_unit_test(promises_fit_routes),
        cmocka_unit_test(several_keys_are_on_several_shards),
        cmocka_unit_test(rows_are_in_order),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
