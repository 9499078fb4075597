/*
 * environment.h - where and when a result was measured; a figure without that is worth little.
 */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

struct environment {
    char cpu[128], kernel[128], date[32];
    int cpus;
    char command[2048]; /* the line that was typed */
};

/* Thread: startup, or main. */
void environment_read(struct environment *environment, int argc, char **argv);

#endif
