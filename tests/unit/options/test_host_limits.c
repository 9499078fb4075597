/*
 * test_host_limits.c - CPU quota and memory limit from made-up cgroup files, versions 1 and 2.
 */
#include "shoal/options/host_limits.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/shoal-test-host-XXXXXX";
static char self_cgroup[64], meminfo[64];
static struct host_limits limits;

/* Writes a file below the root, with the folders it needs. */
static void put(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void measure(void)
{
    struct host_paths paths = { root, self_cgroup, meminfo };
    host_limits_read(&limits, &paths);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    if (mkdtemp(root) == NULL)
        return 1;
    snprintf(self_cgroup, sizeof(self_cgroup), "%s/self", root);
    snprintf(meminfo, sizeof(meminfo), "%s/meminfo", root);
    put("meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int affinity(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    return CPU_COUNT(&set);
}

static void test_nothing_to_read(void **state)
{
    (void)state;
    measure();
    assert_int_equal(limits.cpus, affinity());
    assert_int_equal(limits.cpus_quota, 0);
    assert_int_equal(limits.memory, 8000000ull * 1024);
    struct host_paths nowhere = { "/nonexistent", "/nonexistent", "/nonexistent" };
    host_limits_read(&limits, &nowhere);
    assert_int_equal(limits.memory, 0);
    assert_true(limits.cpus >= 1);
}

static void test_version_2(void **state)
{
    (void)state;
    put("self", "0::/a/b\n");
    put("a/b/cpu.max", "50000 100000\n");
    put("a/b/memory.max", "max\n");
    measure();
    assert_int_equal(limits.cpus_quota, 1);
    assert_int_equal(limits.cpus, 1);
    assert_int_equal(limits.memory_cgroup, 0);
    put("a/b/cpu.max", "250000 100000\n");
    put("a/b/memory.max", "1073741824\n");
    measure();
    assert_int_equal(limits.cpus_quota, 3);
    assert_int_equal(limits.cpus, affinity() < 3 ? affinity() : 3);
    assert_int_equal(limits.memory, 1073741824);
}

/* The narrowest level counts, the mount's root included; levels that are not there do not. */
static void test_levels(void **state)
{
    (void)state;
    put("self", "0::/gone/further/c\n");
    put("cpu.max", "max 100000\n");
    put("memory.max", "3000\n");
    measure();
    assert_int_equal(limits.cpus_quota, 0);
    assert_int_equal(limits.memory, 3000);
    put("gone/memory.max", "2000\n");
    put("gone/cpu.max", "400000 100000\n");
    put("gone/further/c/memory.max", "2500\n");
    put("gone/further/c/cpu.max", "600000 100000\n");
    measure();
    assert_int_equal(limits.memory, 2000);
    assert_int_equal(limits.cpus_quota, 4);
}

static void test_version_1(void **state)
{
    (void)state;
    put("self", "9:name=systemd:/\n5:cpu,cpuacct:/d\n4:memory:/e\n3:cpuset:/x\n");
    put("cpu/d/cpu.cfs_quota_us", "-1\n");
    put("cpu/d/cpu.cfs_period_us", "100000\n");
    put("memory/e/memory.limit_in_bytes", "9223372036854771712\n");
    measure();
    assert_int_equal(limits.cpus_quota, 0);
    assert_int_equal(limits.memory_cgroup, 0);
    put("cpu/d/cpu.cfs_quota_us", "150000\n");
    put("memory/e/memory.limit_in_bytes", "5000\n");
    measure();
    assert_int_equal(limits.cpus_quota, 2);
    assert_int_equal(limits.memory, 5000);
}

static void test_odd_files(void **state)
{
    (void)state;
    put("self", "garbage\n0:no-path\n:::\n0::/a\n");
    put("a/cpu.max", "0 0\n");
    put("a/memory.max", "0\n");
    measure();
    assert_int_equal(limits.cpus_quota, 0);
    assert_int_equal(limits.memory_cgroup, 0);
    put("a/cpu.max", "junk");
    put("a/memory.max", "");
    put("meminfo", "nothing");
    measure();
    assert_int_equal(limits.cpus, affinity());
    assert_int_equal(limits.memory, 0);
}

/* A limit above the machine does not raise it. */
static void test_more_than_the_machine(void **state)
{
    (void)state;
    put("self", "0::/\n");
    put("memory.max", "90000000000\n");
    put("cpu.max", "100000000 100000\n");
    measure();
    assert_int_equal(limits.memory, 8000000ull * 1024);
    assert_int_equal(limits.cpus, affinity());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_to_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_2, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_the_machine, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
