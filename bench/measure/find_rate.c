/*
 * find_rate.c - the highest open-loop rate at which a condition still holds.
 *
 * A closed loop gives the rate that cannot be passed; then the interval between a rate that holds
 * and one that does not is halved.
 */
#include <stdio.h>
#include <string.h>

#include "expect.h"
#include "suite.h"

enum { STEPS = 9 };

static bool holds_at(struct options *options, const struct expect *expect, double rate,
                     const struct server_facts *facts, struct result *result)
{
    char why[128] = "";
    struct load *load = &options->load;
    load->rate = rate;
    result_fini(result);
    suite_run_once(options, load, "", facts, result);
    const struct outcome *o = &result->run[0];
    bool good = o->sustained && expect_holds(expect, o, why);
    printf("%12.0f/s  achieved %12.0f/s  p99 %8.3f ms  %s%s\n", rate, o->throughput,
           outcome_figure(o, FIGURE_P99), good ? "holds" : "fails: ",
           good     ? ""
           : why[0] ? why
                    : "rate not sustained");
    fflush(stdout);
    return good;
}

int suite_find_rate(struct options *options, struct result *result, struct mix *mix)
{
    char error[ERROR_TEXT_MAX];
    struct expect expect;
    struct server_facts facts;
    struct load *load = &options->load;
    if (!expect_parse(options->find_rate, &expect))
        options_refuse("--find-rate: \"%s\" is no condition (p99<1ms)", options->find_rate);
    if (!suite_probe(load, &facts, error))
        options_refuse("no server: %s", error);
    load->mix = mix;
    load->requests = 0;
    load->seconds = load->seconds > 0 ? load->seconds : 1;
    load->rate = 0;
    suite_run_once(options, load, "", &facts, result);
    double low = 0, high = result->run[0].throughput;
    printf("closed loop: %.0f/s\n", high);
    for (int i = 0; i < STEPS && !run_interrupted(); i++) {
        double rate = (low + high) / 2;
        if (holds_at(options, &expect, rate, &facts, result))
            low = rate;
        else
            high = rate;
    }
    if (low > 0 && !run_interrupted())
        holds_at(options, &expect, low, &facts, result);
    printf("%s: %s holds up to %.0f requests/s\n", mix->name, options->find_rate, low);
    return low > 0 ? 0 : 1;
}
