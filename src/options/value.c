/*
 * value.c - text to an option's field and back, by the type of its row.
 *
 * Reasons are worded as Redis words them, since clients and its test suite match on them.
 */
#include "shoal/options/value.h"

#include "shoal/base/must.h"
#include "shoal/base/number.h"
#include "shoal/options/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

bool option_error_set(struct option_error *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof(error->text), format, list);
    va_end(list);
    return false;
}

bool option_next_word(struct bytes *text, struct bytes *word)
{
    const char *p = text->data, *end = text->data + text->size;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    const char *start = p;
    while (p < end && *p != ' ' && *p != '\t')
        p++;
    *word = bytes_of(start, (size_t)(p - start));
    *text = bytes_of(p, (size_t)(end - p));
    return word->size > 0;
}

bool option_bool(struct bytes value, bool *out)
{
    bool yes = bytes_is(value, "yes") || bytes_is(value, "true") || bytes_is(value, "1");
    bool no = bytes_is(value, "no") || bytes_is(value, "false") || bytes_is(value, "0");
    *out = yes;
    return yes || no;
}

bool option_in_range(int64_t value, int64_t min, int64_t max, struct option_error *error)
{
    if (value >= min && value <= max)
        return true;
    return option_error_set(error, "argument must be between %" PRId64 " and %" PRId64 " inclusive",
                            min, max);
}

bool option_memory(struct bytes value, int64_t min, int64_t max, int64_t *bytes,
                   struct option_error *error)
{
    uint64_t n;
    if (!number_parse_memory(value, &n))
        return option_error_set(error, "argument must be a memory value");
    /* above what an int64_t holds nothing is in range */
    if (!option_in_range(n > INT64_MAX ? -1 : (int64_t)n, min, max, error))
        return false;
    *bytes = (int64_t)n;
    return true;
}

static bool parse_integer(const struct option *row, void *field, struct bytes value,
                          struct option_error *error)
{
    int64_t n;
    if (!number_parse_i64(value, &n))
        return option_error_set(error, "argument couldn't be parsed into an integer");
    if (!option_in_range(n, row->min, row->max, error))
        return false;
    if (row->type == OPTION_INT)
        *(int *)field = (int)n;
    else
        *(int64_t *)field = n;
    return true;
}

static bool parse_duration(const struct option *row, int64_t *field, struct bytes value,
                           struct option_error *error)
{
    uint64_t ms;
    if (!number_parse_duration(value, &ms))
        return option_error_set(error,
                                "argument must be a duration, as 30, 30s, 500ms, 5m, 1h, 7d");
    if (ms > (uint64_t)row->max)
        return option_error_set(error, "argument must be at most %" PRId64 " seconds",
                                row->max / 1000);
    *field = (int64_t)ms;
    return true;
}

static bool parse_enum(const struct option *row, int *field, struct bytes value,
                       struct option_error *error)
{
    size_t used = (size_t)snprintf(error->text, sizeof(error->text),
                                   "argument(s) must be one of the following: ");
    for (int i = 0; row->word(i) != NULL; i++) {
        if (bytes_is(value, row->word(i))) {
            *field = i;
            return true;
        }
        used += (size_t)snprintf(error->text + used, sizeof(error->text) - used, "%s%s",
                                 i > 0 ? ", " : "", row->word(i));
        must(used < sizeof(error->text));
    }
    return false;
}

static bool parse_string(const struct option *row, char *field, struct bytes value,
                         struct option_error *error)
{
    if (value.size >= row->size)
        return option_error_set(error, "argument must be shorter than %d bytes", row->size);
    if (memchr(value.data, '\0', value.size) != NULL)
        return option_error_set(error, "argument must not hold a zero byte");
    memset(field, 0, row->size);
    memcpy(field, value.data, value.size);
    return true;
}

static bool parse_octal(int *field, struct bytes value, struct option_error *error)
{
    int n = 0;
    bool bad = value.size == 0 || value.size > 5;
    for (size_t i = 0; i < value.size && !bad; i++) {
        bad = value.data[i] < '0' || value.data[i] > '7';
        n = n * 8 + (value.data[i] - '0');
    }
    if (bad || n > 0777)
        return option_error_set(error, "argument must be an octal mode between 0 and 777");
    *field = n;
    return true;
}

bool option_parse(const struct option *row, struct settings *settings, struct bytes value,
                  struct option_error *error)
{
    void *field = (char *)settings + row->offset;
    bool flag;
    switch (row->type) {
    case OPTION_INT:
    case OPTION_INT64:
        return parse_integer(row, field, value, error);
    case OPTION_MEMORY:
        return option_memory(value, row->min, row->max, field, error);
    case OPTION_DURATION:
        return parse_duration(row, field, value, error);
    case OPTION_BOOL:
        if (!option_bool(value, &flag))
            return option_error_set(error, "argument must be 'yes' or 'no'");
        *(bool *)field = flag;
        return true;
    case OPTION_ENUM:
        return parse_enum(row, field, value, error);
    case OPTION_STRING:
        return parse_string(row, field, value, error);
    case OPTION_OCTAL:
        return parse_octal(field, value, error);
    }
    return row->parse(settings, value, error);
}

void option_print(const struct option *row, const struct settings *settings,
                  char out[OPTION_TEXT_MAX])
{
    const void *field = (const char *)settings + row->offset;
    switch (row->type) {
    case OPTION_INT:
        snprintf(out, OPTION_TEXT_MAX, "%d", *(const int *)field);
        return;
    case OPTION_INT64:
    case OPTION_MEMORY:
        snprintf(out, OPTION_TEXT_MAX, "%" PRId64, *(const int64_t *)field);
        return;
    case OPTION_DURATION:
        number_format_duration(out, (uint64_t) * (const int64_t *)field);
        return;
    case OPTION_BOOL:
        snprintf(out, OPTION_TEXT_MAX, "%s", *(const bool *)field ? "yes" : "no");
        return;
    case OPTION_ENUM:
        snprintf(out, OPTION_TEXT_MAX, "%s", row->word(*(const int *)field));
        return;
    case OPTION_STRING:
        snprintf(out, OPTION_TEXT_MAX, "%s", (const char *)field);
        return;
    case OPTION_OCTAL:
        snprintf(out, OPTION_TEXT_MAX, "%o", (unsigned)*(const int *)field);
        return;
    }
    row->print(settings, out);
}
