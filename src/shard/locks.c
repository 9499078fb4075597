/*
 * locks.c - queues of transactions and waiting commands, by key, of one shard.
 */
#include "shoal/shard/locks.h"

#include "shoal/base/hash.h"
#include "shoal/base/list.h"
#include "shoal/base/mem.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/request.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/group.h"
#include "shoal/shard/part.h"
#include "shoal/shard/shard.h"

#include <stdlib.h>

enum { LOCK_BUCKETS = 1024 };

/*
 * A waiter's place in the queue of one key. A queue is its first node, which the bucket finds: it
 * needs no memory of its own, and exists only while somebody is in it.
 */
struct node {
    struct node *behind;
    struct waiter *waiter;
    uint64_t name;
    struct node *next_queue, *last; /* the first node's: of its bucket, of its queue */
};

struct waiter {
    struct message *message; /* a request or a part */
    struct waiter *next_ready;
    uint32_t missing; /* queues in which it is not at the head */
    uint32_t count;
    bool holds; /* a transaction: stays at the head until released */
    struct node node[];
};

struct locks {
    struct node *bucket[LOCK_BUCKETS];
    uint32_t queues;
    LIST_OF(struct waiter) ready; /* at the head of all their queues, about to run */
    bool running;                 /* run_ready() is at work further up the stack */
    struct part *gate;
    bool gate_open; /* the gate's part has been granted the shard */
    LIST_OF(struct message) gated;
    const struct message *drained; /* has been behind the gate, and is let in now */
};

struct locks *locks_new(void)
{
    return mem_must_zalloc(sizeof(struct locks));
}

void locks_free(struct locks **locks)
{
    free(*locks);
    *locks = NULL;
}

bool locks_active(const struct locks *locks)
{
    return locks->queues > 0 || locks->gate != NULL || locks->gated.first != NULL ||
           locks->drained != NULL;
}

static struct node **queue_place(struct locks *locks, uint64_t name)
{
    struct node **place = &locks->bucket[name % LOCK_BUCKETS];
    while (*place != NULL && (*place)->name != name)
        place = &(*place)->next_queue;
    return place;
}

static bool queue_exists(struct locks *locks, uint64_t name)
{
    return *queue_place(locks, name) != NULL;
}

/* Later commands of the same connection wait too: it has a queue of its own under this name. */
static uint64_t conn_name(const struct message *message, const void *conn)
{
    return ((uintptr_t)conn + message->from) * 0xd6e8feb86659fd93ull;
}

/* With room in so many queues; NULL when memory is out. */
static struct waiter *waiter_new(struct message *message, uint32_t names, bool holds)
{
    struct waiter *waiter = malloc(sizeof(*waiter) + names * sizeof(struct node));
    if (waiter != NULL)
        *waiter = (struct waiter){ .message = message, .holds = holds };
    return waiter;
}

static void waiter_join(struct locks *locks, struct waiter *waiter, uint64_t name)
{
    struct node **place = queue_place(locks, name), *first = *place;
    if (first != NULL && first->last->waiter == waiter)
        return; /* the same key twice */
    struct node *node = &waiter->node[waiter->count++];
    *node = (struct node){ .waiter = waiter, .name = name };
    if (first == NULL) {
        node->last = node;
        *place = node;
        locks->queues++;
    } else {
        first->last->behind = node;
        first->last = node;
        waiter->missing++;
    }
}

/* Leaves the heads of its queues; whoever is now at the head of all of theirs is ready. */
static void waiter_leave(struct locks *locks, struct waiter *waiter)
{
    for (uint32_t i = 0; i < waiter->count; i++) {
        struct node *node = &waiter->node[i], *behind = node->behind;
        struct node **place = queue_place(locks, node->name);
        must(*place == node);
        if (behind == NULL) {
            *place = node->next_queue;
            locks->queues--;
            continue;
        }
        behind->next_queue = node->next_queue;
        behind->last = node->last;
        *place = behind;
        if (--behind->waiter->missing == 0)
            list_add(&locks->ready, behind->waiter, next_ready);
    }
    free(waiter);
}

/*
 * Behind the gate, and behind those who still wait there while they are let in: whoever is run may
 * have made this message, and a transaction that overtook another here, but not on the other
 * shards, would wait for it for ever.
 */
static bool waits_at_gate(struct locks *locks, struct message *message)
{
    bool let_in = locks->drained == message;
    if (let_in)
        locks->drained = NULL;
    bool others_first = locks->gated.first != NULL || locks->drained != NULL;
    if (locks->gate == NULL && (let_in || !others_first))
        return false;
    list_add(&locks->gated, message, next);
    return true;
}

static void gate_try(struct reactor *reactor)
{
    struct locks *locks = reactor->shard->locks;
    if (locks->gate == NULL || locks->gate_open || locks->queues > 0)
        return;
    locks->gate_open = true;
    part_granted(reactor, locks->gate);
}

bool locks_admit_request(struct reactor *reactor, struct request *request)
{
    struct locks *locks = reactor->shard->locks;
    if (waits_at_gate(locks, &request->message))
        return false;
    const struct command *command = request->command;
    uint64_t conn = conn_name(&request->message, request->conn);
    bool conflict = queue_exists(locks, conn);
    uint32_t names = 1;
    struct args args = request_args(request);
    for (uint32_t i = command_key_first(command, args.count); i != 0;
         i = command_key_next(command, args.count, i)) {
        names++;
        conflict |= queue_exists(locks, lock_name(hash_key(args_at(&args, i))));
    }
    if (!conflict)
        return true;
    struct waiter *waiter = waiter_new(&request->message, names, false);
    if (waiter == NULL) {
        group_refuse(reactor, request, ERR_NO_MEMORY);
        return false;
    }
    waiter_join(locks, waiter, conn);
    for (uint32_t i = command_key_first(command, args.count); i != 0;
         i = command_key_next(command, args.count, i))
        waiter_join(locks, waiter, lock_name(hash_key(args_at(&args, i))));
    return false;
}

bool locks_admit_part(struct reactor *reactor, struct part *part)
{
    struct locks *locks = reactor->shard->locks;
    if (waits_at_gate(locks, &part->message))
        return false;
    uint64_t conn = conn_name(&part->message, part->caller);
    /* Everything on this shard: after all that is held now. */
    bool conflict = queue_exists(locks, conn) || (part->lock_all && locks->queues > 0);
    for (uint32_t i = 0; i < part->name_count; i++)
        conflict |= queue_exists(locks, part->names[i]);
    if (!conflict)
        return true;
    if (part->lock_all) {
        locks->gate = part;
        locks->gate_open = false;
        return false;
    }
    struct waiter *waiter = waiter_new(&part->message, part->name_count + 1, false);
    if (waiter == NULL) {
        part_lost(reactor, part);
        return false;
    }
    waiter_join(locks, waiter, conn);
    for (uint32_t i = 0; i < part->name_count; i++)
        waiter_join(locks, waiter, part->names[i]);
    return false;
}

void locks_acquire(struct reactor *reactor, struct part *part)
{
    struct locks *locks = reactor->shard->locks;
    if (waits_at_gate(locks, &part->message))
        return;
    if (part->lock_all) {
        locks->gate = part;
        locks->gate_open = false;
        gate_try(reactor);
        return;
    }
    struct waiter *waiter = waiter_new(&part->message, part->name_count, true);
    if (waiter == NULL) {
        part_lost(reactor, part);
        return;
    }
    part->waiter = waiter;
    for (uint32_t i = 0; i < part->name_count; i++)
        waiter_join(locks, waiter, part->names[i]);
    if (waiter->missing == 0)
        part_granted(reactor, part);
}

/* Runs whoever is ready. Those that hold nothing leave at once, which may make others ready. */
static void run_ready(struct reactor *reactor)
{
    struct locks *locks = reactor->shard->locks;
    if (locks->running)
        return;
    locks->running = true;
    for (struct waiter *waiter; (waiter = list_take(&locks->ready, next_ready)) != NULL;) {
        struct message *message = waiter->message;
        bool holds = waiter->holds;
        if (message->kind == MESSAGE_COMMAND)
            group_run_one(reactor, request_of(message));
        else
            part_granted(reactor, (struct part *)message);
        if (!holds)
            waiter_leave(locks, waiter);
    }
    locks->running = false;
}

/* The gate is gone: those behind it arrive now, until one of them is a gate itself. */
static void gate_drain(struct reactor *reactor)
{
    struct locks *locks = reactor->shard->locks;
    while (locks->gate == NULL && locks->gated.first != NULL) {
        struct message *message = list_take(&locks->gated, next);
        locks->drained = message;
        if (message->kind != MESSAGE_COMMAND)
            part_run(reactor, message);
        else if (locks_admit_request(reactor, request_of(message)))
            group_run_one(reactor, request_of(message));
    }
}

void locks_release(struct reactor *reactor, struct part *part)
{
    struct locks *locks = reactor->shard->locks;
    if (part == locks->gate) {
        locks->gate = NULL;
        gate_drain(reactor);
        return;
    }
    if (part->waiter == NULL) /* there was no memory to wait with: it has nothing */
        return;
    waiter_leave(locks, part->waiter);
    part->waiter = NULL;
    run_ready(reactor);
    gate_try(reactor);
}
