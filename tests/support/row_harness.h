/*
 * row_harness.h - runs lines of commands about the server for one connection, without sockets.
 *
 * Two reactors, each without a thread: what a command asks of every reactor is run on one after
 * the other, and merged by the plan as in the server. Words are separated by blanks. Replies are
 * RESP2 with every CR LF written as one blank and the last one left out: "*2 $1 a $-1".
 */
#ifndef SHOAL_TESTS_ROW_HARNESS_H
#define SHOAL_TESTS_ROW_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shoal/base/clock.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/commands.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"
#include "shoal/route/router.h"
#include "shoal/server/server.h"
#include "shoal/stats/stats.h"

enum { ADMIN_REACTORS = 2, ADMIN_WORDS_MAX = 32, ADMIN_TEXT_MAX = 1 << 20 };

static struct {
    struct settings settings;
    struct server server;
    struct reactor reactor[ADMIN_REACTORS];
    struct reactor *peers[ADMIN_REACTORS];
    struct conns conns[ADMIN_REACTORS];
    struct router router[ADMIN_REACTORS];
    struct reactor_stats stats[ADMIN_REACTORS];
    struct conn conn;       /* the caller's, on the first reactor */
    struct request request; /* its only one */
    char text[ADMIN_TEXT_MAX];
} admin;

static inline void admin_conn_init(struct conn *conn, uint32_t reactor, uint64_t id)
{
    struct conns *conns = &admin.conns[reactor];
    *conn = (struct conn){
        .reactor = &admin.reactor[reactor],
        .fd = -1,
        .id = id,
        .proto = PROTO_RESP2,
        .next = conns->first,
    };
    if (conns->first != NULL)
        conns->first->prev = conn;
    conns->first = conn;
}

/* A setup function of cmocka: everything is as at first. */
static inline int admin_setup(void **state)
{
    (void)state;
    memset(&admin, 0, sizeof(admin));
    clock_init();
    commands_register();
    admin.settings.databases = 16;
    admin.settings.port = 7000;
    admin.server.reactor = admin.peers;
    admin.server.settings = &admin.settings;
    admin.server.count = ADMIN_REACTORS;
    memset(admin.server.run_id, 'a', RUN_ID_SIZE);
    for (uint32_t i = 0; i < ADMIN_REACTORS; i++) {
        admin.peers[i] = &admin.reactor[i];
        admin.conns[i].reactor = &admin.reactor[i];
        admin.reactor[i] = (struct reactor){
            .id = i,
            .count = ADMIN_REACTORS,
            .now_ms = 100 * 1000,
            .settings = &admin.settings,
            .stats = &admin.stats[i],
            .conns = &admin.conns[i],
            .router = &admin.router[i],
            .server = &admin.server,
            .peer = admin.peers,
        };
    }
    admin_conn_init(&admin.conn, 0, 1);
    admin.request.conn = &admin.conn;
    admin.conn.requests = 1;
    list_add(&admin.conn.unanswered, &admin.request, next);
    return 0;
}

static inline int admin_teardown(void **state)
{
    (void)state;
    free(admin.conn.name);
    free(admin.conn.lib_name);
    free(admin.conn.lib_version);
    return 0;
}

/* What a shard does with the ops of its part. */
static inline void admin_run_part(struct reactor *here, struct part *part, struct reply_ref *ref)
{
    struct reply *reply = &part->reply;
    reply_init(reply, PROTO_NATIVE, part->bytes, sizeof(part->bytes), NULL, 0);
    reply->marking = true;
    for (uint32_t i = 0; i < part->op_count; i++) {
        part->ops[i].control(here, part->ops[i].context, reply);
        part->ops[i].marks = reply->mark_count;
    }
    *ref = (struct reply_ref){ .base = reply->base, .size = reply->size, .marks = reply->marks };
    part->ref = ref;
}

static inline void admin_gather(const struct command *command, const struct args *args,
                                struct reply *reply)
{
    struct reply_ref refs[ADMIN_REACTORS];
    struct plan *plan = plan_new(&admin.request);
    command->gather(plan, args);
    for (uint32_t i = 0; i < ADMIN_REACTORS; i++)
        if (plan->part[i] != NULL)
            admin_run_part(&admin.reactor[i], plan->part[i], &refs[i]);
    plan->phase = PLAN_END; /* all parts are home */
    plan_compose(plan, reply);
    for (uint32_t i = 0; i < ADMIN_REACTORS; i++) {
        if (plan->part[i] == NULL)
            continue;
        reply_fini(&plan->part[i]->reply);
        plan->part[i]->ref = NULL;
    }
    plan_free(&plan);
}

static inline void admin_dispatch(const struct args *args, struct reply *reply)
{
    const struct command *command = registry_find(args_at(args, 0));
    assert_non_null(command);
    if (command->subs != NULL && args->count > 1)
        command = registry_find_sub(command, args_at(args, 1));
    assert_non_null(command);
    if (!command_arity_ok(command, args->count))
        reply_wrong_arity(reply, command);
    else if (command->gather != NULL)
        admin_gather(command, args, reply);
    else
        command->home(&admin.conn, args, reply);
}

/* Runs a line; its reply in the short form that the head of this file describes. */
static inline const char *admin_run(const char *line)
{
    struct span spans[ADMIN_WORDS_MAX];
    struct args args = { .base = line, .v = spans };
    for (const char *at = line; *at != '\0'; at += at[0] == ' ') {
        size_t size = strcspn(at, " ");
        assert_true(args.count < ADMIN_WORDS_MAX);
        spans[args.count++] = (struct span){ (uint32_t)(at - line), (uint32_t)size };
        at += size;
    }
    struct reply reply;
    reply_init(&reply, (enum proto)admin.conn.proto, NULL, 0, NULL, 0);
    admin_dispatch(&args, &reply);
    assert_true(reply.size < sizeof(admin.text));
    size_t to = 0;
    for (size_t i = 0; i < reply.size; i++)
        if (reply.base[i] != '\r')
            admin.text[to++] = reply.base[i] == '\n' ? ' ' : reply.base[i];
    admin.text[to > 0 ? to - 1 : 0] = '\0';
    reply_fini(&reply);
    return admin.text;
}

#define ADMIN_TEST(name) cmocka_unit_test_setup_teardown(name, admin_setup, admin_teardown)

#endif
