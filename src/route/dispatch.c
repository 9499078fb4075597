/*
 * dispatch.c - from a parsed request to where it runs.
 *
 * The common case comes first and does little: a command with one key, on a connection in no
 * special state.
 */
#include "shoal/route/dispatch.h"

#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/generic/cursor.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/account.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/input.h"
#include "shoal/conn/push.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/multi.h"
#include "shoal/route/plan.h"
#include "shoal/route/router.h"
#include "shoal/shard/batcher.h"
#include "shoal/stats/stats.h"

/* ---- where it goes ------------------------------------------------------- */

static void run_on(struct conn *conn, struct request *request, uint32_t shard)
{
    struct reactor *reactor = conn->reactor;
    if (shard == reactor->id) {
        batcher_add(reactor, request);
        return;
    }
    counter_add(&reactor->stats->cross_shard, 1);
    request->message.to = (uint16_t)shard;
    mesh_send(reactor->port, &request->message);
    if (unlikely(mesh_congested(reactor->port, shard)))
        conn->congested = shard + 1;
}

/* Its messages take another way than those of later commands: these wait until it has ended. */
static void plan_start_alone(struct conn *conn, struct plan *plan)
{
    conn->flags |= CONN_ALONE;
    plan_start(plan);
}

static void run_at_home(struct conn *conn, struct request *request)
{
    struct reply reply;
    struct reactor *reactor = conn->reactor;
    struct args args = request_args(request);
    uint64_t start = clock_ticks();
    answer_begin(request, &reply);
    reactor->conns->writing = conn;
    request->command->home(conn, &args, &reply);
    reactor->conns->writing = NULL;
    account_request(request, ticks_since(start));
    if (request->plan != NULL) {
        /* EXEC: it wrote nothing, the plan answers. */
        reply_fini(&reply);
        plan_start_alone(conn, request->plan);
    } else {
        answer_end(request, &reply);
        pushes_go_on(conn); /* what the command has sent to its own connection: before the next */
    }
}

/* Answers a request that does not get to run. */
static void answer_error(struct request *request, const char *error)
{
    struct reply reply;
    answer_begin(request, &reply);
    reply_error(&reply, error);
    answer_end(request, &reply);
}

static void run_planned(struct conn *conn, struct request *request)
{
    struct args args = request_args(request);
    request->plan = plan_new(request);
    if (request->plan == NULL) {
        answer_error(request, ERR_NO_MEMORY);
        return;
    }
    batcher_run(conn->reactor); /* earlier commands of this pipeline come first on our own shard */
    request->plan->atomic = command_is_global(conn->reactor, request->command, &args);
    plan_add(request->plan, request->command, &args, request->db);
    if (request->plan->atomic || request->command->flags & CMD_BARRIER)
        plan_start_alone(conn, request->plan);
    else
        plan_start(request->plan);
}

/* Whether it waits is decided by the shard, so those behind it are held from now on. */
static void may_park(struct conn *conn, struct request *request)
{
    conn->flags |= CONN_ALONE;
    request->flags |= REQUEST_ALONE;
    request->message.caller = (struct caller){ .client = conn->id, .number = conn->commands };
}

/* Starts a command that is allowed to run. */
static void start(struct conn *conn, struct request *request)
{
    struct reactor *reactor = conn->reactor;
    const struct command *command = request->command;
    if (unlikely(command->flags & CMD_MAY_PARK))
        may_park(conn, request);
    struct args args = request_args(request);
    uint64_t cursor = 0;
    int shard;
    switch (command->route) {
    case ROUTE_HOME:
        run_at_home(conn, request);
        return;
    case ROUTE_KEY:
        shard = command_shard(reactor, command, &args, &request->hash);
        if (shard < 0)
            answer_error(request, ERR_CROSS_SLOT);
        else
            run_on(conn, request, (uint32_t)shard);
        return;
    case ROUTE_EACH_SUM:
    case ROUTE_EACH_ARRAY:
    case ROUTE_ATOMIC:
    case ROUTE_COMBINE:
        shard = command_shard(reactor, command, &args, &request->hash);
        if (shard < 0)
            run_planned(conn, request);
        else
            run_on(conn, request, (uint32_t)shard);
        return;
    case ROUTE_CURSOR:
        if (cursor_parse(args_at(&args, 1), &cursor))
            run_on(conn, request, cursor_shard(cursor, reactor->count));
        else
            run_on(conn, request, reactor->id); /* which refuses it */
        return;
    default:
        run_planned(conn, request);
    }
}

/* ---- may it run? --------------------------------------------------------- */

static bool is_paused(const struct conn *conn, const struct command *command)
{
    const struct pause *pause = &conn->reactor->router->pause;
    if (likely(pause->until_ms == 0) || conn->reactor->now_ms >= pause->until_ms)
        return false;
    if (command->flags & CMD_UNPAUSABLE)
        return false;
    return !pause->writes_only || command->flags & CMD_WRITE ||
           (command->flags & CMD_RUNS_QUEUED && transaction_writes(conn));
}

/* The row of the command, or of the sub-command where there is one. NULL: there is none, the reply
 * says so. */
static const struct command *find(const struct args *args, struct reply *reply)
{
    const struct command *command = registry_find(args_at(args, 0));
    if (command == NULL) {
        reply_unknown_command(reply, args);
        return NULL;
    }
    if (command->subs == NULL || args->count < 2)
        return command;
    const struct command *sub = registry_find_sub(command, args_at(args, 1));
    if (sub == NULL)
        reply_unknown_subcommand(reply, args_at(args, 1), command);
    return sub;
}

static bool arity_ok(const struct command *command, const struct args *args)
{
    bool only_subs = command->home == NULL && command->shard == NULL && command->each == NULL &&
                     command->gather == NULL;
    return command_arity_ok(command, args->count) && !only_subs;
}

static bool has_long_key(const struct command *command, const struct args *args)
{
    for (uint32_t i = command_key_first(command, args); i != 0;
         i = command_key_next(command, args, i))
        if (args->v[i].size > KEY_BYTES_MAX)
            return true;
    return false;
}

/* A shard of its keys has no room for it: the transaction would be refused. How much of a command
 * with several keys is whose is not known here. */
static bool is_without_room(const struct reactor *reactor, const struct command *command,
                            const struct args *args)
{
    uint64_t bytes = command->first_key == command->last_key ? exec_cost(args) : 1;
    for (uint32_t i = command_key_first(command, args); i != 0;
         i = command_key_next(command, args, i)) {
        uint32_t shard = reactor_of_slot(reactor, hash_slot(args_at(args, i)));
        if (bytes > (shard == reactor->id ? keyspace_room(reactor->keyspace)
                                          : stats_shard_room(reactor, shard)))
            return true;
    }
    return false;
}

/* Why the command may not even be queued; NULL: it may. */
static const char *refusal(const struct conn *conn, const struct command *command,
                           const struct args *args)
{
    if (conn->flags & CONN_UNAUTHENTICATED && !(command->flags & CMD_NOAUTH))
        return "NOAUTH Authentication required.";
    if (conn->flags & CONN_MULTI && command->flags & CMD_NOMULTI)
        return "ERR Command not allowed inside a transaction";
    if (conn->flags & CONN_MULTI && command->flags & CMD_DENYOOM &&
        is_without_room(conn->reactor, command, args))
        return ERR_OOM;
    if (has_long_key(command, args))
        return ERR_KEY_TOO_LONG;
    return NULL;
}

/* Writes why the command may not run or be queued. False: it may. */
static bool is_refused(struct conn *conn, const struct command *command, const struct args *args,
                       struct reply *reply)
{
    const char *why = NULL;
    if (!arity_ok(command, args) && command->flags & CMD_RUNS_QUEUED)
        transaction_refuse(conn, command, reply);
    else if (!arity_ok(command, args))
        reply_wrong_arity(reply, command);
    else if (conn->flags & CONN_SUBSCRIBED && conn->proto == PROTO_RESP2 &&
             !(command->flags & CMD_SUBSCRIBER))
        reply_errorf(reply,
                     "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
                     "/ RESET are allowed in this context",
                     command->full_name);
    else if ((why = refusal(conn, command, args)) != NULL)
        reply_error(reply, why);
    else
        return false;
    counter_add(&conn->reactor->stats->command[command->id].rejected, 1);
    return true;
}

/* Finds the command and checks everything that can be said at once. False: it has been answered
 * with an error. */
static bool identify(struct conn *conn, struct request *request)
{
    struct reply reply;
    struct args args = request_args(request);
    char first[512];
    reply_init(&reply, request->proto, first, sizeof(first), NULL, 0);
    request->command = find(&args, &reply);
    if (request->command != NULL && !is_refused(conn, request->command, &args, &reply)) {
        reply_fini(&reply);
        return true;
    }
    if (conn->flags & CONN_MULTI)
        conn->flags |= CONN_MULTI_FAILED;
    request->command = &command_unparsed;
    struct reply answer;
    answer_begin(request, &answer);
    reply_raw(&answer, bytes_of(reply.base, reply.size));
    answer.errors = reply.errors;
    memcpy(answer.error_code, reply.error_code, sizeof(answer.error_code));
    answer_end(request, &answer);
    reply_fini(&reply);
    return false;
}

/* CLIENT REPLY: this command's reply is not sent. */
static void note_silence(struct conn *conn, struct request *request)
{
    if (conn->flags & (CONN_REPLY_OFF | CONN_REPLY_SKIP))
        request->flags |= REQUEST_SILENT;
    conn->flags &= ~(uint32_t)CONN_REPLY_SKIP;
}

static bool must_be_alone(const struct conn *conn, const struct request *request)
{
    struct args args = request_args(request);
    return request->command->flags & (CMD_BARRIER | CMD_MAY_PARK) ||
           command_is_global(conn->reactor, request->command, &args);
}

/* Whether the connection waits for the end of a pause, for INFO. */
static void note_paused(struct conn *conn, bool paused)
{
    struct counter *blocked = &conn->reactor->stats->blocked;
    if (paused == ((conn->flags & CONN_PAUSED) != 0))
        return;
    conn->flags ^= CONN_PAUSED;
    counter_set(blocked, counter_get(blocked) + (paused ? 1 : UINT64_MAX));
}

static void hold(struct conn *conn, bool paused)
{
    conn->flags |= CONN_HELD;
    note_paused(conn, paused);
    if (conn->reactor->router->pause.until_ms != 0)
        input_detach(conn->unanswered
                         .last); /* or so many paused clients would leave none for CLIENT UNPAUSE */
    conn_stall(conn);
}

static void dispatch_checked(struct conn *conn, struct request *request)
{
    note_silence(conn, request);
    request_append(conn, request);
    if (conn->flags & CONN_MULTI)
        batcher_run(conn->reactor);
    if (!identify(conn, request))
        return;
    conn->last_command = request->command;
    if (conn->flags & CONN_MULTI && !(request->command->flags & CMD_IMMEDIATE)) {
        transaction_queue(conn, request);
        return;
    }
    if (must_be_alone(conn, request)) {
        if (conn->unanswered.first != request)
            batcher_run(conn->reactor); /* often all that it waits for */
        bool paused = is_paused(conn, request->command);
        if (conn->unanswered.first != request || paused) {
            hold(conn, paused);
            return;
        }
    } else if (is_paused(conn, request->command)) {
        hold(conn, true);
        return;
    }
    start(conn, request);
}

/* Its reply has no reader any more: it is dropped unless it had started, and so are those behind it.
 * A client that has only closed its side of a paused connection looks the same. */
static void drop_held(struct conn *conn, struct request *request)
{
    conn->flags &= ~(uint32_t)CONN_HELD;
    note_paused(conn, false);
    request->flags |= REQUEST_DONE | REQUEST_SILENT;
    conn_close_later(conn);
    if (conn->unanswered.first == request)
        answer_advance(conn);
}

void dispatch_held(struct conn *conn)
{
    struct request *request = conn->unanswered.last;
    must(conn->flags & CONN_HELD && conn->unanswered.first != NULL);
    bool paused = is_paused(conn, request->command);
    note_paused(conn, paused);
    if (conn->flags & CONN_DEAD || (paused && conn->flags & CONN_EOF)) {
        drop_held(conn, request);
        return;
    }
    if (conn->unanswered.first != request || paused)
        return;
    conn->flags &= ~(uint32_t)CONN_HELD;
    request->proto = conn->proto;
    request->db = conn->db;
    start(conn, request);
}

void dispatch(struct conn *conn, struct request *request)
{
    struct reactor *reactor = conn->reactor;
    conn->commands++;
    counter_add(&reactor->stats->commands, 1);
    const struct command *command = request->command;
    if (unlikely(command == NULL || command->route != ROUTE_KEY || command->subs != NULL ||
                 command->last_key != command->first_key || conn->flags & CONN_SPECIAL ||
                 reactor->router->pause.until_ms != 0 ||
                 !command_arity_ok(command, request->argc))) {
        dispatch_checked(conn, request);
        return;
    }
    struct span span = request->args[command->first_key];
    if (unlikely(span.size > KEY_BYTES_MAX)) {
        dispatch_checked(conn, request);
        return;
    }
    struct bytes key = bytes_of(request->base + span.offset, span.size);
    request->hash = hash_key(key);
    conn->last_command = command;
    request_append(conn, request);
    run_on(conn, request,
           reactor->count == 1 ? reactor->id : reactor_of_slot(reactor, hash_slot(key)));
}
