/*
 * cpulist.h - "0,2-3" as numbers: CPUs, and other short lists of counts. Thread: any.
 */
#ifndef BENCH_CPULIST_H
#define BENCH_CPULIST_H

/* Fills out[max]; returns how many, 0 when the text is no such list or has too many. */
int cpulist_parse(const char *text, int *out, int max);

#endif
