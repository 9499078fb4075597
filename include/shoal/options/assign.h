/*
 * assign.h - gives options their values while loading, and settles what depends on several.
 */
#ifndef SHOAL_OPTIONS_ASSIGN_H
#define SHOAL_OPTIONS_ASSIGN_H

#include "shoal/options/file.h"
#include "shoal/options/host_limits.h"

enum option_source {
    SOURCE_DEFAULT,
    SOURCE_FILE,
    SOURCE_ENVIRONMENT,
    SOURCE_ARGUMENT,
    SOURCE_CONFIG_SET,
};

/* Every option at its default; what is `auto` is settled by options_resolve(). */
void options_defaults(struct settings *settings, const struct host_limits *host);

/* One directive by name, from a file, the environment or the command line. */
bool options_assign(struct settings *settings, const struct option_line *line,
                    enum option_source source, struct option_error *error);

/* Settles `auto`, and warns. */
void options_resolve(struct settings *settings, const struct host_limits *host);

#endif
