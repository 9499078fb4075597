/*
 * outputs.h - where the reports go: standard output and the files that options name. Thread: main.
 */
#ifndef BENCH_OUTPUTS_H
#define BENCH_OUTPUTS_H

#include "load/command_line.h"
#include "report.h"

/* Writes everything that was asked for. Ends the process with 2 when a file cannot be written. */
void outputs_write(const struct options *options, const struct environment *environment,
                   const struct result *results, uint32_t count, bool versus);

#endif
