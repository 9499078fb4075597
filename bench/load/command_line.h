/*
 * command_line.h - the command line of shoal-bench, one row an option; redis-benchmark's run
 * unchanged.
 */
#ifndef BENCH_COMMAND_LINE_H
#define BENCH_COMMAND_LINE_H

#include "load.h"

enum {
    OPTION_LIST_MAX = 16,
    SERVERS_MAX = 8,
    CLIENTS_DEFAULT = 50,
    CLIENTS_UNSAID = -1,
    REQUESTS_DEFAULT = 100000
};

enum output { OUTPUT_TABLE, OUTPUT_QUIET, OUTPUT_CSV, OUTPUT_JSON };

struct options {
    struct load load; /* strings and mix: see below */
    const char *uri, *protocol, *tests, *ratio, *command, *key_dist, *value_size, *ttl, *trace;
    const char *rate, *find_rate, *expect, *hgrm, *json, *csv, *report, *svg, *client_cpus,
        *server_cpus;
    const char *server[SERVERS_MAX]; /* compare, sweep: "name=command line" */
    int servers;
    const char *shards, *pipelines, *transports, *title;
    int data_size, key_size, mget, runs;
    long server_pid;
    double cross_percent;
    bool verify, flush, preload, quiet, csv_old, idle, keys_given;
    char *words[COMMAND_ARGS_MAX]; /* what follows the options: a command to send */
    int word_count;
};

/* Fills the defaults, then argv[1..]. Ends the process with 2 and a message on a bad option, with 0
 * for --help and --version. */
void options_parse(struct options *options, int argc, char **argv);

/* What depends on several options: sizes, key names, protocol. Ends the process with 2 if they do
 * not go together. */
void options_settle(struct options *options);

/* Message to stderr and exit(2). */
_Noreturn void options_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
