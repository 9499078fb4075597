/*
 * keys.c - key distributions and names.
 */
#include "keys.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool key_dist_parse(const char *text, struct key_dist *dist)
{
    *dist = (struct key_dist){ .kind = KEY_UNIFORM };
    int end = 0;
    if (strcmp(text, "uniform") == 0)
        return true;
    if (strcmp(text, "seq") == 0) {
        dist->kind = KEY_SEQ;
        return true;
    }
    if (sscanf(text, "zipf:%lf%n", &dist->exponent, &end) == 1 && text[end] == '\0') {
        dist->kind = KEY_ZIPF;
        return dist->exponent > 0 && dist->exponent < 10;
    }
    if (sscanf(text, "hot:%lf:%lf%n", &dist->hot_keys, &dist->hot_share, &end) == 2 &&
        text[end] == '\0') {
        dist->kind = KEY_HOT;
        return dist->hot_keys > 0 && dist->hot_keys < 1 && dist->hot_share >= 0 &&
               dist->hot_share <= 1;
    }
    return false;
}

/*
 * Zipf by rejection-inversion (Hormann and Derflinger, 1996): draw from the area under the
 * continuous x^-s, whose integral H has an inverse, and reject the little that sticks out over the
 * steps. Exact for every exponent, without a table of the keys.
 */
static double zipf_integral(double x, double s)
{
    double log_x = log(x), t = (1 - s) * log_x;
    double ratio = fabs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2; /* (e^t - 1) / t, also at s = 1 */
    return ratio * log_x;
}

static double zipf_inverse(double y, double s)
{
    double t = y * (1 - s);
    if (t < -1)
        t = -1;
    double ratio = fabs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2;
    return exp(ratio * y);
}

static uint64_t zipf_pick(const struct key_picker *p, struct random *rng)
{
    double s = p->dist.exponent;
    for (;;) {
        double u = p->_high + random_unit(rng) * (p->_low - p->_high);
        double x = zipf_inverse(u, s);
        double rank = floor(x + 0.5);
        rank = rank < 1 ? 1 : rank > (double)p->count ? (double)p->count : rank;
        if (rank - x <= p->_cut || u >= zipf_integral(rank + 0.5, s) - exp(-s * log(rank)))
            return (uint64_t)rank - 1;
    }
}

static uint64_t hot_pick(const struct key_picker *p, struct random *rng)
{
    if (p->_hot == p->count || random_unit(rng) < p->dist.hot_share)
        return random_below(rng, p->_hot);
    return p->_hot + random_below(rng, p->count - p->_hot);
}

void key_picker_init(struct key_picker *p, const struct key_dist *dist, uint64_t count,
                     uint64_t stream, uint64_t streams)
{
    double s = dist->exponent;
    *p = (struct key_picker){ .dist = *dist, .count = count, ._next = stream, ._step = streams };
    p->_hot = (uint64_t)(dist->hot_keys * (double)count);
    p->_hot = p->_hot < 1 ? 1 : p->_hot;
    if (dist->kind == KEY_ZIPF) {
        p->_low = zipf_integral(1.5, s) - 1;
        p->_high = zipf_integral((double)count + 0.5, s);
        p->_cut = 2 - zipf_inverse(zipf_integral(2.5, s) - exp(-s * log(2)), s);
    }
}

uint64_t key_pick_skewed(struct key_picker *p, struct random *rng)
{
    if (p->dist.kind == KEY_ZIPF)
        return zipf_pick(p, rng);
    if (p->dist.kind == KEY_HOT)
        return hot_pick(p, rng);
    uint64_t key = p->_next % p->count;
    p->_next += p->_step;
    return key;
}

static uint32_t digits_of(uint64_t value)
{
    uint32_t digits = 1;
    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

bool key_name_init(struct key_name *name, uint32_t size, uint64_t count)
{
    static const char prefix[] = "key:";
    name->digits = digits_of(count - 1);
    name->size = size;
    if (size < name->digits || size > KEY_NAME_MAX)
        return false;
    memset(name->zero, '0', size);
    if (size >= name->digits + strlen(prefix))
        memcpy(name->zero, prefix, strlen(prefix));
    return true;
}

void key_name_write(const struct key_name *name, char *at, uint64_t key)
{
    char *end = at + name->size;
    for (uint32_t left = name->digits; left > 0; left--) {
        *--end = (char)('0' + key % 10);
        key /= 10;
    }
}
