/*
 * main.c - shoal-bench: one server, a sweep or a comparison, then the reports and the exit code.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "options.h"
#include "shoal/base/clock.h"
#include "shoal/base/mem.h"
#include "suite.h"
#include "trace.h"
#include "verify.h"

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2, EXIT_EXPECT = 5 };

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

/* The trace's and the verifier's own lines; returns whether the verifier is content. */
static bool report_special(const struct load *load, const struct result *result)
{
    const struct verify *v = load->verify;
    if (load->trace != NULL) {
        const struct tally *t = &result_median(result)->tally;
        double gets = (double)(t->hits + t->misses);
        printf("trace: %llu requests, %llu unique, miss ratio %.4f\n",
               (unsigned long long)load->trace->requests, (unsigned long long)load->trace->unique,
               gets > 0 ? (double)t->misses / gets : 0);
    }
    if (v == NULL)
        return true;
    printf("verify: %llu reads checked: %llu wrong, %llu missing, %llu stale\n",
           (unsigned long long)v->checked, (unsigned long long)v->wrong,
           (unsigned long long)v->missing, (unsigned long long)v->stale);
    if (verify_failures(v) > 0)
        printf("verify: %s\n", v->example);
    return verify_failures(v) == 0;
}

static bool any_lost(const struct result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t run = 0; run < results[i].runs; run++) {
            if (results[i].run[run].tally.closed > 0 || results[i].run[run].throughput == 0)
                return true;
        }
    }
    return false;
}

static int bench_one(struct options *options)
{
    static struct mix mixes[TESTS_MAX];
    struct result *results = mem_must_zalloc(sizeof(*results) * TESTS_MAX);
    options_settle(options);
    uint32_t count = suite_run(options, results, mixes);
    if (options->csv_old) {
        report_csv_head(stdout);
        for (uint32_t i = 0; i < count; i++)
            report_csv(stdout, &results[i]);
    } else if (!options->quiet) {
        report_table(stdout, results, count);
    }
    bool good = report_special(&options->load, &results[0]) && !any_lost(results, count);
    for (uint32_t i = 0; i < count; i++) {
        result_fini(&results[i]);
        mix_fini(&mixes[i]);
    }
    verify_free(&options->load.verify);
    trace_free(&options->load.trace);
    free(results);
    return good ? EXIT_GOOD : EXIT_BAD;
}

int main(int argc, char **argv)
{
    struct options options;
    options_parse(&options, argc, argv);
    set_up_process();
    return bench_one(&options);
}
