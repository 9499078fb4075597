/*
 * expect.h - conditions on a run's figures: "p99<2ms,ops>100000".
 *
 *   ops (requests/s; k and M allowed)   p50 p90 p95 p99 p99.9 p99.99 max mean (ns, us, ms, s)
 *   cpu (us/request)   errors   misses (0..1)
 */
#ifndef BENCH_EXPECT_H
#define BENCH_EXPECT_H

#include "run.h"

enum { EXPECT_TERMS_MAX = 16 };

struct expect_term {
    char name[12];
    bool less;    /* otherwise more */
    double limit; /* requests/s, ns, us, a count, a share */
};

struct expect {
    uint32_t count;
    struct expect_term term[EXPECT_TERMS_MAX];
};

/* False when the text is no such list. Thread: any. */
bool expect_parse(const char *text, struct expect *expect);

/* Whether all terms hold; the first that does not is explained in why[128]. An open loop that fell
 * behind meets no latency. Thread: any. */
bool expect_holds(const struct expect *expect, const struct outcome *outcome, char why[128]);

#endif
