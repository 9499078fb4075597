/*
 * multi.c - the queue of a MULTI and the watched keys of a connection.
 */
#include "shoal/route/multi.h"

#include "shoal/base/container_of.h"
#include "shoal/base/hash.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/backpressure.h"
#include "shoal/conn/conn.h"
#include "shoal/mesh/call.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/dispatch.h"
#include "shoal/stats/state.h"

#include <stdlib.h>

/* What a request that MULTI has queued is counted as. */
static const struct command command_queued = { .name = "", .flags = CMD_SKIP_SLOWLOG };

static struct transaction *transaction_of(struct conn *conn)
{
    if (conn->transaction == NULL)
        conn->transaction = calloc(1, sizeof(*conn->transaction));
    return conn->transaction;
}

/* ---- the queue ----------------------------------------------------------- */

static struct queued *queued_new(const struct command *command, const struct args *args)
{
    size_t spans = args->count * sizeof(struct span), bytes = 0;
    for (uint32_t i = 0; i < args->count; i++)
        bytes += args->v[i].size;
    struct queued *queued = malloc(sizeof(*queued) + spans + bytes);
    if (queued == NULL)
        return NULL;
    struct span *span = (struct span *)queued->memory;
    char *base = queued->memory + spans;
    size_t at = 0;
    for (uint32_t i = 0; i < args->count; i++) {
        span[i] = (struct span){ (uint32_t)at, args->v[i].size };
        memcpy(base + at, args->base + args->v[i].offset, args->v[i].size);
        at += args->v[i].size;
    }
    *queued = (struct queued){
        .command = command,
        .args = { base, span, args->count },
        .size = sizeof(*queued) + spans + bytes,
    };
    return queued;
}

static bool queue(struct conn *conn, const struct command *command, const struct args *args)
{
    struct transaction *transaction = transaction_of(conn);
    struct queued *queued = transaction != NULL ? queued_new(command, args) : NULL;
    if (queued == NULL)
        return false;
    if (conn->queued_bytes + queued->size >
            (size_t)conn->reactor->settings->client_query_buffer_limit ||
        !backpressure_queue(conn, queued->size)) {
        free(queued);
        return false;
    }
    list_add(&transaction->queue, queued, next);
    transaction->count++;
    return true;
}

void transaction_queue(struct conn *conn, struct request *request)
{
    struct reply reply;
    struct args args = request_args(request);
    bool queued = queue(conn, request->command, &args);
    request->command = &command_queued; /* it will be counted when it runs */
    answer_begin(request, &reply);
    if (queued) {
        reply_simple(&reply, "QUEUED");
    } else {
        conn->flags |= CONN_MULTI_FAILED;
        reply_error(&reply, ERR_QUEUE_FULL);
    }
    answer_end(request, &reply);
}

bool transaction_writes(const struct conn *conn)
{
    const struct queued *queued = conn->transaction != NULL ? conn->transaction->queue.first : NULL;
    for (; queued != NULL; queued = queued->next)
        if (queued->command->flags & CMD_WRITE)
            return true;
    return false;
}

/* Forgets what is queued and ends MULTI; the watches stay. */
static void transaction_discard(struct conn *conn)
{
    conn->flags &= ~(uint32_t)(CONN_MULTI | CONN_MULTI_FAILED);
    if (conn->transaction == NULL)
        return;
    for (struct queued *queued; (queued = list_take(&conn->transaction->queue, next)) != NULL;)
        free(queued);
    backpressure_unqueue(conn);
    conn->transaction->count = 0;
}

/* ---- watches ------------------------------------------------------------- */

static struct watched_key *watched_of(struct message *give_back)
{
    return container_of(give_back, struct watched_key, give_back);
}

static void give_back_run(struct reactor *here, struct message *message)
{
    struct watched_key *watched = watched_of(message);
    struct key key = { bytes_of(watched->name, watched->size), watched->hash, watched->db };
    if (watched->registered)
        keyspace_watch_remove(here->keyspace, key);
    call_answer(here, message);
}

static size_t watched_footprint(uint32_t name_size)
{
    return sizeof(struct watched_key) + name_size;
}

static void give_back_done(struct reactor *home, struct message *message)
{
    struct watched_key *watched = watched_of(message);
    state_add(home, STATE_WATCHES, -(int64_t)watched_footprint(watched->size));
    free(watched);
}

static void transaction_unwatch(struct conn *conn)
{
    struct transaction *transaction = conn->transaction;
    if (transaction == NULL)
        return;
    while (transaction->watched != NULL) {
        struct watched_key *watched = transaction->watched;
        transaction->watched = watched->next;
        watched->give_back = (struct message){
            .run = give_back_run,
            .done = give_back_done,
            .kind = MESSAGE_CALL,
            .magic = MESSAGE_MAGIC,
            .to = (uint16_t)watched->shard,
        };
        call_send(conn->reactor, &watched->give_back);
    }
}

void transaction_drop(struct conn *conn)
{
    transaction_discard(conn);
    transaction_unwatch(conn);
    free(conn->transaction);
    conn->transaction = NULL;
}

/* ---- commands ------------------------------------------------------------ */

static void multi_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    if (conn->flags & CONN_MULTI) {
        reply_error(reply, "ERR MULTI calls can not be nested");
        return;
    }
    conn->flags |= CONN_MULTI;
    reply_ok(reply);
}

static void discard_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    if (!(conn->flags & CONN_MULTI)) {
        reply_error(reply, "ERR DISCARD without MULTI");
        return;
    }
    transaction_discard(conn);
    transaction_unwatch(conn);
    reply_ok(reply);
}

/* SELECT among the queued commands decides the database of those behind it. */
static uint8_t db_after(const struct queued *queued, uint8_t db, int databases)
{
    int64_t index;
    if (strcmp(queued->command->name, "select") == 0 && queued->args.count == 2 &&
        number_parse_i64(args_at(&queued->args, 1), &index) && index >= 0 && index < databases)
        return (uint8_t)index;
    return db;
}

/* One part suffices without the sequencer; otherwise every key is taken first. */
static void exec_plan(struct conn *conn, struct plan *plan)
{
    struct transaction *transaction = conn->transaction;
    uint8_t db = conn->db;
    plan->multi = true;
    plan->atomic = true;
    for (struct queued *queued = transaction != NULL ? transaction->queue.first : NULL;
         queued != NULL; queued = queued->next) {
        plan_add(plan, queued->command, &queued->args, db);
        db = db_after(queued, db, conn->reactor->settings->databases);
    }
    for (struct watched_key *watched = transaction != NULL ? transaction->watched : NULL;
         watched != NULL; watched = watched->next)
        plan_add_watch(plan, watched);
}

static void exec_end(struct conn *conn)
{
    conn->flags &= ~(uint32_t)(CONN_MULTI | CONN_MULTI_FAILED);
    if (conn->transaction != NULL)
        transaction_drop(conn);
}

void transaction_refuse(struct conn *conn, const struct command *command, struct reply *reply)
{
    reply_errorf(reply, ERR_EXEC_ABORTED "wrong number of arguments for '%s' command",
                 command->full_name);
    exec_end(conn);
}

static void exec_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    struct plan *plan;
    if (!(conn->flags & CONN_MULTI)) {
        reply_error(reply, "ERR EXEC without MULTI");
    } else if (conn->flags & CONN_MULTI_FAILED) {
        reply_error(reply, "EXECABORT Transaction discarded because of previous errors.");
        exec_end(conn);
    } else if ((plan = plan_new(conn->unanswered.first)) == NULL) {
        reply_error(reply, ERR_NO_MEMORY);
        exec_end(conn);
    } else {
        exec_plan(conn, plan);
        plan->at_end = exec_end; /* the queue's arguments are in use until then */
        conn->flags &= ~(uint32_t)CONN_MULTI;
        conn->unanswered.first->plan = plan;
    }
}

/* WATCH on a key's shard: the mark goes straight into the connection's record, which waits for
 * it. */
static void watch_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)reply;
    for (struct watched_key *watched = *(struct watched_key **)context; watched != NULL;
         watched = watched->next) {
        struct key key = { bytes_of(watched->name, watched->size), watched->hash, watched->db };
        if (watched->shard == here->id && !watched->registered)
            watched->registered = keyspace_watch_add(here->keyspace, key, &watched->mark);
    }
}

static void watch_merge(struct plan *plan, void *context, struct reply *reply)
{
    (void)plan;
    for (struct watched_key *watched = *(struct watched_key **)context; watched != NULL;
         watched = watched->next) {
        if (!watched->registered) {
            reply_error(reply, ERR_NO_MEMORY);
            return;
        }
    }
    reply_ok(reply);
}

static bool is_watched(const struct transaction *transaction, struct bytes name, uint8_t db)
{
    for (struct watched_key *watched = transaction->watched; watched != NULL;
         watched = watched->next)
        if (watched->db == db && bytes_equal(bytes_of(watched->name, watched->size), name))
            return true;
    return false;
}

/* NULL, or why not. */
static const char *watch_add(struct conn *conn, struct bytes name)
{
    struct reactor *home = conn->reactor;
    struct transaction *transaction = transaction_of(conn);
    if (transaction == NULL)
        return ERR_NO_MEMORY;
    if (is_watched(transaction, name, conn->db))
        return NULL;
    size_t size = watched_footprint((uint32_t)name.size);
    if (!state_fits(home, settings_state_limit(home->settings), STATE_WATCHES, size))
        return ERR_STATE_FULL;
    struct watched_key *watched = calloc(1, size);
    if (watched == NULL)
        return ERR_NO_MEMORY;
    state_add(home, STATE_WATCHES, (int64_t)size);
    watched->db = conn->db;
    watched->hash = hash_key(name);
    watched->shard = reactor_of_slot(conn->reactor, hash_slot(name));
    watched->size = (uint32_t)name.size;
    memcpy(watched->name, name.data, name.size);
    watched->next = transaction->watched;
    transaction->watched = watched;
    return NULL;
}

static void watch_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    if (conn->flags & CONN_MULTI) {
        reply_error(reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    const char *error = NULL;
    for (uint32_t i = 1; i < args->count && error == NULL; i++)
        error = watch_add(conn, args_at(args, i));
    if (error != NULL) {
        reply_error(reply, error);
        return;
    }
    struct plan *plan = plan_new(conn->unanswered.first);
    struct watched_key **list = plan != NULL ? malloc(sizeof(*list)) : NULL;
    if (list == NULL) {
        if (plan != NULL)
            plan_free(&plan);
        reply_error(reply, ERR_NO_MEMORY);
        return;
    }
    *list = conn->transaction->watched;
    plan_add_control(plan, watch_control, watch_merge, list);
    conn->unanswered.first->plan = plan;
}

static void unwatch_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    transaction_unwatch(conn);
    reply_ok(reply);
}

/* clang-format off */
const struct command multi_commands[] = {
    { .name = "multi", .arity = 1, .flags = CMD_FAST | CMD_BARRIER | CMD_IMMEDIATE, .home = multi_command,
      .group = "transactions", .since = "1.2.0", .complexity = "O(1)", .syntax = "",
      .summary = "Starts a transaction." },
    { .name = "exec", .arity = 1, .flags = CMD_BARRIER | CMD_IMMEDIATE | CMD_RUNS_QUEUED | CMD_SKIP_SLOWLOG, .home = exec_command,
      .group = "transactions", .since = "1.2.0", .complexity = "Depends on commands in the transaction", .syntax = "",
      .summary = "Executes all commands in a transaction." },
    { .name = "discard", .arity = 1, .flags = CMD_FAST | CMD_BARRIER | CMD_IMMEDIATE, .home = discard_command,
      .group = "transactions", .since = "2.0.0", .complexity = "O(N), when N is the number of queued commands", .syntax = "",
      .summary = "Discards a transaction." },
    { .name = "watch", .arity = -2, .flags = CMD_FAST | CMD_BARRIER | CMD_IMMEDIATE, .home = watch_command,
      .first_key = 1, .last_key = -1, .step = 1,
      .group = "transactions", .since = "2.2.0", .complexity = "O(1) for every key", .syntax = "key [key ...]",
      .summary = "Makes EXEC fail if one of the keys has changed by then." },
    { .name = "unwatch", .arity = 1, .flags = CMD_FAST | CMD_BARRIER, .home = unwatch_command,
      .group = "transactions", .since = "2.2.0", .complexity = "O(1)", .syntax = "",
      .summary = "Forgets all watched keys of this connection." },
    { 0 },
};
/* clang-format on */
