/*
 * campaign.c - starts the contestants, takes turns, stops them.
 */
#include "campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "load/cpulist.h"

enum { LIST_MAX = 16, DEFAULT_PORT = 6379, DEFAULT_RUNS = 5 };

struct campaign {
    struct options *options;
    struct result *results;
    uint32_t count;
    struct launched server[CONTESTANTS_MAX];
    uint32_t servers;
    char directory[32];
    int pipeline[LIST_MAX], pipelines;
    struct mix mixes[TESTS_MAX];
    uint32_t tests;
};

static void stop_all(struct campaign *c, bool keep_logs)
{
    for (uint32_t i = 0; i < c->servers; i++)
        launch_stop(&c->server[i], keep_logs);
    rmdir(c->directory); /* stays when it holds logs */
}

static struct target target_of(const struct campaign *c, const struct launched *server,
                               bool by_socket)
{
    struct target target = c->options->load.target;
    target.host = "127.0.0.1";
    target.port = server->port;
    target.socket = by_socket ? server->socket : NULL;
    target.protocol = server->protocol;
    return target;
}

static _Noreturn void give_up(struct campaign *c, const char *server, const char *error)
{
    char text[ERROR_TEXT_MAX + 64];
    snprintf(text, sizeof(text), "%s: %s", server, error);
    stop_all(c, true);
    options_refuse("%s", text);
}

static void start_one(struct campaign *c, const char *spec, int port, int shards)
{
    char error[ERROR_TEXT_MAX];
    if (c->servers == CONTESTANTS_MAX)
        give_up(c, spec, "too many servers");
    struct launched *server = &c->server[c->servers];
    if (!launch_start(server, spec, port, shards, c->options->server_cpus, c->directory, error))
        give_up(c, spec, error);
    c->servers++;
    struct load load = c->options->load;
    load.target = target_of(c, server, !server->has_port);
    load.mix = &c->mixes[0];
    if (!run_preload(&load, error))
        give_up(c, server->name, error);
    launch_pause(server, true);
}

static void start_all(struct campaign *c)
{
    const struct options *o = c->options;
    int shards[LIST_MAX] = { 1 }, counts = 1, port = o->load.target.port;
    if (o->shards != NULL && (counts = cpulist_parse(o->shards, shards, LIST_MAX)) == 0)
        options_refuse("--shards is a list as 1,2,4");
    for (int i = 0; i < o->servers && !run_interrupted(); i++) {
        bool sharded = strstr(o->server[i], "{shards}") || strstr(o->server[i], "{n}");
        for (int k = 0; k < (sharded ? counts : 1) && !run_interrupted(); k++)
            start_one(c, o->server[i], port == DEFAULT_PORT ? launch_free_port() : port++,
                      sharded ? shards[k] : 0);
    }
}

/* The result of this server under this load; made when it is new. A name with several entries (one
 * for TCP, one for Unix sockets) is one server. */
static struct result *result_of(struct campaign *c, const struct launched *server, const char *test,
                                const char *transport, int pipeline)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct result *r = &c->results[i];
        if (strcmp(r->server, server->name) == 0 && r->shards == server->shards &&
            strcmp(r->name, test) == 0 && strcmp(r->transport, transport) == 0 &&
            r->pipeline == pipeline)
            return r;
    }
    return c->count < CAMPAIGN_RESULTS_MAX ? &c->results[c->count++] : NULL;
}

static void measure(struct campaign *c, struct launched *server, const struct mix *mix,
                    bool by_socket, int pipeline)
{
    struct load load = c->options->load;
    struct server_facts facts = { .pid = server->pid, .shards = server->shards };
    struct result *result;
    memcpy(facts.version, server->version, sizeof(facts.version));
    load.target = target_of(c, server, by_socket);
    load.mix = mix;
    load.pipeline = pipeline;
    load.shards = server->shards > 0 ? (uint32_t)server->shards : 1;
    if (load.shards == 1)
        load.cross_share = -1;
    if (run_interrupted())
        return;
    result = result_of(c, server, mix->name, by_socket ? "unix" : "tcp", pipeline);
    if (result == NULL)
        return;
    launch_pause(server, false);
    suite_run_once(c->options, &load, server->name, &facts, result);
    launch_pause(server, true);
    const struct outcome *last = &result->run[result->runs - 1];
    if (last->failed)
        give_up(c, server->name, last->tally.error);
}

static void take_turns(struct campaign *c, const struct mix *mix, bool by_socket, int pipeline)
{
    for (int run = 0; run < c->options->runs && !run_interrupted(); run++) {
        for (uint32_t i = 0; i < c->servers; i++) {
            struct launched *server = &c->server[i];
            if (by_socket ? server->has_socket : server->has_port)
                measure(c, server, mix, by_socket, pipeline);
        }
    }
}

static void prepare(struct campaign *c)
{
    struct options *o = c->options;
    if (o->servers == 0)
        options_refuse("no --server 'name=command with {port}'");
    if (o->trace != NULL)
        options_refuse("a trace is replayed to one server");
    if (o->tests == NULL && o->ratio == NULL && o->command == NULL)
        o->tests = "set,get";
    o->runs = o->runs == 0 ? DEFAULT_RUNS : o->runs;
    if (o->load.seconds <= 0)
        o->load.seconds = 1;
    o->load.requests = 0;
    c->tests = suite_mixes(o, c->mixes);
    c->pipelines = cpulist_parse(o->pipelines ? o->pipelines : "1,10,50", c->pipeline, LIST_MAX);
    if (c->pipelines == 0)
        options_refuse("--pipelines is a list as 1,10,50");
    snprintf(c->directory, sizeof(c->directory), "/tmp/shoal-bench.XXXXXX");
    if (mkdtemp(c->directory) == NULL)
        options_refuse("cannot make a directory for the servers' sockets and logs");
}

uint32_t campaign_run(struct options *options, struct result *results)
{
    static struct campaign campaign;
    struct campaign *c = &campaign;
    const char *transports = options->transports ? options->transports : "tcp";
    *c = (struct campaign){ .options = options, .results = results };
    prepare(c);
    start_all(c);
    for (uint32_t test = 0; test < c->tests; test++) {
        for (int by_socket = 1; by_socket >= 0; by_socket--) {
            if (strstr(transports, by_socket ? "unix" : "tcp") == NULL)
                continue;
            for (int i = 0; i < c->pipelines; i++)
                take_turns(c, &c->mixes[test], by_socket, c->pipeline[i]);
        }
    }
    stop_all(c, false);
    for (uint32_t i = 0; i < c->tests; i++)
        mix_fini(&c->mixes[i]);
    return c->count;
}
