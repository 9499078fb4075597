/*
 * progress.c - "GET  1.24 M/s  3.1 s of 5 s", rewritten in place.
 */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "shoal/base/clock.h"

enum { SHOW_NS = 200 * 1000000 };

void progress_init(struct progress *progress, bool wanted, const char *label)
{
    progress->shown = wanted && isatty(STDERR_FILENO);
    progress->label = label;
    progress->last_ns = clock_mono_ns();
    progress->last_done = 0;
}

void progress_show(struct progress *progress, const struct load *load, uint64_t start_ns,
                   uint64_t stop_ns, uint64_t done)
{
    uint64_t now = clock_mono_ns();
    if (!progress->shown || now - progress->last_ns < SHOW_NS)
        return;
    double rate = (double)(done - progress->last_done) * 1e9 / (double)(now - progress->last_ns);
    double elapsed = (double)(now - start_ns) / 1e9;
    fprintf(stderr, "\r\033[K%s  %.0f requests/s  ", progress->label ? progress->label : "", rate);
    if (load->requests > 0)
        fprintf(stderr, "%.0f %%", 100.0 * (double)done / (double)load->requests);
    else if (stop_ns != UINT64_MAX)
        fprintf(stderr, "%.1f of %.1f s", elapsed, (double)(stop_ns - start_ns) / 1e9);
    fflush(stderr);
    progress->last_ns = now;
    progress->last_done = done;
}

void progress_fini(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
}
