/*
 * test_evict_traces.c - miss ratios on recorded traces, against what the policies are known to
 * reach on them. Skipped where the traces are not.
 *
 *   OLTP.lis.zst                        text: first block, count, two fields ignored; from N.
 *                                       Megiddo and D. Modha, "ARC: A Self-Tuning, Low Overhead
 *                                       Replacement Cache", FAST 2003
 *   cloudPhysicsIO.oracleGeneral.bin    records of 24 bytes: u32 time, u64 id, u32 size, i64 next;
 *                                       the sample of libCacheSim
 *
 * They are looked for in $SHOAL_TRACES, and in any folder `traces` beside this project's.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "unit/store/cache_sim.h"

#include <cmocka.h>

#include <glob.h>
#include <math.h>

enum { RECORD_BYTES = 24, SIZES = 4 };
#define MISS_ERROR .006

struct trace {
    uint64_t *id;
    uint64_t count, capacity, unique;
};

static void trace_add(struct trace *trace, uint64_t id)
{
    if (trace->count == trace->capacity) {
        trace->capacity = trace->capacity == 0 ? 1 << 16 : trace->capacity * 2;
        trace->id = realloc(trace->id, trace->capacity * sizeof(*trace->id));
    }
    trace->id[trace->count++] = id;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void count_unique(struct trace *trace)
{
    uint64_t *sorted = malloc(trace->count * sizeof(*sorted));
    memcpy(sorted, trace->id, trace->count * sizeof(*sorted));
    qsort(sorted, trace->count, sizeof(*sorted), by_id);
    for (uint64_t i = 0; i < trace->count; i++)
        trace->unique += i == 0 || sorted[i] != sorted[i - 1];
    free(sorted);
}

static bool find_file(const char *name, char path[512])
{
    glob_t found;
    const char *folder = getenv("SHOAL_TRACES");
    snprintf(path, 512, "%s/%s", folder != NULL ? folder : "../*/traces", name);
    bool ok = glob(path, 0, NULL, &found) == 0;
    if (ok)
        snprintf(path, 512, "%s", found.gl_pathv[0]);
    globfree(&found);
    return ok;
}

static void load_oltp(const char *path, struct trace *trace)
{
    char command[600], line[256];
    snprintf(command, sizeof(command), "zstd -dcq '%s'", path);
    FILE *file = popen(command, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned long first = 0, count = 0;
        if (sscanf(line, "%lu %lu", &first, &count) == 2)
            for (unsigned long i = 0; i < count; i++)
                trace_add(trace, first + i);
    }
    pclose(file);
}

static void load_cloud_physics(const char *path, struct trace *trace)
{
    char record[RECORD_BYTES];
    uint64_t id;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fread(record, sizeof(record), 1, file) == 1) {
        memcpy(&id, record + 4, sizeof(id));
        trace_add(trace, id);
    }
    fclose(file);
}

struct ratios {
    double miss, at_twice; /* the second as the shard estimates it */
};

static struct ratios replay(const struct trace *trace, uint64_t items, const char *policy)
{
    struct cache_sim sim;
    sim_init(&sim, items, policy);
    for (uint64_t i = 0; i < trace->count; i++)
        sim_access(&sim, trace->id[i]);
    const struct ghost_book *book = &sim.keyspace->_ghosts;
    struct ratios ratios = { .miss = sim_miss_ratio(&sim) };
    ratios.at_twice = ratios.miss - (book->would_hit[0] + book->would_hit[1]) / (double)sim.gets;
    assert_true(sim_kept_budget(&sim));
    assert_in_range(sim.keys_max, items * 97 / 100, items * 103 / 100 + 32);
    sim_fini(&sim);
    return ratios;
}

static const unsigned per_mille[SIZES] = { 10, 50, 100, 250 };

/* Both policies; sweep-S3 also with twice the memory, which it should have foretold. */
static void compare(struct trace *trace, const double s3[SIZES], const double clock[SIZES],
                    double estimate_error)
{
    count_unique(trace);
    printf("  %lu requests, %lu unique\n", (unsigned long)trace->count,
           (unsigned long)trace->unique);
    for (int i = 0; i < SIZES; i++) {
        uint64_t items = trace->unique * per_mille[i] / 1000;
        struct ratios got = replay(trace, items, "allkeys-s3fifo");
        double of_clock = replay(trace, items, "allkeys-clock").miss;
        double twice = replay(trace, items * 2, "allkeys-s3fifo").miss;
        printf("  %6lu items: sweep-S3 %.4f (known %.3f)  clock %.4f (%.3f)  with twice the memory "
               "%.4f (foretold %.3f)\n",
               (unsigned long)items, got.miss, s3[i], of_clock, clock[i], twice, got.at_twice);
        assert_true(fabs(got.miss - s3[i]) < MISS_ERROR);
        assert_true(fabs(of_clock - clock[i]) < MISS_ERROR);
        assert_true(fabs(twice - got.at_twice) < estimate_error);
    }
    free(trace->id);
}

static void oltp(void **state)
{
    (void)state;
    static const double s3[SIZES] = { .543, .387, .327, .261 };
    static const double clock[SIZES] = { .557, .390, .326, .262 };
    struct trace trace = { 0 };
    char path[512];
    if (!find_file("OLTP.lis.zst", path) || system("zstd --version >/dev/null 2>&1") != 0) {
        printf("skipped: no OLTP.lis.zst, or no zstd to read it\n");
        skip();
    }
    load_oltp(path, &trace);
    compare(&trace, s3, clock, .03);
}

static void cloud_physics(void **state)
{
    (void)state;
    static const double s3[SIZES] = { .828, .810, .769, .639 };
    static const double clock[SIZES] = { .834, .821, .801, .694 };
    struct trace trace = { 0 };
    char path[512];
    if (!find_file("cloudPhysicsIO.oracleGeneral.bin", path)) {
        printf("skipped: no cloudPhysicsIO.oracleGeneral.bin\n");
        skip();
    }
    load_cloud_physics(path, &trace);
    compare(&trace, s3, clock, .06);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oltp),
        cmocka_unit_test(cloud_physics),
    };
    hash_seed_fixed(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
