/*
 * test_log.c - the shape of a line, levels, limits, and reopening after logrotate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shoal/base/log.h"

static char folder[] = "/tmp/shoal-test-log-XXXXXX";
static char path[64], moved[64], content[8192];

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/log", folder);
    snprintf(moved, sizeof(moved), "%s/log.1", folder);
    return log_open(path) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(moved);
    return rmdir(folder);
}

static int empty(void **state)
{
    (void)state;
    log_set_level(LOG_NOTICE);
    return truncate(path, 0);
}

static const char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    return content;
}

static void writes_time_pid_level_text(void **state)
{
    int year, pid, at = 0;
    (void)state;
    log_write(LOG_WARNING, "port %d is taken", 6379);
    const char *line = read_file(path);
    assert_int_equal(sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ %d %n", &year, &pid, &at), 2);
    assert_int_equal(at, (int)(strlen("2026-11-22T06:51:07.123Z  ") + strlen("warning") - 7) +
                             snprintf(NULL, 0, "%d", pid));
    assert_true(year >= 2026);
    assert_int_equal(pid, getpid());
    assert_string_equal(line + at, "warning port 6379 is taken\n");
}

static void drops_what_is_below_the_level(void **state)
{
    (void)state;
    log_write(LOG_VERBOSE, "no");
    log_set_level(LOG_DEBUG);
    log_write(LOG_DEBUG, "yes");
    log_set_level(LOG_NOTHING);
    log_write(LOG_WARNING, "no");
    const char *text = read_file(path);
    assert_non_null(strstr(text, " debug yes\n"));
    assert_null(strstr(text, "no"));
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    log_write(LOG_NOTICE, "a%sb", "\r\n\x1b[2J\x7f");
    assert_non_null(strstr(read_file(path), " notice a   [2J b\n"));
}

static void cuts_long_lines(void **state)
{
    char word[3000];
    (void)state;
    memset(word, 'x', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    log_write(LOG_NOTICE, "%s", word);
    const char *text = read_file(path);
    assert_int_equal(strlen(text), 1023);
    assert_int_equal(text[1021], 'x');
    assert_int_equal(text[1022], '\n');
}

static void reopens(void **state)
{
    (void)state;
    log_write(LOG_NOTICE, "before");
    assert_int_equal(rename(path, moved), 0);
    log_write(LOG_NOTICE, "moved");
    assert_true(log_reopen());
    log_write(LOG_NOTICE, "after");
    const char *text = read_file(path);
    assert_non_null(strstr(text, "after"));
    assert_null(strstr(text, "moved"));
    text = read_file(moved);
    assert_non_null(strstr(text, "before"));
    assert_non_null(strstr(text, "moved"));
}

static void refuses_a_path_that_cannot_be(void **state)
{
    (void)state;
    assert_false(log_open("/nonexistent/folder/log"));
    log_write(LOG_NOTICE, "still here");
    assert_non_null(strstr(read_file(path), "still here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(writes_time_pid_level_text, empty),
        cmocka_unit_test_setup(drops_what_is_below_the_level, empty),
        cmocka_unit_test_setup(a_line_stays_one_line, empty),
        cmocka_unit_test_setup(cuts_long_lines, empty),
        cmocka_unit_test_setup(reopens, empty),
        cmocka_unit_test_setup(refuses_a_path_that_cannot_be, empty),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
