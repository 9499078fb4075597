/*
 * key_queues.c - queues of transactions and waiting commands, by key, of one shard.
 */
#include "shoal/shard/key_queues.h"

#include "shoal/base/hash.h"
#include "shoal/base/list.h"
#include "shoal/base/mem.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/request.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/batcher.h"
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

struct key_queues {
    struct node *bucket[LOCK_BUCKETS];
    uint32_t count;
    LIST_OF(struct waiter) ready; /* at the head of all their queues, about to run */
    bool running;                 /* run_ready() is at work further up the stack */
    struct part *gate;
    bool gate_open; /* the gate's part has been granted the shard */
    LIST_OF(struct message) gated;
    const struct message *drained; /* has been behind the gate, and is let in now */
};

struct key_queues *key_queues_new(void)
{
    return mem_must_zalloc(sizeof(struct key_queues));
}

void key_queues_free(struct key_queues **queues)
{
    free(*queues);
    *queues = NULL;
}

bool key_queues_active(const struct key_queues *queues)
{
    return queues->count > 0 || queues->gate != NULL || queues->gated.first != NULL ||
           queues->drained != NULL;
}

static struct node **queue_place(struct key_queues *queues, uint64_t name)
{
    struct node **place = &queues->bucket[name % LOCK_BUCKETS];
    while (*place != NULL && (*place)->name != name)
        place = &(*place)->next_queue;
    return place;
}

static bool queue_exists(struct key_queues *queues, uint64_t name)
{
    return *queue_place(queues, name) != NULL;
}

/* Nobody but holders makes others wait: a queue that exists has one at its head. */
bool key_queues_hold(const void *context, const struct item *item)
{
    const struct key_queues *queues = context;
    if (queues->gate != NULL && queues->gate_open)
        return true;
    if (queues->count == 0)
        return false;
    uint64_t name = key_queues_name(hash_key(item_key(item)));
    const struct node *queue = queues->bucket[name % LOCK_BUCKETS];
    while (queue != NULL && queue->name != name)
        queue = queue->next_queue;
    return queue != NULL;
}

/* Later commands of the same connection wait too: it has a queue of its own under this name. */
static uint64_t conn_name(const struct message *message, const void *conn)
{
    return ((uintptr_t)conn + message->from) * 0xd6e8feb86659fd93ull;
}

/* With room in `names` queues; NULL when memory is out. */
static struct waiter *waiter_new(struct message *message, uint32_t names, bool holds)
{
    struct waiter *waiter = malloc(sizeof(*waiter) + names * sizeof(struct node));
    if (waiter != NULL)
        *waiter = (struct waiter){ .message = message, .holds = holds };
    return waiter;
}

static void waiter_join(struct key_queues *queues, struct waiter *waiter, uint64_t name)
{
    struct node **place = queue_place(queues, name), *first = *place;
    if (first != NULL && first->last->waiter == waiter)
        return; /* the same key twice */
    struct node *node = &waiter->node[waiter->count++];
    *node = (struct node){ .waiter = waiter, .name = name };
    if (first == NULL) {
        node->last = node;
        *place = node;
        queues->count++;
    } else {
        first->last->behind = node;
        first->last = node;
        waiter->missing++;
    }
}

/* Leaves the heads of its queues; a waiter that is now at the head of all of its own is ready. */
static void waiter_leave(struct key_queues *queues, struct waiter *waiter)
{
    for (uint32_t i = 0; i < waiter->count; i++) {
        struct node *node = &waiter->node[i], *behind = node->behind;
        struct node **place = queue_place(queues, node->name);
        must(*place == node);
        if (behind == NULL) {
            *place = node->next_queue;
            queues->count--;
            continue;
        }
        behind->next_queue = node->next_queue;
        behind->last = node->last;
        *place = behind;
        if (--behind->waiter->missing == 0)
            list_add(&queues->ready, behind->waiter, next_ready);
    }
    free(waiter);
}

/*
 * A message waits behind a closed gate, and also while the gate is being drained: a command run
 * during the drain may have sent this message, and a transaction that overtakes another on this
 * shard but not on the others would deadlock.
 */
static bool waits_at_gate(struct key_queues *queues, struct message *message)
{
    bool let_in = queues->drained == message;
    if (let_in)
        queues->drained = NULL;
    bool others_first = queues->gated.first != NULL || queues->drained != NULL;
    if (queues->gate == NULL && (let_in || !others_first))
        return false;
    list_add(&queues->gated, message, next);
    return true;
}

static void gate_try(struct reactor *reactor)
{
    struct key_queues *queues = reactor->shard->queues;
    if (queues->gate == NULL || queues->gate_open || queues->count > 0)
        return;
    queues->gate_open = true;
    part_granted(reactor, queues->gate);
}

bool key_queues_admit_request(struct reactor *reactor, struct request *request)
{
    struct key_queues *queues = reactor->shard->queues;
    if (waits_at_gate(queues, &request->message))
        return false;
    const struct command *command = request->command;
    uint64_t conn = conn_name(&request->message, request->conn);
    bool conflict = queue_exists(queues, conn);
    uint32_t names = 1;
    struct args args = request_args(request);
    for (uint32_t i = command_key_first(command, &args); i != 0;
         i = command_key_next(command, &args, i)) {
        names++;
        conflict |= queue_exists(queues, key_queues_name(hash_key(args_at(&args, i))));
    }
    if (!conflict)
        return true;
    struct waiter *waiter = waiter_new(&request->message, names, false);
    if (waiter == NULL) {
        batcher_refuse(reactor, request, ERR_NO_MEMORY);
        return false;
    }
    waiter_join(queues, waiter, conn);
    for (uint32_t i = command_key_first(command, &args); i != 0;
         i = command_key_next(command, &args, i))
        waiter_join(queues, waiter, key_queues_name(hash_key(args_at(&args, i))));
    return false;
}

bool key_queues_admit_part(struct reactor *reactor, struct part *part)
{
    struct key_queues *queues = reactor->shard->queues;
    if (waits_at_gate(queues, &part->message))
        return false;
    uint64_t conn = conn_name(&part->message, part->caller);
    /* Everything on this shard: after all that is held now. */
    bool conflict = queue_exists(queues, conn) || (part->lock_all && queues->count > 0);
    for (uint32_t i = 0; i < part->name_count; i++)
        conflict |= queue_exists(queues, part->names[i]);
    if (!conflict)
        return true;
    if (part->lock_all) {
        queues->gate = part;
        queues->gate_open = false;
        return false;
    }
    struct waiter *waiter = waiter_new(&part->message, part->name_count + 1, false);
    if (waiter == NULL) {
        part_lost(reactor, part);
        return false;
    }
    waiter_join(queues, waiter, conn);
    for (uint32_t i = 0; i < part->name_count; i++)
        waiter_join(queues, waiter, part->names[i]);
    return false;
}

void key_queues_acquire(struct reactor *reactor, struct part *part)
{
    struct key_queues *queues = reactor->shard->queues;
    if (waits_at_gate(queues, &part->message))
        return;
    if (part->lock_all) {
        queues->gate = part;
        queues->gate_open = false;
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
        waiter_join(queues, waiter, part->names[i]);
    if (waiter->missing == 0)
        part_granted(reactor, part);
}

/* Runs the waiters that are ready. Those that hold nothing leave at once, which may make others
 * ready. */
static void run_ready(struct reactor *reactor)
{
    struct key_queues *queues = reactor->shard->queues;
    if (queues->running)
        return;
    queues->running = true;
    for (struct waiter *waiter; (waiter = list_take(&queues->ready, next_ready)) != NULL;) {
        struct message *message = waiter->message;
        bool holds = waiter->holds;
        if (message->kind == MESSAGE_COMMAND)
            batcher_run_one(reactor, request_of(message));
        else
            part_granted(reactor, part_of(message));
        if (!holds)
            waiter_leave(queues, waiter);
    }
    queues->running = false;
}

/* The gate is gone: those behind it arrive now, until one of them is a gate itself. */
static void gate_drain(struct reactor *reactor)
{
    struct key_queues *queues = reactor->shard->queues;
    while (queues->gate == NULL && queues->gated.first != NULL) {
        struct message *message = list_take(&queues->gated, next);
        queues->drained = message;
        if (message->kind != MESSAGE_COMMAND)
            part_run(reactor, message);
        else if (key_queues_admit_request(reactor, request_of(message)))
            batcher_run_one(reactor, request_of(message));
    }
}

void key_queues_release(struct reactor *reactor, struct part *part)
{
    struct key_queues *queues = reactor->shard->queues;
    if (part == queues->gate) {
        queues->gate = NULL;
        gate_drain(reactor);
        return;
    }
    if (part->waiter == NULL) /* there was no memory to wait with: it has nothing */
        return;
    waiter_leave(queues, part->waiter);
    part->waiter = NULL;
    run_ready(reactor);
    gate_try(reactor);
}
