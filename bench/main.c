/*
 * main.c - shoal-bench: one server, a sweep or a comparison, then the reports and the exit code.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "load/command_line.h"
#include "load/trace.h"
#include "load/verify.h"
#include "measure/expect.h"
#include "measure/idle.h"
#include "measure/suite.h"
#include "peers/campaign.h"
#include "report/outputs.h"
#include "shoal/base/clock.h"
#include "shoal/base/mem.h"

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_EXPECT = 5 };

static struct mix mixes[TESTS_MAX];

static void on_signal(int number)
{
    (void)number;
    run_interrupt();
}

static void set_up_process(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    struct rlimit files;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    clock_init();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void report_trace(const struct load *load, const struct result *result)
{
    if (load->trace == NULL || result->runs == 0)
        return;
    const struct tally *t = &result_median(result)->tally;
    double gets = (double)(t->hits + t->misses);
    printf("trace: %llu requests, %llu unique, miss ratio %.4f\n",
           (unsigned long long)load->trace->requests, (unsigned long long)load->trace->unique,
           gets > 0 ? (double)t->misses / gets : 0);
}

/* False when a value came back that should not have. */
static bool report_verify(const struct verify *v)
{
    if (v == NULL)
        return true;
    printf("verify: %llu reads checked: %llu wrong, %llu missing, %llu stale\n",
           (unsigned long long)v->checked, (unsigned long long)v->wrong,
           (unsigned long long)v->missing, (unsigned long long)v->stale);
    if (verify_failures(v) > 0)
        printf("verify: %s\n", v->example);
    return verify_failures(v) == 0;
}

/* Connections, or all of a test's replies. */
static bool any_lost(const struct result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t run = 0; run < results[i].runs; run++) {
            if (results[i].run[run].tally.closed > 0)
                return true;
        }
        if (result_spread(&results[i], FIGURE_THROUGHPUT).median <= 0)
            return true;
    }
    return false;
}

/* Judges the median run of each test. */
static bool meets(const char *text, const struct result *results, uint32_t count)
{
    struct expect expect;
    bool good = true;
    char why[128];
    if (text == NULL)
        return true;
    if (!expect_parse(text, &expect))
        options_refuse("--expect: \"%s\" is no list of conditions (p99<2ms,ops>100000)", text);
    for (uint32_t i = 0; i < count; i++) {
        if (results[i].runs > 0 && expect_holds(&expect, result_median(&results[i]), why))
            continue;
        fprintf(stderr, "not as expected: %s: %s\n", results[i].name,
                results[i].runs ? why : "no run");
        good = false;
    }
    return good;
}

static int finish(struct options *options, const struct environment *environment,
                  struct result *results, uint32_t count, bool versus)
{
    outputs_write(options, environment, results, count, versus);
    report_trace(&options->load, &results[0]);
    bool good = report_verify(options->load.verify) && !any_lost(results, count);
    bool expected = meets(options->expect, results, count);
    for (uint32_t i = 0; i < count; i++)
        result_fini(&results[i]);
    return !good ? EXIT_BAD : expected ? EXIT_GOOD : EXIT_EXPECT;
}

static void print_quiet(const struct result *result)
{
    report_quiet(stdout, result);
}

static int bench_one(struct options *options, const struct environment *environment)
{
    struct result *results = mem_must_zalloc(sizeof(*results) * TESTS_MAX);
    int code;
    if (options->find_rate != NULL) {
        suite_mixes(options, mixes);
        code = suite_find_rate(options, &results[0], &mixes[0]);
        result_fini(&results[0]);
    } else {
        uint32_t count = suite_run(options, results, mixes, options->quiet ? print_quiet : NULL);
        code = count > 0 ? finish(options, environment, results, count, false) : EXIT_BAD;
    }
    for (uint32_t i = 0; i < TESTS_MAX; i++)
        mix_fini(&mixes[i]);
    verify_free(&options->load.verify);
    trace_free(&options->load.trace);
    free(results);
    return code;
}

static int bench_many(struct options *options, const struct environment *environment, bool versus)
{
    struct result *results = mem_must_zalloc(sizeof(*results) * CAMPAIGN_RESULTS_MAX);
    uint32_t count = campaign_run(options, results);
    int code = count > 0 ? finish(options, environment, results, count, versus) : EXIT_BAD;
    free(results);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct environment environment;
    struct expect expect;
    bool many = argc > 1 && (strcmp(argv[1], "sweep") == 0 || strcmp(argv[1], "compare") == 0);
    environment_read(&environment, argc, argv);
    options_parse(&options, argc - many, argv + many);
    set_up_process();
    options_settle(&options);
    if (options.expect != NULL && !expect_parse(options.expect, &expect))
        options_refuse("--expect: \"%s\" is no list of conditions (p99<2ms,ops>100000)",
                       options.expect);
    if (options.idle)
        return idle_hold(&options.load);
    if (many) /* a sweep may have more columns than a screen: it gets one line each */
        return bench_many(&options, &environment, strcmp(argv[1], "compare") == 0);
    return bench_one(&options, &environment);
}
