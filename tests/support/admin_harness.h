/*
 * admin_harness.h - runs commands about the server on reactors that have all their parts and no
 * thread: nothing listens, and the ring is a stand-in that only has a name.
 *
 * A plan's parts run one after the other, each on its reactor, and then the plan answers on reactor
 * 0. Replies are RESP2 with LF for CR LF.
 */
#ifndef SHOAL_TESTS_ADMIN_HARNESS_H
#define SHOAL_TESTS_ADMIN_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/commands.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/mesh/mesh.h"
#include "shoal/options/assign.h"
#include "shoal/options/host_limits.h"
#include "shoal/route/plan.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/stats/stats.h"

enum { ADMIN_SHARDS = 2, ADMIN_WORDS_MAX = 32, ADMIN_TEXT_MAX = 1 << 20 };

struct admin_harness {
    struct server *server;
    struct conn conn;       /* the caller's, on reactor 0 */
    struct request request; /* its only one */
    struct ring ring[ADMIN_SHARDS];
    char text[ADMIN_TEXT_MAX]; /* the last reply */
};

static inline void admin_ring_free(struct ring *ring)
{
    (void)ring;
}

static inline struct reactor *admin_reactor(const struct admin_harness *h, uint32_t shard)
{
    return h->server->reactor[shard];
}

/* As CONFIG SET does it, without a snapshot: the settings of all reactors are the server's. */
static inline struct settings *admin_settings(const struct admin_harness *h)
{
    return h->server->settings;
}

static inline void admin_conn_init(struct admin_harness *h, struct conn *conn, uint32_t shard,
                                   uint64_t id)
{
    struct conns *conns = admin_reactor(h, shard)->conns;
    *conn = (struct conn){
        .reactor = admin_reactor(h, shard),
        .fd = -1,
        .id = id,
        .proto = PROTO_RESP2,
        .next = conns->first,
    };
    if (conns->first != NULL)
        conns->first->prev = conn;
    conns->first = conn;
}

static inline int admin_setup(void **state)
{
    static const struct ring_engine engine = { .name = "stand-in", .free = admin_ring_free };
    struct host_limits host = { .cpus = 2, .cpus_affinity = 2, .memory = 1u << 30 };
    struct settings *settings = calloc(1, sizeof(*settings));
    struct admin_harness *h = calloc(1, sizeof(*h));
    clock_init();
    hash_seed_fixed(1);
    options_defaults(settings, &host);
    options_resolve(settings, &host);
    settings->shards = ADMIN_SHARDS;
    h->server = server_new(settings);
    free(settings);
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++) {
        h->ring[i] = (struct ring){ .engine = &engine };
        strcpy(h->ring[i].features, "none");
        worker_begin(server_worker(h->server, i), &h->ring[i]);
    }
    admin_conn_init(h, &h->conn, 0, 1);
    h->request.conn = &h->conn;
    h->conn.requests = 1;
    list_add(&h->conn.unanswered, &h->request, next);
    *state = h;
    return 0;
}

static inline int admin_teardown(void **state)
{
    struct admin_harness *h = *state;
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
        admin_reactor(h, i)->conns->first = NULL; /* they are the tests' own */
    free(h->conn.name);
    free(h->conn.lib_name);
    free(h->conn.lib_version);
    server_free(h->server);
    free(h);
    return 0;
}

static inline int admin_register(void **state)
{
    (void)state;
    commands_register();
    return 0;
}

/* A part on its reactor and home again. What the reactor answers by reference is home's to free: its
 * own thread, which would do it, is not there. */
static inline void admin_run_part(struct admin_harness *h, struct part *part, uint32_t shard)
{
    struct reactor *here = admin_reactor(h, shard);
    part->message.from = (uint16_t)shard; /* the answer goes by the reactor's list of its own */
    part->op_until = part->op_count;
    part_execute(here, part);
    assert_ptr_equal(mesh_next_own(here->port), &part->message);
    if (part->ref != NULL) {
        admin_reactor(h, 0)->conns->budget.reply_bytes += part->ref->size;
        here->conns->budget.reply_bytes -= part->ref->size;
        part->ref->message.to = 0;
    }
}

static inline void admin_gather(struct admin_harness *h, const struct command *command,
                                const struct args *args, struct reply *reply)
{
    h->request.command = command;
    h->request.proto = reply->proto;
    struct plan *plan = plan_new(&h->request);
    command->gather(plan, args);
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
        if (plan->part[i] != NULL)
            admin_run_part(h, plan->part[i], i);
    plan->phase = PLAN_END; /* all parts are home */
    plan_compose(plan, reply);
    plan_free(&plan);
}

static inline void admin_dispatch(struct admin_harness *h, const struct args *args,
                                  struct reply *reply)
{
    const struct command *command = registry_find(args_at(args, 0));
    if (command != NULL && command->subs != NULL && args->count > 1)
        command = registry_find_sub(command, args_at(args, 1));
    assert_non_null(command);
    if (!command_arity_ok(command, args->count))
        reply_wrong_arity(reply, command);
    else if (command->gather != NULL)
        admin_gather(h, command, args, reply);
    else
        command->home(&h->conn, args, reply);
}

/* Runs a line of words; the reply, until the next one. */
static inline const char *admin_run(struct admin_harness *h, const char *line)
{
    struct span spans[ADMIN_WORDS_MAX];
    struct args args = { .base = line, .v = spans };
    struct reply reply;
    for (const char *at = line; *at != '\0'; at += at[0] == ' ') {
        size_t size = strcspn(at, " ");
        assert_true(args.count < ADMIN_WORDS_MAX);
        spans[args.count++] = (struct span){ (uint32_t)(at - line), (uint32_t)size };
        at += size;
    }
    reply_init(&reply, (enum proto)h->conn.proto, NULL, 0, NULL, 0);
    admin_dispatch(h, &args, &reply);
    assert_true(reply.size < sizeof(h->text));
    size_t size = 0;
    for (size_t i = 0; i < reply.size; i++)
        if (reply.base[i] != '\r')
            h->text[size++] = reply.base[i];
    h->text[size] = '\0';
    reply_fini(&reply);
    return h->text;
}

/* A whole line of the last reply. */
static inline bool admin_has_line(const struct admin_harness *h, const char *line)
{
    size_t size = strlen(line);
    for (const char *at = strstr(h->text, line); at != NULL; at = strstr(at + 1, line))
        if ((at == h->text || at[-1] == '\n') && (at[size] == '\n' || at[size] == '\0'))
            return true;
    return false;
}

static inline void admin_assert_line(const struct admin_harness *h, const char *line)
{
    if (!admin_has_line(h, line))
        fail_msg("there is no line \"%s\" in:\n%s", line, h->text);
}

/* What stands behind "name:" in the last reply, an INFO. */
static inline double admin_number(const struct admin_harness *h, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(h->text, name); at != NULL; at = strstr(at + 1, name))
        if (at > h->text && at[-1] == '\n' && at[size] == ':')
            return strtod(at + size + 1, NULL);
    fail_msg("there is no field \"%s\" in:\n%s", name, h->text);
    return 0;
}

#endif
