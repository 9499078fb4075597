/*
 * capture.h - what a function writes to standard output, as text.
 */
#ifndef TESTS_UNIT_OPTIONS_CAPTURE_H
#define TESTS_UNIT_OPTIONS_CAPTURE_H

#include "shoal/options/table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char text[128 * 1024];

/* Runs `print` with standard output in a file and reads that into `text`. */
static inline void capture(void (*print)(void))
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

/* `format` has one %s. Options that are not shown must not be in the text. */
static inline void names_every_option(const char *format)
{
    char wanted[128];
    for (int i = 0; i < option_row_count; i++) {
        snprintf(wanted, sizeof(wanted), format, option_rows[i].name);
        bool shown = option_is_shown(&option_rows[i]);
        if ((strstr(text, wanted) != NULL) != shown)
            fail_msg("%s: \"%s\"", shown ? "missing" : "should not be shown", wanted);
    }
}

#endif
