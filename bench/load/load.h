/*
 * load.h - what one run does: to whom, how many, which keys and values, at what pace.
 *
 * Filled by the options, read-only while workers run.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "command.h"
#include "keys.h"
#include "protocol.h"
#include "sizes.h"

struct verify;
struct trace;

enum {
    CLIENTS_MAX = 100000,
    THREADS_MAX = 256,
    PIPELINE_MAX = 10000,
    CPUS_MAX = 256,
    RUNS_MAX = 64, /* of one test */
    VERSION_MAX = 16
};

/* Where the server is. Strings are borrowed for the whole run. */
struct target {
    const char *host, *socket; /* socket wins */
    int port;
    const char *user, *password;
    int db;
    bool resp3;
    const struct protocol *protocol;
};

struct load {
    struct target target;
    int clients, threads, pipeline;
    uint64_t requests; /* 0: as many as fit into `seconds` */
    double seconds, warmup_s;
    const struct mix *mix;
    struct key_dist dist;
    uint64_t keys;
    struct key_name key_name;
    struct sizes sizes;
    uint64_t ttl_low_ms, ttl_high_ms;
    double cross_share; /* of commands that should land on another shard; negative: as it comes */
    uint32_t shards;
    uint64_t seed;
    double rate; /* requests/s of the open loop; 0: closed loop */
    bool poisson;
    struct verify *verify;   /* NULL: values are not checked */
    struct trace *trace;     /* NULL: keys come from `dist` */
    int cpu[CPUS_MAX], cpus; /* where workers run; none: anywhere */
};

#endif
