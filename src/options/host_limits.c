/*
 * host_limits.c - reads the CPU quota and the memory limit of this process's cgroup.
 *
 * Inside a container the path in /proc/self/cgroup is often that of the host, which is not mounted;
 * so every level of the path is tried and what is missing does not count. The mount's root is the
 * last level, and with a cgroup namespace the only one.
 */
#include "shoal/options/host_limits.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 16 * 1024, CGROUP_CPUS_MAX = 4096 };

/* Version 1 writes "no limit" as a number close to 2^63. */
static const uint64_t MEMORY_UNLIMITED = (uint64_t)1 << 60;

/* The narrowest limit met so far; 0 = none. */
struct found {
    uint64_t cpu_millis; /* thousandths of a CPU */
    uint64_t memory;
};

/* What version 1 and 2 call the same things. */
struct hierarchy {
    const char *mount;      /* below the cgroup root */
    const char *controller; /* as in /proc/self/cgroup; "" is version 2's line */
};
static const struct hierarchy hierarchies[] = {
    { "", "" },
    { "/unified", "" },
    { "/cpu", "cpu" },
    { "/cpu,cpuacct", "cpu" },
    { "/memory", "memory" },
};

/* The file as text; false when it cannot be read. */
static bool read_text(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t got = fread(out, 1, size - 1, file);
    fclose(file);
    out[got] = '\0';
    return true;
}

static bool read_in(const char *directory, const char *name, char *out, size_t size)
{
    char path[PATH_MAX + 64];
    return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) &&
           read_text(path, out, size);
}

static void narrow(uint64_t *limit, uint64_t value)
{
    if (value > 0 && (*limit == 0 || value < *limit))
        *limit = value;
}

static void narrow_cpu(struct found *found, int64_t quota_us, int64_t period_us)
{
    if (quota_us > 0 && period_us > 0 && quota_us / period_us < CGROUP_CPUS_MAX)
        narrow(&found->cpu_millis,
               ((uint64_t)quota_us * 1000 + (uint64_t)period_us - 1) / (uint64_t)period_us);
}

static void narrow_memory(struct found *found, const char *text)
{
    char *end;
    uint64_t bytes = strtoull(text, &end, 10); /* "max" has no digits */
    if (end > text && bytes < MEMORY_UNLIMITED)
        narrow(&found->memory, bytes);
}

/* One level of one hierarchy; files of the other version are simply missing. */
static void read_level(struct found *found, const char *directory)
{
    char text[256], period[256];
    int64_t quota_us, period_us;
    if (read_in(directory, "cpu.max", text, sizeof(text)) &&
        sscanf(text, "%" SCNd64 " %" SCNd64, &quota_us, &period_us) == 2)
        narrow_cpu(found, quota_us, period_us);
    if (read_in(directory, "cpu.cfs_quota_us", text, sizeof(text)) &&
        read_in(directory, "cpu.cfs_period_us", period, sizeof(period)))
        narrow_cpu(found, strtoll(text, NULL, 10), strtoll(period, NULL, 10));
    if (read_in(directory, "memory.max", text, sizeof(text)))
        narrow_memory(found, text);
    if (read_in(directory, "memory.limit_in_bytes", text, sizeof(text)))
        narrow_memory(found, text);
}

/* Every level from mount + path up to the mount itself. */
static void read_levels(struct found *found, const char *mount, const char *path)
{
    char directory[PATH_MAX];
    size_t root = strlen(mount);
    if (snprintf(directory, sizeof(directory), "%s%s", mount, path) >= (int)sizeof(directory))
        return;
    for (;;) {
        read_level(found, directory);
        char *slash = strrchr(directory, '/');
        if (strlen(directory) <= root || slash == NULL || slash < directory + root)
            return;
        *slash = '\0';
    }
}

/* True when `word` is one of the comma-separated `list`; "" only equals the empty list. */
static bool has_controller(const char *list, const char *word)
{
    size_t size = strlen(word);
    if (size == 0)
        return *list == '\0';
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += size) {
        if ((p == list || p[-1] == ',') && (p[size] == ',' || p[size] == '\0'))
            return true;
    }
    return false;
}

/* One line "id:controllers:path" of /proc/self/cgroup. */
static void read_line(struct found *found, const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL)
        return;
    *controllers++ = '\0';
    *path++ = '\0';
    for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++) {
        char mount[PATH_MAX];
        if (has_controller(controllers, hierarchies[i].controller) &&
            snprintf(mount, sizeof(mount), "%s%s", root, hierarchies[i].mount) < (int)sizeof(mount))
            read_levels(found, mount, path);
    }
}

static void read_cgroup(struct found *found, const struct host_paths *paths)
{
    char text[FILE_BYTES], *rest = text;
    if (!read_text(paths->self_cgroup, text, sizeof(text)))
        return;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        read_line(found, paths->cgroup_root, line);
}

static uint64_t read_machine_memory(const char *meminfo)
{
    char text[FILE_BYTES];
    uint64_t kib;
    const char *line = read_text(meminfo, text, sizeof(text)) ? strstr(text, "MemTotal:") : NULL;
    return line != NULL && sscanf(line, "MemTotal: %" SCNu64, &kib) == 1 ? kib * 1024 : 0;
}

static int count_affinity(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
    return count > 0 ? count : 1; /* more than 1,024 CPUs: not a machine we know */
}

void host_limits_read(struct host_limits *limits, const struct host_paths *paths)
{
    struct found found = { 0, 0 };
    read_cgroup(&found, paths);
    *limits = (struct host_limits){
        .cpus_affinity = count_affinity(),
        .cpus_quota = (int)((found.cpu_millis + 999) / 1000),
        .memory_machine = read_machine_memory(paths->meminfo),
        .memory_cgroup = found.memory,
    };
    bool quota = limits->cpus_quota > 0 && limits->cpus_quota < limits->cpus_affinity;
    limits->cpus = quota ? limits->cpus_quota : limits->cpus_affinity;
    limits->memory = limits->memory_machine;
    narrow(&limits->memory, limits->memory_cgroup);
}

void host_limits_detect(struct host_limits *limits)
{
    static const struct host_paths paths = { "/sys/fs/cgroup", "/proc/self/cgroup",
                                             "/proc/meminfo" };
    host_limits_read(limits, &paths);
}
