/*
 * config.c - the options of a running server: CONFIG GET, CONFIG SET, and SIGHUP.
 */
#include "shoal/options/config.h"

#include "shoal/base/glob.h"
#include "shoal/options/assign.h"
#include "shoal/options/compat.h"
#include "shoal/options/file.h"
#include "shoal/options/find.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <stdio.h>

/* ---- CONFIG SET ---------------------------------------------------------- */

/* Whether the option has that value already, because clients set what they have read before. */
static bool is_present_value(const struct option *row, const struct settings *settings,
                             struct bytes value)
{
    struct settings other = *settings;
    struct option_error unused;
    char now[OPTION_TEXT_MAX], then[OPTION_TEXT_MAX];
    if (!option_parse(row, &other, value, &unused))
        return false;
    option_print(row, settings, now);
    option_print(row, &other, then);
    return strcmp(now, then) == 0;
}

enum option_set_result option_set(struct settings *settings, struct bytes name, struct bytes value,
                                  struct option_error *error)
{
    const struct option *row = option_find(name);
    if (row == NULL) {
        int directive = compat_find(name);
        return directive < 0 ? OPTION_UNKNOWN : compat_set(settings, directive, value, error);
    }
    if (row->flags & OPTION_AT_START) {
        if (is_present_value(row, settings, value))
            return OPTION_SET;
        option_error_set(error, "can't set immutable config");
        return OPTION_IMMUTABLE;
    }
    if (!option_parse(row, settings, value, error))
        return OPTION_BAD;
    settings->_source[row - option_rows] = SOURCE_CONFIG_SET;
    return OPTION_SET;
}

/* ---- CONFIG GET ---------------------------------------------------------- */

static bool is_asked(struct bytes pattern, const char *name, bool hidden)
{
    if (name == NULL)
        return false;
    return hidden ? bytes_is(pattern, name) : glob_match(pattern, bytes_str(name), true);
}

static void match_row(const struct option *row, const struct settings *settings,
                      struct bytes pattern, option_each_fn each, void *context)
{
    char value[OPTION_TEXT_MAX];
    bool name = is_asked(pattern, row->name, false), alias = is_asked(pattern, row->alias, false);
    if (!name && !alias)
        return;
    option_print(row, settings, value);
    if (name)
        each(context, row->name, value);
    if (alias)
        each(context, row->alias, value);
}

void options_match(const struct settings *settings, struct bytes pattern, option_each_fn each,
                   void *context)
{
    for (int i = 0; i < option_row_count; i++)
        match_row(&option_rows[i], settings, pattern, each, context);
    for (int i = 0; i < compat_count(); i++) {
        const char *value = compat_get(settings, i);
        bool hidden = compat_hidden(i);
        if (value != NULL && is_asked(pattern, compat_name(i), hidden))
            each(context, compat_name(i), value);
        if (value != NULL && is_asked(pattern, compat_alias(i), hidden))
            each(context, compat_alias(i), value);
    }
}

/* ---- SIGHUP -------------------------------------------------------------- */

static bool file_line(void *context, const struct option_line *line, struct option_error *error)
{
    return options_assign(context, line, SOURCE_FILE, error);
}

/* Takes one option from the file as it is now, unless something stronger has set it. */
static void reload_row(const struct option *row, struct settings *settings,
                       const struct settings *fresh)
{
    int index = (int)(row - option_rows);
    int was = settings->_source[index];
    bool in_file = fresh->_source[index] == SOURCE_FILE;
    if (was == SOURCE_ENVIRONMENT || was == SOURCE_ARGUMENT || (!in_file && was != SOURCE_FILE))
        return;
    char now[OPTION_TEXT_MAX], then[OPTION_TEXT_MAX];
    option_print(row, settings, now);
    option_print(row, fresh, then);
    if (row->flags & OPTION_AT_START) {
        if (strcmp(now, then) != 0)
            options_warn("%s: the new value counts from the next start", row->name);
        return;
    }
    if (row->given != NULL)
        row->given(fresh, then);
    struct option_error unused;
    option_parse(row, settings, bytes_str(then), &unused);
    settings->_source[index] = fresh->_source[index];
}

bool options_reload(struct settings *settings, struct option_error *error)
{
    struct host_limits host;
    struct settings fresh;
    host_limits_detect(&host);
    options_notes_clear();
    options_defaults(&fresh, &host);
    if (settings->config_file[0] == '\0')
        return option_error_set(error, "there is no config file to read again");
    if (!options_file_read(settings->config_file, file_line, &fresh, error))
        return false;
    options_resolve(&fresh, &host);
    settings->host_memory = host.memory;
    for (int i = 0; i < option_row_count; i++)
        reload_row(&option_rows[i], settings, &fresh);
    for (int i = 0; i < compat_count(); i++) {
        if (fresh._remembered[i][0] != '\0')
            memcpy(settings->_remembered[i], fresh._remembered[i], SETTINGS_REMEMBERED_BYTES);
    }
    return true;
}
