/*
 * test_evict_workloads.c - the policies' miss ratios on synthetic workloads, against an LRU
 * reference.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "unit/store/cache_sim.h"

#include <cmocka.h>

#include <math.h>

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double draw_unit(uint64_t *state)
{
    return (double)(draw(state) >> 11) / (double)(1ull << 53);
}

enum { KEYS = 20000, ITEMS = KEYS / 10, REQUESTS = 400 * 1000 };
/* Ids: KEYS that are popular at first, one for each request that is made once, one for each
 * newcomer */
enum { ONE_HITS = KEYS, NEWCOMERS = KEYS + REQUESTS, IDS = KEYS + 2 * REQUESTS };

/* Cumulated weights of Zipf 0.99. */
static void zipf_table(double *sum)
{
    double total = 0;
    for (int i = 0; i < KEYS; i++)
        sum[i] = total += pow(i + 1, -.99);
    for (int i = 0; i < KEYS; i++)
        sum[i] /= total;
}

static uint64_t zipf(const double *sum, uint64_t *random)
{
    double u = draw_unit(random);
    int low = 0, high = KEYS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (sum[middle] < u)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint64_t)low;
}

/* Every 20 requests one of the keys is replaced by a new one as popular as it was; and a fifth of
 * the requests are for keys that nobody asks for again. */
static uint64_t churning(const double *sum, uint64_t *key, uint64_t *random, uint64_t i)
{
    if (i % 20 == 0)
        key[draw(random) % KEYS] = NEWCOMERS + i;
    return draw(random) % 5 == 0 ? ONE_HITS + i : key[zipf(sum, random)];
}

static uint64_t *make_workload(bool churn, uint64_t seed)
{
    double *sum = malloc(KEYS * sizeof(*sum));
    uint64_t *id = malloc(REQUESTS * sizeof(*id)), random = seed;
    uint64_t *key = malloc(KEYS * sizeof(*key));
    zipf_table(sum);
    for (uint64_t i = 0; i < KEYS; i++)
        key[i] = i;
    for (uint64_t i = 0; i < REQUESTS; i++)
        id[i] = churn ? churning(sum, key, &random, i) : zipf(sum, &random);
    free(key);
    free(sum);
    return id;
}

/* ---- the reference: exact LRU, a list through arrays --------------------- */

struct lru {
    uint32_t *previous, *next; /* of each id; UINT32_MAX: absent */
    uint32_t count;
};

enum { LRU_ENDS = IDS };

static void lru_unlink(struct lru *lru, uint32_t id)
{
    lru->next[lru->previous[id]] = lru->next[id];
    lru->previous[lru->next[id]] = lru->previous[id];
    lru->next[id] = UINT32_MAX;
}

static void lru_push(struct lru *lru, uint32_t id)
{
    lru->next[id] = lru->next[LRU_ENDS];
    lru->previous[id] = LRU_ENDS;
    lru->previous[lru->next[LRU_ENDS]] = id;
    lru->next[LRU_ENDS] = id;
}

static bool lru_access(struct lru *lru, uint32_t id)
{
    bool hit = lru->next[id] != UINT32_MAX;
    if (hit)
        lru_unlink(lru, id);
    else if (lru->count == ITEMS)
        lru_unlink(lru, lru->previous[LRU_ENDS]);
    else
        lru->count++;
    lru_push(lru, id);
    return hit;
}

static double lru_miss_ratio(const uint64_t *ids)
{
    struct lru lru = { 0 };
    size_t size = (IDS + 1) * sizeof(uint32_t);
    uint64_t misses = 0;
    lru.previous = malloc(size);
    lru.next = malloc(size);
    memset(lru.next, 0xff, size);
    lru.next[LRU_ENDS] = lru.previous[LRU_ENDS] = LRU_ENDS;
    for (uint64_t i = 0; i < REQUESTS; i++)
        misses += !lru_access(&lru, (uint32_t)ids[i]);
    free(lru.previous);
    free(lru.next);
    return (double)misses / REQUESTS;
}

static double miss_ratio(const uint64_t *ids, const char *policy)
{
    struct cache_sim sim;
    sim_init(&sim, ITEMS, policy);
    for (uint64_t i = 0; i < REQUESTS; i++)
        sim_access(&sim, ids[i]);
    assert_true(sim_kept_budget(&sim));
    assert_true(sim.keys_max < ITEMS * 1.03 + 32);
    table_validate(&sim.keyspace->db[0]);
    double ratio = sim_miss_ratio(&sim);
    sim_fini(&sim);
    return ratio;
}

static void compare(bool churn, double gain)
{
    uint64_t *ids = make_workload(churn, 88172645463325252);
    double lru = lru_miss_ratio(ids), s3 = miss_ratio(ids, "allkeys-s3fifo");
    double clock = miss_ratio(ids, "allkeys-clock"), random = miss_ratio(ids, "allkeys-random");
    printf("  sweep-S3 %.4f  clock %.4f  LRU %.4f  random %.4f\n", s3, clock, lru, random);
    assert_true(s3 < lru * (1 - gain));
    assert_true(s3 < clock && clock < lru && clock < random);
    free(ids);
}

static void sweep_s3_beats_clock_and_lru_on_zipf(void **state)
{
    (void)state;
    compare(false, .08);
}

static void sweep_s3_beats_clock_and_lru_under_churn(void **state)
{
    (void)state;
    compare(true, .04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_s3_beats_clock_and_lru_on_zipf),
        cmocka_unit_test(sweep_s3_beats_clock_and_lru_under_churn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
