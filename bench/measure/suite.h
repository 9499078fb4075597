/*
 * suite.h - the tests of one command line, run one after another against one server. Thread: main.
 */
#ifndef BENCH_SUITE_H
#define BENCH_SUITE_H

#include "load/command_line.h"
#include "result.h"

enum { TESTS_MAX = 32 };

/* The mixes that the options ask for; ends the process with 2 when they make no sense. */
uint32_t suite_mixes(const struct options *options, struct mix mixes[TESTS_MAX]);

/* What is learned from the server before a run. */
struct server_facts {
    pid_t pid; /* 0 unknown or not on this machine */
    int shards;
    char version[VERSION_MAX]; /* memcached's, "" of others */
};

/* False, with the reason in error[ERROR_TEXT_MAX], when it does not answer. */
bool suite_probe(const struct load *load, struct server_facts *facts, char *error);

/* Names a result and adds one more run to it. */
void suite_run_once(const struct options *options, const struct load *load, const char *server,
                    const struct server_facts *facts, struct result *result);

typedef void result_fn(const struct result *result);

/* All tests, --runs times each, and `done` (may be NULL) with the result of each that has ended;
 * returns how many results there are (fewer after Ctrl-C). Ends the process with 2 when the server
 * cannot be reached. */
uint32_t suite_run(struct options *options, struct result *results, struct mix mixes[TESTS_MAX],
                   result_fn *done);

/* --find-rate: the highest rate that meets the expression; prints each step. Returns the exit
 * code. */
int suite_find_rate(struct options *options, struct result *result, struct mix *mix);

#endif
