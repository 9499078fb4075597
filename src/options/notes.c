/*
 * notes.c - the warnings of a load, and the directives it ignored.
 *
 * They are kept here rather than logged, because the options say where the log goes.
 */
#include "shoal/options/notes.h"

#include <stdarg.h>
#include <stdio.h>

enum { WARNINGS_MAX = 32, WARNING_BYTES = 320, IGNORED_BYTES = 8 * 1024 };

/* One load at a time, by the main thread. Beyond the limits the rest is not shown. */
static char warning_text[WARNINGS_MAX][WARNING_BYTES];
static const char *warnings[WARNINGS_MAX + 1];
static int warning_count;
static char ignored[IGNORED_BYTES];

void options_notes_clear(void)
{
    warning_count = 0;
    warnings[0] = NULL;
    ignored[0] = '\0';
}

void options_warn(const char *format, ...)
{
    if (warning_count == WARNINGS_MAX)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(warning_text[warning_count], WARNING_BYTES, format, list);
    va_end(list);
    warnings[warning_count] = warning_text[warning_count];
    warnings[++warning_count] = NULL;
}

/* Whole names only: "save" is in "no-save". */
static bool is_listed(const char *name)
{
    size_t size = strlen(name);
    for (const char *p = ignored; (p = strstr(p, name)) != NULL; p += size) {
        if ((p == ignored || p[-1] == ' ') && (p[size] == ',' || p[size] == '\0'))
            return true;
    }
    return false;
}

void options_note_ignored(const char *name)
{
    size_t used = strlen(ignored);
    if (!is_listed(name) && used + strlen(name) + 3 <= sizeof(ignored))
        snprintf(ignored + used, sizeof(ignored) - used, "%s%s", used > 0 ? ", " : "", name);
}

const char *options_ignored(void)
{
    return ignored;
}

const char *const *options_warnings(void)
{
    return warnings;
}
