/*
 * trace_make.c - made-up traces: Zipf, alone or with a drift of popularity and one-hit wonders.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "shoal/base/mem.h"
#include "shoal/base/must.h"
#include "trace.h"

enum { NOBODY = UINT32_MAX, STREAM = 7 };

struct recipe {
    struct key_dist dist;
    double drift, once;
};

struct making {
    struct trace *trace;
    struct recipe recipe;
    struct key_picker picker;
    struct random rng;
    uint32_t *holder; /* of each place in the order of popularity: its key, numbered at first use */
};

static bool is_part(double x)
{
    return x >= 0 && x <= 1;
}

static bool recipe_parse(const char *spec, struct recipe *recipe)
{
    int end = 0;
    *recipe = (struct recipe){ .dist = { .kind = KEY_ZIPF } };
    double *exponent = &recipe->dist.exponent;
    bool churn =
        sscanf(spec, "churn:%lf:%lf:%lf%n", exponent, &recipe->drift, &recipe->once, &end) == 3;
    if (!churn && sscanf(spec, "zipf:%lf%n", exponent, &end) != 1)
        return false;
    return spec[end] == '\0' && *exponent > 0 && *exponent < 10 && is_part(recipe->drift) &&
           is_part(recipe->once);
}

static uint32_t new_key(struct making *m)
{
    must(m->trace->unique < NOBODY);
    return (uint32_t)m->trace->unique++;
}

static uint32_t draw(struct making *m)
{
    if (random_unit(&m->rng) < m->recipe.drift)
        m->holder[random_below(&m->rng, m->picker.count)] = NOBODY;
    if (random_unit(&m->rng) < m->recipe.once)
        return new_key(m);
    uint32_t *holder = &m->holder[key_pick(&m->picker, &m->rng)];
    if (*holder == NOBODY)
        *holder = new_key(m);
    return *holder;
}

struct trace *trace_make(const char *spec, uint64_t keys, uint64_t requests, uint64_t seed)
{
    struct making m = { .trace = NULL };
    if (!recipe_parse(spec, &m.recipe))
        return NULL;
    must(requests <= TRACE_REQUESTS_MAX && keys < NOBODY);
    m.trace = mem_must_zalloc(sizeof(*m.trace));
    m.trace->requests = requests;
    m.trace->key = mem_must_alloc(requests * sizeof(*m.trace->key));
    m.holder = mem_must_alloc(keys * sizeof(*m.holder));
    memset(m.holder, 0xff, keys * sizeof(*m.holder)); /* NOBODY */
    random_seed_stream(&m.rng, seed, STREAM);
    key_picker_init(&m.picker, &m.recipe.dist, keys, 0, 1);
    for (uint64_t i = 0; i < requests; i++)
        m.trace->key[i] = draw(&m);
    free(m.holder);
    return m.trace;
}
