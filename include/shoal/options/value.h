/*
 * value.h - text to the field of a row and back, by the type of the row.
 */
#ifndef SHOAL_OPTIONS_VALUE_H
#define SHOAL_OPTIONS_VALUE_H

#include "shoal/options/table.h"

/* Writes `value`, which may hold several words, into the field; false: error says why. */
bool option_parse(const struct option *row, struct settings *settings, struct bytes value,
                  struct option_error *error);

/* The value as CONFIG GET shows it. */
void option_print(const struct option *row, const struct settings *settings,
                  char out[OPTION_TEXT_MAX]);

/* Returns false, so that a parser can end with it. */
bool option_error_set(struct option_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* False, with Redis's reason, when `value` is not between both. */
bool option_in_range(int64_t value, int64_t min, int64_t max, struct option_error *error);

/* A size such as 64mb between `min` >= 0 and `max`. */
bool option_memory(struct bytes value, int64_t min, int64_t max, int64_t *bytes,
                   struct option_error *error);

/* yes, true, 1 or no, false, 0; false for anything else. */
bool option_bool(struct bytes value, bool *out);

/* Takes the next word off `text`, by blanks; false at the end. */
bool option_next_word(struct bytes *text, struct bytes *word);

#endif
