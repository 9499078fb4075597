/*
 * group.c - running commands on the shard, sixteen cache misses at a time.
 */
#include "shoal/server/group.h"

#include "shoal/base/clock.h"
#include "shoal/server/locks.h"
#include "shoal/server/reactor.h"

/* The reply of a command from another reactor: in the request, in the pair's reply space, or as a parcel. */
static void answer_pack(struct reactor *reactor, struct request *request, struct reply *reply)
{
    struct answer *answer = &request->answer;
    char *space;
    if (unlikely(reply->no_memory)) {
        reply_discard(reactor, reply, false);
        answer->place = ANSWER_NONE;
    } else if (likely(reply->base == answer->bytes)) {
        answer->place = ANSWER_IN_REQUEST;
    } else if (!reply->heap && reply->pin_count == 0 &&
               (space = mesh_reply_space(reactor->port, request->message.from, reply->size)) != NULL) {
        memcpy(space, reply->base, reply->size);
        answer->place = ANSWER_IN_SPACE;
        answer->data = space;
    } else {
        answer->parcel = parcel_new(reactor, reply, false);
        answer->place = answer->parcel != NULL ? ANSWER_IN_PARCEL : ANSWER_NONE;
    }
}

void group_run_one(struct reactor *reactor, struct request *request)
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
    uint64_t start = clock_ticks();
    if (request->message.from == reactor->id) {
        answer_begin(request, &reply);
        exec_run(&exec);
        request->answer.ticks = (uint32_t)(clock_ticks() - start);
        answer_end(request, &reply);
        return;
    }
    reply_init(&reply, request->proto, request->answer.bytes, ANSWER_INLINE, reactor->scratch,
               SCRATCH_BYTES);
    reply_begin(&reply);
    exec_run(&exec);
    reply_end(&reply);
    request->answer.ticks = (uint32_t)(clock_ticks() - start);
    request->answer.size = (uint32_t)reply.size;
    request->answer.failed = reply.errors > 0;
    answer_pack(reactor, request, &reply);
    mesh_respond(reactor->port, &request->message);
}

static void run_unless_waiting(struct reactor *reactor, struct request *request)
{
    if (unlikely(locks_active(reactor->locks)) && !locks_admit_request(reactor, request))
        return;
    group_run_one(reactor, request);
}

void group_run(struct reactor *reactor)
{
    struct group *group = &reactor->group;
    uint32_t count = group->count;
    struct request *request[GROUP_MAX];
    memcpy(request, group->request, count * sizeof(*request));
    group->count = 0; /* running may gather more */
    if (count > 1)
        for (uint32_t i = 0; i < count; i++)
            table_prefetch_item(&reactor->keyspace->db[request[i]->db], request[i]->hash);
    for (uint32_t i = 0; i < count; i++)
        run_unless_waiting(reactor, request[i]);
}

void group_add(struct reactor *reactor, struct request *request)
{
    struct group *group = &reactor->group;
    table_prefetch_bucket(&reactor->keyspace->db[request->db], request->hash);
    group->request[group->count++] = request;
    if (group->count == GROUP_MAX)
        group_run(reactor);
}
