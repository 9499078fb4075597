/*
 * test_export.c - the table of docs/configuration.md, the man page, the completion and the config
 * file name every option.
 */
#include "shoal/options/export.h"

#include "capture.h"
#include "shoal/base/slab.h"
#include "shoal/options/assign.h"
#include "shoal/options/find.h"
#include "shoal/options/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    assert_non_null(strstr(text, ".TP\n.B FILE, \\-\\-config FILE\nread this config file"));
    assert_non_null(strstr(text, ".TP\n.B \\-v, \\-\\-version\n"));
    assert_null(strstr(text, "print\\-man"));
    capture(options_print_completion);
    names_every_option("--%s ");
    assert_non_null(strstr(text, "--loglevel) COMPREPLY=($(compgen -W 'debug verbose"));
    assert_non_null(strstr(text, "--config --check-config --print-config --help --version' "));
    assert_null(strstr(text, "--print-man"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_man_and_completion),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
