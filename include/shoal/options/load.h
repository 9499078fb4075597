/*
 * load.h - reads the options at start.
 */
#ifndef SHOAL_OPTIONS_LOAD_H
#define SHOAL_OPTIONS_LOAD_H

#include "shoal/options/actions.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/options.h"

enum options_result {
    OPTIONS_START,          /* run with these settings */
    OPTIONS_EXIT_OK,        /* --help, --version, a good --check-config: already printed */
    OPTIONS_EXIT_USAGE,     /* bad input: already printed to stderr, exit code 2 */
    OPTIONS_PRINT_COMMANDS, /* --print-commands-markdown: for the caller, which knows them */
    OPTIONS_PRINT_COUNTERS, /* --print-counters-markdown: the same with the counters */
};

/*
 * Defaults, then the config file (first argument without dashes, or --config), then the environment
 * SHOAL_*, then the command line; each overrides what is before it. Resolves `auto` and
 * percentages. Thread: startup.
 */
enum options_result options_load(struct settings *settings, int argc, char **argv);

struct options_request {
    const struct option_action *print; /* NULL: nothing is to be printed */
    bool check_config;
};

/* options_load() without the printing; tests give the host and the environment. */
bool options_parse(struct settings *settings, const struct host_limits *host, int argc, char **argv,
                   char **environment, struct options_request *request, struct option_error *error);

#endif
