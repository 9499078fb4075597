/*
 * host_limits.h - how many CPUs and how much memory this process may use.
 *
 * The machine, narrowed by the affinity mask and by the cgroup, version 1 or 2, on every level from
 * the process's own group up to the root of what is mounted.
 */
#ifndef SHOAL_OPTIONS_HOST_LIMITS_H
#define SHOAL_OPTIONS_HOST_LIMITS_H

#include <stdint.h>

struct host_limits {
    int cpus;          /* min(affinity, quota), at least 1 */
    int cpus_affinity; /* CPUs in the mask */
    int cpus_quota;    /* the cgroup's quota rounded up; 0 = none */
    uint64_t memory;   /* bytes: min(machine, cgroup); 0 = unknown */
    uint64_t memory_machine;
    uint64_t memory_cgroup; /* 0 = no limit */
};

/* Where the kernel's files are; tests give their own. */
struct host_paths {
    const char *cgroup_root; /* /sys/fs/cgroup */
    const char *self_cgroup; /* /proc/self/cgroup */
    const char *meminfo;     /* /proc/meminfo */
};

/* A file that is missing or odd counts as no limit. Thread: startup. */
void host_limits_read(struct host_limits *limits, const struct host_paths *paths);

/* The same from the real files. Thread: startup. */
void host_limits_detect(struct host_limits *limits);

#endif
