/*
 * compat.h - Redis's directives that have no meaning here, by index. See find.h for names.
 */
#ifndef SHOAL_OPTIONS_COMPAT_H
#define SHOAL_OPTIONS_COMPAT_H

#include "shoal/options/options.h"

int compat_count(void);
const char *compat_name(int index);
const char *compat_alias(int index); /* or NULL */

/* CONFIG GET shows it to its full name only. */
bool compat_hidden(int index);

/* Its value is a password or a part of one. */
bool compat_secret(int index);

/* From a config file, the environment or the command line: any value is taken. */
void compat_load(struct settings *settings, int index, struct bytes value);

/* CONFIG SET, which takes no value that would claim a feature. */
enum option_set_result compat_set(struct settings *settings, int index, struct bytes value,
                                  struct option_error *error);

/* NULL for a directive that CONFIG GET does not know. */
const char *compat_get(const struct settings *settings, int index);

#endif
