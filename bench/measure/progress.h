/*
 * progress.h - the live line on a terminal while a run goes on. Thread: main.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include "load/load.h"

struct progress {
    bool shown;
    const char *label;
    uint64_t last_ns, last_done;
};

/* Silent unless `wanted` and stderr is a terminal. */
void progress_init(struct progress *progress, bool wanted, const char *label);
void progress_show(struct progress *progress, const struct load *load, uint64_t start_ns,
                   uint64_t stop_ns, uint64_t done);

/* Wipes the line. */
void progress_fini(struct progress *progress);

#endif
