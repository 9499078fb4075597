/*
 * parking.c - waiters by arrival and by caller.
 */
#include "shoal/shard/parking.h"

#include "shoal/conn/account.h"
#include "shoal/conn/parked.h"
#include "shoal/mesh/call.h"
#include "shoal/mesh/mesh.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/shard.h"
#include "shoal/stats/state.h"

#include <stdlib.h>

enum { CHAINS_MIN = 16 };

#define ERR_TOO_MANY "ERR too many clients wait already"
#define ERR_MEMORY "OOM out of memory: the allocator refused"

void parking_fini(struct parking *parking)
{
    must(parking->count == 0);
    free(parking->by_client);
    *parking = (struct parking){ 0 };
}

/* ---- by caller ----------------------------------------------------------- */

static struct waiter_parked **chain_of(const struct parking *parking, uint64_t client)
{
    /* ids of one reactor are multiples of their count apart: the upper half mixes them */
    uint64_t mixed = client * 0x9e3779b97f4a7c15u;
    return &parking->by_client[mixed >> 32 & (parking->size - 1)];
}

/* Without memory the chains become longer. */
static void grow(struct parking *parking)
{
    struct parking larger = *parking;
    larger.size = parking->size > 0 ? parking->size * 2 : CHAINS_MIN;
    larger.by_client = calloc(larger.size, sizeof(struct waiter_parked *));
    if (larger.by_client == NULL)
        return;
    for (struct waiter_parked *it = parking->first; it != NULL; it = it->next) {
        struct waiter_parked **chain = chain_of(&larger, it->caller.client);
        it->next_by_client = *chain;
        *chain = it;
    }
    free(parking->by_client);
    *parking = larger;
}

static void enter(struct parking *parking, struct waiter_parked *waiter)
{
    struct waiter_parked **chain = chain_of(parking, waiter->caller.client);
    waiter->next_by_client = *chain;
    *chain = waiter;
    waiter->prev = parking->last;
    waiter->next = NULL;
    *(parking->last != NULL ? &parking->last->next : &parking->first) = waiter;
    parking->last = waiter;
    parking->count++;
}

static void leave(struct parking *parking, struct waiter_parked *waiter)
{
    struct waiter_parked **at = chain_of(parking, waiter->caller.client);
    while (*at != waiter)
        at = &(*at)->next_by_client;
    *at = waiter->next_by_client;
    *(waiter->prev != NULL ? &waiter->prev->next : &parking->first) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->prev : &parking->last) = waiter->prev;
    parking->count--;
}

static struct waiter_parked *find_caller(const struct parking *parking, struct caller caller)
{
    struct waiter_parked *it = parking->size > 0 ? *chain_of(parking, caller.client) : NULL;
    while (it != NULL && (it->caller.client != caller.client || it->caller.number != caller.number))
        it = it->next_by_client;
    return it;
}

struct waiter_parked *parking_find(const struct parking *parking, struct waiter_parked *from,
                                   uint64_t hash, uint8_t db)
{
    struct waiter_parked *it = from != NULL ? from : parking->first;
    while (it != NULL && (it->hash != hash || it->db != db))
        it = it->next;
    return it;
}

static void note(struct reactor *here)
{
    const struct parking *parking = &here->shard->parking;
    state_set(here, STATE_WAITERS,
              parking->count * sizeof(struct waiter_parked) +
                  parking->size * sizeof(struct waiter_parked *));
}

/* ---- coming -------------------------------------------------------------- */

/* The client has gone. An answer that is on its way to it will find nobody. */
static void cancel_run(struct reactor *here, struct message *message)
{
    struct parking *parking = &here->shard->parking;
    struct waiter_parked *waiter = find_caller(parking, parked_cancelled(message));
    if (waiter != NULL) {
        leave(parking, waiter);
        note(here);
        free(waiter);
    }
    call_answer(here, message);
}

static bool refuse(struct reply *reply, const char *error)
{
    reply_rollback(reply, 0);
    reply_begin(reply);
    reply_error(reply, error);
    return false;
}

bool parking_add(struct reactor *reactor, struct request *request, struct reply *reply)
{
    struct parking *parking = &reactor->shard->parking;
    if (request->message.caller.client == 0)
        return false;
    if (parking->count >= PARKING_MAX)
        return refuse(reply, ERR_TOO_MANY);
    if (!state_fits(reactor, settings_state_limit(reactor->settings), STATE_WAITERS,
                    sizeof(struct waiter_parked)))
        return refuse(reply, ERR_STATE_FULL);
    if (parking->count >= parking->size)
        grow(parking);
    struct waiter_parked *waiter = parking->size > 0 ? malloc(sizeof(*waiter)) : NULL;
    if (waiter == NULL)
        return refuse(reply, ERR_MEMORY);
    *waiter = (struct waiter_parked){
        .caller = request->message.caller,
        .home = request->message.from,
        .proto = request->proto,
        .db = request->db,
        .hash = request->hash,
    };
    enter(parking, waiter);
    note(reactor);
    reply_discard(reactor, reply, false);
    request->answer.place = ANSWER_PARKED;
    request->answer.failed = true; /* so that it is looked at more closely */
    request->answer.cancel = cancel_run;
    if (request->message.from != reactor->id) {
        mesh_respond(reactor->port, &request->message);
        return true;
    }
    account_request(request, request->answer.ticks);
    request_park(request);
    return true;
}

/* ---- going --------------------------------------------------------------- */

static void give(struct reactor *here, struct waiter_parked *waiter)
{
    if (parked_answer(here, waiter->caller, waiter->answer))
        waiter->answer = NULL;
}

static void answer_run(struct reactor *here, struct message *message)
{
    give(here, (struct waiter_parked *)message);
    mesh_respond(here->port, message);
}

static void answer_done(struct reactor *home, struct message *message)
{
    struct waiter_parked *waiter = (struct waiter_parked *)message;
    if (waiter->answer != NULL)
        reply_ref_unuse(home, waiter->answer); /* nobody waited any more */
    free(waiter);
}

void parking_answer(struct reactor *reactor, struct waiter_parked *waiter, struct reply *reply)
{
    leave(&reactor->shard->parking, waiter);
    note(reactor);
    waiter->answer = reply_ref_new(reactor, reply, false);
    waiter->push = (struct push_message){
        .message = { .run = answer_run,
                     .done = answer_done,
                     .kind = MESSAGE_PUSH,
                     .magic = MESSAGE_MAGIC,
                     .to = waiter->home },
        .bytes = sizeof(*waiter),
        .ordered = true,
    };
    if (waiter->home != reactor->id) {
        mesh_push(reactor->port, &waiter->push);
        return;
    }
    give(reactor, waiter);
    answer_done(reactor, &waiter->push.message);
}
