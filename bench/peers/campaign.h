/*
 * campaign.h - sweep and compare: several servers or shard counts under the same loads,
 * interleaved.
 *
 * For every test, transport and pipeline each server is measured once before any is measured again
 * (ABAB), so that a slow drift of the machine hits all alike; the others are halted meanwhile.
 * Thread: main.
 */
#ifndef BENCH_CAMPAIGN_H
#define BENCH_CAMPAIGN_H

#include "measure/suite.h"

enum { CONTESTANTS_MAX = 32, CAMPAIGN_RESULTS_MAX = 1024 };

/* Runs the campaign into results[CAMPAIGN_RESULTS_MAX], all runs of one server in one result;
 * returns how many. Every server it started is stopped, also after Ctrl-C. Ends the process with 2
 * when one does not start. */
uint32_t campaign_run(struct options *options, struct result *results);

#endif
