/*
 * main.c - from the command line to a running server.
 */
#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/base/log.h"
#include "shoal/cmd/describe.h"
#include "shoal/commands.h"
#include "shoal/net/ring.h"
#include "shoal/options/load.h"
#include "shoal/server/server.h"
#include "shoal/stats/counters.h"
#include "shoal/stats/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct settings settings; /* 30 KB */
    commands_register();
    switch (options_load(&settings, argc, argv)) {
    case OPTIONS_EXIT_OK:
        return EXIT_CLEAN;
    case OPTIONS_EXIT_USAGE:
        return EXIT_USAGE;
    case OPTIONS_PRINT_COMMANDS:
        describe_markdown(stdout);
        return EXIT_CLEAN;
    case OPTIONS_PRINT_COUNTERS:
        counters_print_markdown(stdout);
        fputs("\nState of clients (`mem_state`), of which all kinds together may take "
              "`mem_state_limit` and one kind half:\n\n",
              stdout);
        state_print_markdown(stdout);
        return EXIT_CLEAN;
    case OPTIONS_START:
        break;
    }
    const struct ring_engine *uring = ring_engine_find("uring");
    const char *unknown = uring->features_unknown(settings.uring_features);
    if (unknown != NULL) {
        char known[RING_FEATURES_TEXT];
        uring->features_known(known);
        fprintf(stderr, "shoal: --uring-features: unknown feature at \"%s\"; known are %s\n",
                unknown, known);
        return EXIT_USAGE;
    }
    if (!log_open(settings.logfile)) {
        fprintf(stderr, "shoal: cannot open the log file %s: %s\n", settings.logfile,
                strerror(errno));
        return EXIT_RUNTIME;
    }
    log_set_level(settings.loglevel);
    clock_init();
    hash_seed();
    return server_run(&settings);
}
