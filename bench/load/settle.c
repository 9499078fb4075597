/*
 * settle.c - from the words of the command line to a load: what goes together and what does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "cpulist.h"
#include "verify.h"

static void settle_uri(struct options *options)
{
    struct target *target = &options->load.target;
    char *at, *text, *slash;
    if (options->uri == NULL)
        return;
    if (strncmp(options->uri, "redis://", 8) != 0)
        options_refuse("--uri begins with redis://");
    text = (char *)options->uri + 8; /* cut up in place: it is a word of argv, which is ours */
    if ((slash = strchr(text, '/')) != NULL) {
        *slash = '\0';
        target->db = atoi(slash + 1);
    }
    if ((at = strrchr(text, '@')) != NULL) {
        char *colon = strchr(text, ':');
        *at = '\0';
        target->password = colon ? colon + 1 : text;
        if (colon != NULL)
            *colon = '\0';
        target->user = colon && colon > text ? text : NULL;
        text = at + 1;
    }
    char *port = strrchr(text, ':');
    if (port != NULL) {
        *port = '\0';
        target->port = atoi(port + 1);
    }
    if (*text != '\0')
        target->host = text;
}

static void settle_sizes(struct options *options)
{
    struct load *load = &options->load;
    if (options->value_size == NULL)
        sizes_fixed(&load->sizes, (uint32_t)options->data_size);
    else if (!sizes_parse(options->value_size, &load->sizes))
        options_refuse("--value-size is N, a:b or list:size=weight,...");
    if (options->verify && sizes_min(&load->sizes) < VERIFY_VALUE_MIN) {
        if (options->value_size != NULL || options->data_size != 3)
            options_refuse("--verify needs values of at least %d bytes", VERIFY_VALUE_MIN);
        sizes_fixed(&load->sizes, 32);
    }
}

static void settle_keys(struct options *options)
{
    struct load *load = &options->load;
    uint32_t size = options->key_size ? (uint32_t)options->key_size : KEY_NAME_DEFAULT;
    if (load->keys == 0)
        load->keys = 1;
    if (!key_dist_parse(options->key_dist, &load->dist))
        options_refuse("--key-dist is uniform, zipf:E, hot:KEYS:SHARE or seq");
    if (!key_name_init(&load->key_name, size, load->keys))
        options_refuse("--key-size %u cannot name %llu keys (at most %d bytes)", size,
                       (unsigned long long)load->keys, KEY_NAME_MAX);
}

static void settle_ttl(struct options *options)
{
    struct load *load = &options->load;
    unsigned long long low, high;
    int end = 0;
    if (options->ttl == NULL)
        return;
    if (sscanf(options->ttl, "%llu:%llu%n", &low, &high, &end) != 2)
        high = sscanf(options->ttl, "%llu%n", &low, &end) == 1 ? low : 0;
    if (end == 0 || options->ttl[end] != '\0' || low == 0 || high < low)
        options_refuse("--ttl is milliseconds, A or A:B");
    load->ttl_low_ms = low;
    load->ttl_high_ms = high;
}

static void settle_rate(struct options *options)
{
    struct load *load = &options->load;
    char kind[16] = "uniform", rest;
    if (options->rate == NULL)
        return;
    int fields = sscanf(options->rate, "%lf:%15[a-z]%c", &load->rate, kind, &rest);
    load->poisson = strcmp(kind, "poisson") == 0;
    if (fields < 1 || fields > 2 || load->rate <= 0 || (!load->poisson && strcmp(kind, "uniform")))
        options_refuse("--rate is requests/s, or N:poisson");
}

/* A trace is replayed in the order of one connection, as fast as the replies come. */
static void settle_trace(const struct options *options)
{
    if (options->trace == NULL)
        return;
    if (options->load.clients != 1)
        options_refuse("--trace is replayed by one connection: -P is how much it has under way");
    if (options->rate != NULL || options->find_rate != NULL || options->verify || options->preload)
        options_refuse("--trace goes without --rate, --find-rate, --verify and --preload");
}

static void settle_limits(struct options *options)
{
    struct load *load = &options->load;
    if (load->clients == CLIENTS_UNSAID)
        load->clients = options->trace != NULL ? 1 : CLIENTS_DEFAULT;
    if (load->clients < 1 || load->clients > CLIENTS_MAX)
        options_refuse("--clients is 1..%d", CLIENTS_MAX);
    if (load->pipeline < 1 || load->pipeline > PIPELINE_MAX)
        options_refuse("--pipeline is 1..%d", PIPELINE_MAX);
    if (load->threads < 1 || load->threads > THREADS_MAX)
        options_refuse("--threads is 1..%d", THREADS_MAX);
    if (load->threads > load->clients)
        load->threads = load->clients;
    if (load->requests == 0 && load->seconds <= 0 && options->trace == NULL)
        load->requests = REQUESTS_DEFAULT;
    if (options->mget < 1 || options->mget >= COMMAND_ARGS_MAX)
        options_refuse("--mget is 1..%d", COMMAND_ARGS_MAX - 1);
    if (options->runs > RUNS_MAX)
        options_refuse("--runs is at most %d", RUNS_MAX);
    if (options->verify && options->mget > 1)
        options_refuse("--verify reads single keys: leave out --mget");
    if (options->verify && load->keys < (uint64_t)load->clients)
        options_refuse("--verify needs a key for each connection");
}

void options_settle(struct options *options)
{
    struct load *load = &options->load;
    load->target.protocol = protocol_find(options->protocol);
    if (load->target.protocol == NULL)
        options_refuse("--protocol is resp, native or memcached");
    settle_uri(options);
    settle_limits(options);
    settle_trace(options);
    settle_sizes(options);
    settle_keys(options);
    settle_ttl(options);
    settle_rate(options);
    if (options->shards != NULL)
        load->shards = (uint32_t)atoi(options->shards);
    if (options->cross_percent > 100)
        options_refuse("--cross-shard is 0..100");
    if (options->cross_percent >= 0)
        load->cross_share = options->cross_percent / 100;
    if (options->client_cpus != NULL) {
        load->cpus = cpulist_parse(options->client_cpus, load->cpu, CPUS_MAX);
        if (load->cpus == 0)
            options_refuse("--client-cpus is a list as 0,2-3");
    }
}
