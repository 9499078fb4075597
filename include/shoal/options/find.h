/*
 * find.h - options and directives by name, and the name that was probably meant.
 *
 * Names ignore case and take '_' for '-'.
 */
#ifndef SHOAL_OPTIONS_FIND_H
#define SHOAL_OPTIONS_FIND_H

#include "shoal/options/table.h"

/* By name or alias; NULL when unknown. */
const struct option *option_find(struct bytes name);

/* By the letter of -p; NULL when no option has it. */
const struct option *option_find_letter(char letter);

/* A directive of compat.h by name or alias; -1 when it is none. */
int compat_find(struct bytes name);

/* No log may show the value: it is a password, or the name is unknown and may be a password's. */
bool option_is_secret(struct bytes name);

/* The nearest known name, or NULL when none is near. */
const char *option_nearest(struct bytes name);

#endif
