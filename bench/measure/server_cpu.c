/*
 * server_cpu.c - what a process has cost, from its CPU clock and /proc.
 */
#include "server_cpu.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shoal/base/clock.h"

static bool read_text(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t got = fread(out, 1, size - 1, file);
    out[got] = '\0';
    fclose(file);
    return got > 0;
}

static bool read_ticks(pid_t pid, struct cpu_sample *sample)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (!read_text(path, text, sizeof(text)))
        return false;
    const char *after_name = strrchr(text, ')'); /* the name may hold anything */
    return after_name != NULL &&
           sscanf(after_name + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                  &sample->user_ticks, &sample->system_ticks) == 2;
}

static void read_thread(pid_t pid, const char *tid, struct cpu_sample *sample)
{
    char path[96], text[128];
    struct cpu_thread *thread = &sample->thread[sample->threads];
    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, tid);
    if (!read_text(path, text, sizeof(text)) || sscanf(text, "%" SCNu64, &thread->run_ns) != 1)
        return;
    thread->tid = (pid_t)atoi(tid);
    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, tid);
    if (!read_text(path, text, sizeof(text)))
        return;
    text[strcspn(text, "\n")] = '\0';
    snprintf(thread->name, sizeof(thread->name), "%.15s", text);
    sample->threads++;
}

static void read_threads(pid_t pid, struct cpu_sample *sample)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    struct dirent *entry;
    sample->threads = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL && sample->threads < CPU_THREADS_MAX) {
        if (entry->d_name[0] != '.')
            read_thread(pid, entry->d_name, sample);
    }
    if (dir != NULL)
        closedir(dir);
}

bool cpu_sample_take(pid_t pid, struct cpu_sample *sample)
{
    clockid_t clock;
    struct timespec t;
    if (pid <= 0 || !read_ticks(pid, sample) || clock_getcpuclockid(pid, &clock) != 0)
        return false;
    read_threads(pid, sample);
    if (clock_gettime(clock, &t) != 0)
        return false;
    sample->at_ns = clock_mono_ns();
    sample->run_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    return true;
}

static int by_run_time(const void *a, const void *b)
{
    const struct cpu_thread *x = a, *y = b;
    return x->run_ns < y->run_ns ? 1 : x->run_ns > y->run_ns ? -1 : 0;
}

static uint64_t run_before(const struct cpu_sample *from, pid_t tid)
{
    for (uint32_t i = 0; i < from->threads; i++) {
        if (from->thread[i].tid == tid)
            return from->thread[i].run_ns;
    }
    return 0;
}

void cpu_usage_between(const struct cpu_sample *from, const struct cpu_sample *to,
                       struct cpu_usage *usage)
{
    double user = (double)(to->user_ticks - from->user_ticks);
    double system = (double)(to->system_ticks - from->system_ticks);
    double share = user + system > 0 ? user / (user + system) : 0;
    *usage = (struct cpu_usage){ .known = true };
    usage->seconds = (double)(to->run_ns - from->run_ns) / 1e9;
    usage->user_s = usage->seconds * share;
    usage->system_s = usage->seconds - usage->user_s;
    usage->wall_s = (double)(to->at_ns - from->at_ns) / 1e9;
    for (uint32_t i = 0; i < to->threads; i++) {
        struct cpu_thread thread = to->thread[i];
        thread.run_ns -= run_before(from, thread.tid);
        if (thread.run_ns > 0)
            usage->thread[usage->threads++] = thread;
    }
    qsort(usage->thread, usage->threads, sizeof(usage->thread[0]), by_run_time);
    if (usage->threads > 0 && usage->wall_s > 0)
        usage->busiest_share = (double)usage->thread[0].run_ns / 1e9 / usage->wall_s;
}
