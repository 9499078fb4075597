/*
 * test_print.c - --help, the table of docs/configuration.md, the man page and the
 * completion name every option.
 */
#include "shoal/options/print.h"

#include "shoal/base/slab.h"
#include "shoal/options/assign.h"
#include "shoal/options/compat.h"
#include "shoal/options/export.h"
#include "shoal/options/file.h"
#include "shoal/options/find.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char text[128 * 1024];

/* Runs `print` with standard output in a file and reads that into `text`. */
static void capture(void (*print)(void))
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_true(saved >= 0 && file != NULL);
    dup2(fileno(file), STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
}

static void names_every_option(const char *format)
{
    char wanted[128];
    for (int i = 0; i < option_row_count; i++) {
        snprintf(wanted, sizeof(wanted), format, option_rows[i].name);
        bool shown = option_is_shown(&option_rows[i]);
        if ((strstr(text, wanted) != NULL) != shown)
            fail_msg("%s: \"%s\"", shown ? "missing" : "should not be shown", wanted);
    }
}

static void test_help(void **state)
{
    (void)state;
    capture(options_print_help);
    names_every_option("--%s ");
    for (int i = 0; i < option_row_count; i++)
        assert_non_null(strstr(text, option_rows[i].group));
    assert_non_null(strstr(text, "-p, --port N"));
    assert_non_null(strstr(text, "[6379]"));
    assert_non_null(strstr(text, "--threads)"));
    assert_non_null(strstr(text, "--check-config"));
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (end - line > 80)
            fail_msg("too wide: %.*s", (int)(end - line), line);
    }
}

static void test_markdown(void **state)
{
    (void)state;
    capture(options_print_markdown);
    names_every_option("| `--%s ");
    assert_non_null(
        strstr(text, "| `--shards N\\|auto`, `-t`, `--threads` | `auto` | at start | "));
    assert_non_null(strstr(text, "| `--unixsocket PATH` | | at start | "));
    /* the documentation is that of the server's own build, whichever prints it */
    assert_non_null(strstr(text, "| `--activedefrag yes\\|no` | `yes` | CONFIG SET | "));
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        int bars = 0;
        for (char *p = line; p < end; p++)
            bars += *p == '|' && (p == line || p[-1] != '\\');
        assert_int_equal(bars, 5);
    }
}

static void test_man_and_completion(void **state)
{
    (void)state;
    capture(options_print_man);
    assert_non_null(strstr(text, "\\fB\\-p\\fR, \\fB\\-\\-port\\fR \\fIN\\fR\n"));
    capture(options_print_completion);
    names_every_option("--%s ");
    assert_non_null(strstr(text, "--loglevel) COMPREPLY=($(compgen -W 'debug verbose"));
}

/* Without its '#' the printed config file is a valid one that says what the defaults say. */
static void test_config(void **state)
{
    (void)state;
    struct host_limits host = { .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
    static struct settings settings, defaults;
    struct option_error error;
    int given = 0;
    options_defaults(&settings, &host);
    options_defaults(&defaults, &host);
    capture(options_print_config);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (line[0] != '#' || line[1] == ' ' || line[1] == '\0')
            continue;
        char *value = strchr(line, ' ');
        assert_non_null(value);
        const struct option *row = option_find(bytes_of(line + 1, (size_t)(value - line) - 1));
        assert_non_null(row);
        struct option_line directive = { bytes_str(row->name), bytes_str(value + 1), 1 };
        if (strcmp(value, " \"\"") == 0)
            directive.value = bytes_str("");
        /* what a build without jemalloc refuses is off there by default */
        if ((row->flags & OPTION_MAY_LACK) && !slabs_available())
            directive.value = bytes_str("no");
        if (!options_assign(&settings, &directive, SOURCE_FILE, &error))
            fail_msg("%s", error.text);
        given++;
    }
    int shown = 0;
    char now[OPTION_TEXT_MAX], then[OPTION_TEXT_MAX];
    for (int i = 0; i < option_row_count; i++) {
        shown += option_is_shown(&option_rows[i]);
        option_print(&option_rows[i], &settings, now);
        option_print(&option_rows[i], &defaults, then);
        assert_string_equal(now, then);
    }
    assert_int_equal(given, shown);
}

static void test_rows_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < option_row_count; i++) {
        const struct option *row = &option_rows[i];
        assert_ptr_equal(option_find(bytes_str(row->name)), row);
        assert_true(compat_find(bytes_str(row->name)) < 0);
        assert_true(row->alias == NULL || option_find(bytes_str(row->alias)) == row);
        assert_true(row->letter == '\0' || option_find_letter(row->letter) == row);
        assert_true(row->offset < sizeof(struct settings));
    }
    for (int i = 0; i < compat_count(); i++) {
        assert_int_equal(compat_find(bytes_str(compat_name(i))), i);
        assert_true(compat_alias(i) == NULL || compat_find(bytes_str(compat_alias(i))) == i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_man_and_completion),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_rows_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
