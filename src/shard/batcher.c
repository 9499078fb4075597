/*
 * batcher.c - running commands on the shard, many cache misses at a time.
 *
 * While one batch runs, the items of the next are on their way: a batch waits, its items
 * prefetched, until the following one is full or the turn's input is used up.
 */
#include "shoal/shard/batcher.h"

#include "shoal/base/clock.h"
#include "shoal/conn/account.h"
#include "shoal/conn/answer.h"
#include "shoal/mesh/mesh.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/key_queues.h"
#include "shoal/shard/parking.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/records.h"
#include "shoal/stats/stats.h"

enum { QUICK_BYTES_MAX = 4096 };

/* The reply of a command from another reactor: in the request, in the pair's reply space, or as a
 * reply reference. */
static void answer_pack(struct reactor *reactor, struct request *request, struct reply *reply)
{
    struct answer *answer = &request->answer;
    char *space;
    if (unlikely(reply->no_memory)) {
        reply_discard(reactor, reply, false);
        answer->place = ANSWER_NONE;
    } else if (likely(reply->base == answer->bytes && reply->pin_count == 0)) {
        answer->place = ANSWER_IN_REQUEST;
    } else if (!reply->heap && reply->pin_count == 0 &&
               (space = mesh_reply_space(reactor->port, request->message.from, reply->size)) !=
                   NULL) {
        memcpy(space, reply->base, reply->size);
        answer->place = ANSWER_IN_SPACE;
        answer->data = space;
    } else {
        answer->ref = reply_ref_new(reactor, reply, false);
        answer->place = answer->ref != NULL ? ANSWER_IN_REF : ANSWER_NONE;
    }
}

/* Runs one command; `measured` is false where a run of quick ones is measured as a whole. */
static void request_run(struct reactor *reactor, struct request *request, bool measured)
{
    struct reply reply;
    struct exec exec = {
        .keyspace = reactor->keyspace,
        .reply = &reply,
        .command = request->command,
        .args = request_args(request),
        .hash = request->hash,
        .db = request->db,
    };
    bool own = request->message.from == reactor->id;
    if (own) {
        answer_begin(request, &reply);
    } else {
        reply_init(&reply, request->proto, request->answer.bytes, ANSWER_INLINE,
                   reactor->shard->scratch, BATCHER_SCRATCH_BYTES);
        reply_begin(&reply);
    }
    uint64_t start = measured ? clock_ticks() : 0;
    exec_run(&exec);
    if (measured)
        request->answer.ticks = ticks_since(start);
    if (unlikely(reply.parked) && parking_add(reactor, request, &reply))
        return;
    if (own) {
        if (measured)
            account_request(request, request->answer.ticks);
        answer_end(request, &reply);
        return;
    }
    reply_end(&reply);
    request->answer.size = (uint32_t)reply.size;
    request->answer.failed = reply.errors > 0;
    answer_pack(reactor, request, &reply);
    mesh_respond(reactor->port, &request->message);
}

void batcher_run_one(struct reactor *reactor, struct request *request)
{
    request_run(reactor, request, true);
}

void batcher_refuse(struct reactor *reactor, struct request *request, const char *error)
{
    struct reply reply;
    if (request->message.from == reactor->id) {
        answer_begin(request, &reply);
        reply_error(&reply, error);
        account_request(request, 0);
        answer_end(request, &reply);
        return;
    }
    reply_init(&reply, request->proto, request->answer.bytes, ANSWER_INLINE,
               reactor->shard->scratch, BATCHER_SCRATCH_BYTES);
    reply_begin(&reply);
    reply_error(&reply, error);
    reply_end(&reply);
    request->answer.ticks = 0;
    request->answer.size = (uint32_t)reply.size;
    request->answer.failed = true;
    answer_pack(reactor, request, &reply);
    mesh_respond(reactor->port, &request->message);
}

/* Commands that take next to no time are measured together: reading the cycle counter twice for
 * each would cost 7 %. */
static bool is_quick(const struct request *request)
{
    const struct span *last = &request->args[request->argc - 1];
    return request->command->flags & (CMD_FAST | CMD_QUICK) &&
           last->offset + last->size <= QUICK_BYTES_MAX;
}

/* A run of quick commands in a batch. */
struct timed_run {
    uint64_t start;
    uint32_t count;
    struct request *forwarded[BATCH_MAX]; /* learn their time before they are published */
    uint32_t forwarded_count;
    const struct command *own[BATCH_MAX];
    uint32_t own_count;
};

static void timed_begin(struct timed_run *timed)
{
    timed->start = clock_ticks();
    timed->count = timed->forwarded_count = timed->own_count = 0;
}

/* Every command gets the mean. */
static void timed_end(struct reactor *reactor, struct timed_run *timed)
{
    if (timed->count == 0)
        return;
    uint64_t ticks = ticks_since(timed->start) / timed->count;
    for (uint32_t i = 0; i < timed->forwarded_count; i++)
        timed->forwarded[i]->answer.ticks = ticks;
    for (uint32_t i = 0, same; i < timed->own_count; i += same) {
        for (same = 1; i + same < timed->own_count; same++)
            if (timed->own[i + same] != timed->own[i])
                break;
        stats_commands(reactor->stats, timed->own[i], same, ticks);
    }
}

static void timed_run(struct reactor *reactor, struct timed_run *timed, struct request *request)
{
    timed->count++;
    if (request->message.from == reactor->id)
        timed->own[timed->own_count++] = request->command;
    else
        timed->forwarded[timed->forwarded_count++] = request;
    request_run(reactor, request, false);
}

static void run_all(struct reactor *reactor, struct request *const *request, uint32_t count)
{
    struct timed_run timed;
    const struct key_queues *queues = reactor->shard->queues;
    bool measure_each = reactor->records->measure_each; /* changed: from the next batch on */
    timed_begin(&timed);
    for (uint32_t i = 0; i < count; i++) {
        if (unlikely(key_queues_active(queues)) && !key_queues_admit_request(reactor, request[i]))
            continue;
        if (likely(!measure_each && is_quick(request[i]))) {
            timed_run(reactor, &timed, request[i]);
        } else {
            timed_end(reactor, &timed);
            request_run(reactor, request[i], true);
            timed_begin(&timed);
        }
    }
    timed_end(reactor, &timed);
}

static const struct table *table_of(struct reactor *reactor, const struct request *request)
{
    return &reactor->keyspace->db[request->db];
}

static void prefetch_items(struct reactor *reactor, struct batch *batch)
{
    static_assert(BATCH_MAX <= 32, "bits of `deep`");
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct request *request = batch->request[i];
        batch->deep |= (uint32_t)table_prefetch_item(table_of(reactor, request), request->hash)
                       << i;
    }
}

/* Their second buckets have arrived while the batch before ran. Without this pass a look-up in a
 * table of 100,000 keys takes 38 ns instead of 27, of 1,000,000 keys 48 instead of 31. */
static void prefetch_deep_items(struct reactor *reactor, const struct batch *batch)
{
    for (uint32_t deep = batch->deep; deep != 0; deep &= deep - 1) {
        const struct request *request = batch->request[__builtin_ctz(deep)];
        table_prefetch_child_item(table_of(reactor, request), request->hash);
    }
}

/* A command that was released while a batch runs. Nothing gathered is older than it, but the
 * batches are in use, so it is deferred. */
static void later_add(struct batcher *batcher, struct request *request)
{
    list_add(&batcher->later, &request->message, next);
}

/* The oldest gathered batch runs; the one that was filling is ready next. */
static void batch_run(struct reactor *reactor)
{
    struct batcher *batcher = &reactor->shard->batcher;
    struct batch *batch = &batcher->batch[1 - batcher->filling];
    batcher->running = true;
    prefetch_deep_items(reactor, batch);
    run_all(reactor, batch->request, batch->count);
    batcher->running = false;
    batch->count = batch->deep = 0;
    batcher->filling = 1 - batcher->filling;
    while (batcher->later.first != NULL && !batcher->running)
        batcher_add(reactor, request_of(list_take(&batcher->later, next)));
}

void batcher_run(struct reactor *reactor)
{
    struct batcher *batcher = &reactor->shard->batcher;
    if (batcher->running)
        return;
    while (batcher_waits(batcher)) {
        struct batch *filling = &batcher->batch[batcher->filling];
        if (filling->count > 1)
            prefetch_items(reactor, filling);
        batch_run(reactor);
    }
}

void batcher_add(struct reactor *reactor, struct request *request)
{
    struct batcher *batcher = &reactor->shard->batcher;
    if (unlikely(batcher->running)) {
        later_add(batcher, request);
        return;
    }
    table_prefetch_bucket(&reactor->keyspace->db[request->db], request->hash);
    if (request->message.from != reactor->id && request->argc > 1)
        mem_prefetch(request->base +
                     request->args[1].offset); /* the key is in the origin's cache */
    struct batch *filling = &batcher->batch[batcher->filling];
    filling->request[filling->count++] = request;
    if (likely(filling->count < BATCH_MAX))
        return;
    prefetch_items(reactor, filling);
    batch_run(reactor);
}
