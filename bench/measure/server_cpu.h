/*
 * server_cpu.h - the CPU time a process on this machine has used, finer than the 10 ms of ps.
 *
 * The sum is the kernel's run time of the process in nanoseconds (its CPU clock, ended threads
 * included); the split into user and system follows utime : stime of /proc/PID/stat over the same
 * time. Per thread: /proc/PID/task/TID/schedstat. Thread: any.
 */
#ifndef BENCH_SERVER_CPU_H
#define BENCH_SERVER_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CPU_THREADS_MAX = 128, THREAD_NAME_MAX = 16 }; /* further threads count in the sum only */

struct cpu_thread {
    pid_t tid;
    char name[THREAD_NAME_MAX];
    uint64_t run_ns;
};

struct cpu_sample {
    uint64_t at_ns, run_ns;
    uint64_t user_ticks, system_ticks;
    uint32_t threads;
    struct cpu_thread thread[CPU_THREADS_MAX];
};

/* False when there is no such process here. */
bool cpu_sample_take(pid_t pid, struct cpu_sample *sample);

struct cpu_usage {
    bool known;
    double seconds, user_s, system_s; /* of CPU time */
    double wall_s;
    double busiest_share; /* of a CPU, of the thread that ran most */
    uint32_t threads;     /* that ran at all, most first */
    struct cpu_thread thread[CPU_THREADS_MAX];
};

void cpu_usage_between(const struct cpu_sample *from, const struct cpu_sample *to,
                       struct cpu_usage *usage);

#endif
