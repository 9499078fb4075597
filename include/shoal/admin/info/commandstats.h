/*
 * commandstats.h - what a command has cost on all reactors, as INFO and LATENCY show it.
 */
#ifndef SHOAL_ADMIN_INFO_COMMANDSTATS_H
#define SHOAL_ADMIN_INFO_COMMANDSTATS_H

#include "shoal/stats/stats.h"

struct reactor;

/* The counters of one command, added up over all reactors. Thread: any reactor. */
struct command_figures {
    uint64_t calls, rejected, failed;
    uint64_t us;
    uint64_t latency[LATENCY_BUCKETS];
};
void command_figures_read(const struct reactor *here, uint32_t command_id,
                          struct command_figures *figures);

#endif
