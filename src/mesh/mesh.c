/*
 * mesh.c - one reactor's ends of the queues to all others: credits, backlogs, batching, reply
 * space.
 */
#include "shoal/mesh/mesh.h"

#include "port.h"

#include "shoal/base/list.h"
#include "shoal/base/mem.h"
#include "shoal/base/must.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFETCH_AHEAD = 4, /* messages */
    /* of a request: what the owner wrote, and behind it what the origin needs next */
    ANSWER_LINE = 2,
};

/* What reactor `from` made and `to` reads: [from * count + to]. NULL until first used. */
struct mesh {
    uint32_t count;
    uint32_t ring_size;
    struct sleeper *sleeper;
    _Atomic(struct spsc *) *requests;
    _Atomic(struct spsc *) *responses;
};

uint32_t mesh_ring_size(uint32_t reactors)
{
    uint32_t size = MESH_RING;
    for (uint32_t n = 8; n < reactors && size > MESH_RING_MIN; n *= 2)
        size /= 2;
    return size;
}

struct mesh *mesh_new(uint32_t reactors, uint32_t ring_size)
{
    static_assert((int)MESH_REACTORS_MAX <= (int)LANES_MAX, "a bit for each");
    must(reactors >= 1 && reactors <= MESH_REACTORS_MAX);
    struct mesh *mesh = mem_must_zalloc(sizeof(*mesh));
    mesh->count = reactors;
    mesh->ring_size = ring_size;
    mesh->requests = mem_must_zalloc(sizeof(*mesh->requests) * reactors * reactors);
    mesh->responses = mem_must_zalloc(sizeof(*mesh->responses) * reactors * reactors);
    mesh->sleeper = mem_must_align(64, sizeof(*mesh->sleeper) * reactors);
    return mesh;
}

void mesh_free(struct mesh **mesh)
{
    for (uint32_t i = 0; i < (*mesh)->count * (*mesh)->count; i++) {
        struct spsc *requests = atomic_load_explicit(&(*mesh)->requests[i], memory_order_relaxed);
        struct spsc *responses = atomic_load_explicit(&(*mesh)->responses[i], memory_order_relaxed);
        spsc_free(&requests);
        spsc_free(&responses);
    }
    free((*mesh)->requests);
    free((*mesh)->responses);
    free((*mesh)->sleeper);
    free(*mesh);
    *mesh = NULL;
}

/* All pairs together stay below 16 MB or so: MESH_REPLY_BYTES up to 8 reactors, then less. */
static uint32_t space_bytes(uint32_t reactors)
{
    uint32_t bytes = MESH_REPLY_BYTES;
    for (uint32_t n = 8; n < reactors && bytes > MESH_REPLY_BYTES_MIN; n *= 2)
        bytes /= 4;
    return bytes;
}

struct mesh_port *mesh_port_new(struct mesh *mesh, uint32_t self)
{
    struct mesh_port *port = mem_must_zalloc(sizeof(*port) + mesh->count * sizeof(struct lane));
    port->mesh = mesh;
    port->self = self;
    port->arrivals = &mesh->sleeper[self].arrivals;
    port->push_reserve = mesh->ring_size / 2;
    port->space_bytes = space_bytes(mesh->count);
    port->dirty = mem_must_zalloc(mesh->count * sizeof(*port->dirty));
    for (uint32_t i = 0; i < mesh->count; i++)
        port->lane[i].credits = mesh->ring_size;
    return port;
}

void mesh_port_free(struct mesh_port **port)
{
    for (uint32_t i = 0; i < (*port)->mesh->count; i++) {
        free((*port)->lane[i].space.data);
        free((*port)->lane[i].space.end_after);
    }
    free((*port)->dirty);
    free(*port);
    *port = NULL;
}

/* The ring from us to `to`, made now if need be. NULL when memory is out: the message stays in the
 * backlog. */
static struct spsc *ring_out(struct mesh_port *port, _Atomic(struct spsc *) *matrix,
                             struct spsc **cached, uint32_t to, uint32_t size)
{
    if (likely(*cached != NULL))
        return *cached;
    *cached = spsc_new(size);
    /* release: the ring's initial state becomes visible to the acquire in ring_in() */
    if (*cached != NULL)
        atomic_store_explicit(&matrix[port->self * port->mesh->count + to], *cached,
                              memory_order_release);
    return *cached;
}

static struct spsc *ring_in(struct mesh_port *port, _Atomic(struct spsc *) *matrix,
                            struct spsc **cached, uint32_t from)
{
    if (unlikely(*cached == NULL))
        /* acquire: pairs with the release in ring_out() */
        *cached = atomic_load_explicit(&matrix[from * port->mesh->count + port->self],
                                       memory_order_acquire);
    return *cached;
}

static void mark_dirty(struct mesh_port *port, uint32_t to)
{
    struct lane *lane = &port->lane[to];
    if (lane->dirty)
        return;
    lane->dirty = true;
    port->dirty[port->dirty_count++] = (uint16_t)to;
}

static bool needs_credit(const struct mesh_port *port, const struct message *message)
{
    return message->kind != MESSAGE_ONEWAY && !message->urgent && message->from == port->self;
}

static bool try_push(struct mesh_port *port, struct lane *lane, struct message *message)
{
    bool credit = needs_credit(port, message);
    if (unlikely(message->kind == MESSAGE_PUSH) && !lane_has_credit_for_push(port, lane))
        return false;
    struct spsc *ring = ring_out(port, port->mesh->requests, &lane->requests_out, message->to,
                                 port->mesh->ring_size);
    if ((credit && lane->credits == 0) || ring == NULL || !spsc_push(ring, message))
        return false;
    lane->credits -= credit;
    mark_dirty(port, message->to);
    return true;
}

/* Messages that take no credit go first and in their own order; pushes go last. */
static struct waiting *waiting_list(struct mesh_port *port, struct lane *lane,
                                    const struct message *message)
{
    if (unlikely(message->kind == MESSAGE_PUSH))
        return &lane->pushes;
    return needs_credit(port, message) ? &lane->backlog : &lane->urgent;
}

static void note_waiting(struct mesh_port *port, uint32_t to)
{
    port->backlogged++;
    lane_set_add(&port->waiting, to);
}

static void send_or_wait(struct mesh_port *port, struct message *message)
{
    message_check(message);
    must(message->to != port->self);
    struct lane *lane = &port->lane[message->to];
    struct waiting *list = waiting_list(port, lane, message);
    if (list->first == NULL && try_push(port, lane, message))
        return;
    list_add(list, message, next);
    note_waiting(port, message->to);
    mark_dirty(port, message->to);
}

void mesh_send(struct mesh_port *port, struct message *message)
{
    message->from = (uint16_t)port->self;
    send_or_wait(port, message);
}

void mesh_forward(struct mesh_port *port, struct message *message)
{
    send_or_wait(port, message);
}

void mesh_keep_own(struct mesh_port *port, struct message *message)
{
    message_check(message);
    list_add(&port->own, message, next);
}

struct message *mesh_next_own(struct mesh_port *port)
{
    return list_take(&port->own, next);
}

bool mesh_has_own(const struct mesh_port *port)
{
    return port->own.first != NULL;
}

bool mesh_congested(const struct mesh_port *port, uint32_t to)
{
    return port->lane[to].backlog.first != NULL;
}

bool mesh_backlogged(const struct mesh_port *port)
{
    return port->backlogged > 0;
}

bool mesh_wants_room(const struct mesh_port *port)
{
    const struct lane_set *waiting = &port->waiting;
    for (uint32_t i = 0; (i = lane_set_next(waiting, i)) != LANES_NONE; i++) {
        const struct lane *lane = &port->lane[i];
        if (lane->answers.first != NULL || lane->urgent.first != NULL ||
            (lane->backlog.first != NULL && lane->credits > 0) ||
            (lane->pushes.first != NULL && lane_has_credit_for_push(port, lane)))
            return true;
    }
    return false;
}

static uint32_t response_ring_size(const struct mesh_port *port)
{
    return port->mesh->ring_size * 2;
}

void mesh_respond(struct mesh_port *port, struct message *message)
{
    message_check(message);
    uint32_t to = message->from;
    struct lane *lane = &port->lane[to];
    struct spsc *ring =
        ring_out(port, port->mesh->responses, &lane->responses_out, to, response_ring_size(port));
    if (unlikely(ring == NULL)) { /* 4 KB, once a pair: tried again every turn */
        list_add(&lane->answers, message, next);
        note_waiting(port, to);
        return;
    }
    uint32_t index = spsc_pushed(ring);
    bool fits = spsc_push(ring, message);
    must(fits); /* the credit or the transaction layer's bound reserved this slot */
    if (lane->space.data != NULL)
        lane->space.end_after[index & ring->mask] = lane->space.end;
    mark_dirty(port, to);
}

static bool space_make(struct mesh_port *port, struct reply_space *space)
{
    if (space->data != NULL)
        return true;
    space->data = malloc(port->space_bytes);
    space->end_after = calloc(response_ring_size(port), sizeof(*space->end_after));
    if (space->data != NULL && space->end_after != NULL)
        return true;
    free(space->data);
    free(space->end_after);
    space->data = NULL;
    space->end_after = NULL;
    return false;
}

static void space_reclaim(struct lane *lane)
{
    if (lane->responses_out == NULL)
        return;
    uint32_t released = spsc_released(lane->responses_out);
    if (released == lane->space.freed)
        return;
    lane->space.begin = lane->space.end_after[(released - 1) & lane->responses_out->mask];
    lane->space.freed = released;
}

char *mesh_reply_space(struct mesh_port *port, uint32_t to, size_t size)
{
    struct lane *lane = &port->lane[to];
    struct reply_space *space = &lane->space;
    if (size > port->space_bytes / 2)
        return NULL;
    if (space->data == NULL) {
        if (!space_make(port, space))
            return NULL;
        if (lane->responses_out != NULL)
            space->freed = spsc_released(lane->responses_out);
    }
    uint32_t need = ((uint32_t)size + 7) & ~7u;
    uint32_t total = port->space_bytes, at = space->end & (total - 1);
    uint32_t skip = at + need > total ? total - at : 0; /* a reply never wraps */
    if (space->end + skip + need - space->begin > total) {
        space_reclaim(lane);
        if (space->end + skip + need - space->begin > total)
            return NULL;
    }
    char *place = space->data + ((space->end + skip) & (total - 1));
    space->end += skip + need;
    return place;
}

/* Lines of the message that will be popped in a moment: they come from another CPU's cache. */
static inline void prefetch_ahead(struct spsc *ring, uint32_t line)
{
    if (spsc_ready(ring) > PREFETCH_AHEAD) {
        const char *message = spsc_peek(ring, PREFETCH_AHEAD);
        mem_prefetch(message + line * 64);
        mem_prefetch(message + line * 64 + 64);
    }
}

/* `from` has left the ready ones: before more has arrived from it, or it was left with something. */
static void intake_begin(struct mesh_port *port, struct intake *intake, uint32_t from)
{
    lane_set_add(&intake->seen, from);
    intake->source = from;
    port->turn_looks++;
}

/* The next source of this round, or the first of a new one. False: nothing has arrived. */
static bool source_begin(struct mesh_port *port)
{
    struct intake *intake = &port->requests;
    if (lane_set_empty(&port->round)) {
        if (!port->has_looked)
            arrivals_take(port->arrivals, ARRIVAL_REQUESTS, &intake->ready);
        port->has_looked = true;
        port->round = intake->ready;
        if (lane_set_empty(&port->round))
            return false;
    }
    uint32_t from = lane_set_next(&port->round, port->start);
    if (from == LANES_NONE)
        from = lane_set_next(&port->round, 0);
    lane_set_remove(&port->round, from);
    lane_set_remove(&intake->ready, from);
    intake_begin(port, intake, from);
    intake->ring = ring_in(port, port->mesh->requests, &port->lane[from].requests_in, from);
    port->from_source = 0;
    return true;
}

struct message *mesh_next_request(struct mesh_port *port)
{
    struct intake *intake = &port->requests;
    while (port->taken < MESH_DRAIN_TURN) {
        struct spsc *ring = intake->ring;
        bool goes_on = ring != NULL && port->from_source < MESH_DRAIN_SOURCE;
        struct message *message = goes_on ? spsc_pop(ring) : NULL;
        if (message != NULL) {
            prefetch_ahead(ring, 0);
            message_check(message);
            must(message->to == port->self);
            port->from_source++;
            port->taken++;
            return message;
        }
        if (ring != NULL && !goes_on)
            lane_set_add(&intake->ready, intake->source);
        intake->ring = NULL;
        if (!source_begin(port))
            return NULL;
    }
    return NULL;
}

static bool responder_begin(struct mesh_port *port)
{
    struct intake *intake = &port->responses;
    if (lane_set_empty(&intake->ready))
        arrivals_take(port->arrivals, ARRIVAL_RESPONSES, &intake->ready);
    uint32_t from = lane_set_take(&intake->ready);
    if (from == LANES_NONE)
        return false;
    intake_begin(port, intake, from);
    intake->ring = ring_in(port, port->mesh->responses, &port->lane[from].responses_in, from);
    return true;
}

struct message *mesh_next_response(struct mesh_port *port)
{
    struct intake *intake = &port->responses;
    do {
        struct spsc *ring = intake->ring;
        struct message *message = ring != NULL ? spsc_pop(ring) : NULL;
        if (message == NULL)
            continue;
        prefetch_ahead(ring, ANSWER_LINE);
        message_check(message);
        must(message->from == port->self);
        struct lane *lane = &port->lane[intake->source];
        lane->credits += message->kind != MESSAGE_ONEWAY && !message->urgent;
        if (unlikely(message->kind == MESSAGE_PUSH))
            lane->push_bytes -= ((struct push_message *)message)->bytes;
        return message;
    } while (responder_begin(port));
    intake->ring = NULL;
    return NULL;
}

/* What is still in hand was left with something. */
static void intake_end(struct intake *intake)
{
    if (intake->ring != NULL)
        lane_set_add(&intake->ready, intake->source);
    intake->ring = NULL;
}

static void release_seen(struct mesh_port *port)
{
    for (uint32_t i; (i = lane_set_take(&port->requests.seen)) != LANES_NONE;)
        spsc_release(port->lane[i].requests_in);
    for (uint32_t i; (i = lane_set_take(&port->responses.seen)) != LANES_NONE;)
        spsc_release(port->lane[i].responses_in);
    intake_end(&port->requests);
    intake_end(&port->responses);
    port->round = (struct lane_set){ 0 };
    port->looks += port->turn_looks;
    port->turn_looks = port->taken = 0;
}

void mesh_release(struct mesh_port *port)
{
    if (port->turn_looks > 0)
        release_seen(port);
    port->has_looked = false;
    port->start = port->start + 1 < port->mesh->count ? port->start + 1 : 0;
}

uint64_t mesh_looks(struct mesh_port *port)
{
    uint64_t looks = port->looks;
    port->looks = 0;
    return looks;
}

static void list_push_on(struct mesh_port *port, struct lane *lane, struct waiting *list)
{
    while (list->first != NULL) {
        struct message *message = list->first, *next = message->next;
        if (!try_push(port, lane, message))
            return;
        list->first = next;
        port->backlogged--;
    }
}

static void answers_push_on(struct mesh_port *port, struct lane *lane)
{
    struct message *message = lane->answers.first;
    lane->answers = (struct waiting){ 0 };
    while (message != NULL) {
        struct message *next = message->next;
        port->backlogged--;
        mesh_respond(port, message);
        message = next;
    }
}

static void backlogs_push_on(struct mesh_port *port)
{
    for (uint32_t i = 0; (i = lane_set_next(&port->waiting, i)) != LANES_NONE; i++) {
        struct lane *lane = &port->lane[i];
        answers_push_on(port, lane);
        list_push_on(port, lane, &lane->urgent);
        list_push_on(port, lane, &lane->backlog);
        if (lane->backlog.first == NULL)
            list_push_on(port, lane, &lane->pushes);
        if (lane->answers.first == NULL && lane->urgent.first == NULL &&
            lane->backlog.first == NULL && lane->pushes.first == NULL)
            lane_set_remove(&port->waiting, i);
    }
}

bool mesh_publish(struct mesh_port *port, mesh_wake_fn wake, void *context)
{
    if (unlikely(port->backlogged > 0))
        backlogs_push_on(port);
    if (port->dirty_count == 0)
        return false;
    bool published = false;
    for (uint32_t i = 0; i < port->dirty_count; i++) {
        struct lane *lane = &port->lane[port->dirty[i]];
        struct arrivals *arrivals = &port->mesh->sleeper[port->dirty[i]].arrivals;
        bool requests = lane->requests_out != NULL && spsc_publish(lane->requests_out);
        bool responses = lane->responses_out != NULL && spsc_publish(lane->responses_out);
        lane->dirty = false;
        if (requests)
            arrivals_note(arrivals, ARRIVAL_REQUESTS, port->self);
        if (responses)
            arrivals_note(arrivals, ARRIVAL_RESPONSES, port->self);
        published |= requests || responses;
    }
    if (published) {
        sleep_fence();
        for (uint32_t i = 0; i < port->dirty_count; i++)
            if (sleep_wake_claim(&port->mesh->sleeper[port->dirty[i]]))
                wake(context, port->dirty[i]);
    }
    port->dirty_count = 0;
    return published;
}

static bool anything_arrived(const struct mesh_port *port)
{
    return arrivals_any(port->arrivals) || !lane_set_empty(&port->requests.ready) ||
           !lane_set_empty(&port->responses.ready);
}

bool mesh_may_sleep(struct mesh_port *port)
{
    struct sleeper *sleeper = &port->mesh->sleeper[port->self];
    sleep_begin(sleeper);
    if (!anything_arrived(port))
        return true;
    sleep_end(sleeper);
    return false;
}

void mesh_awake(struct mesh_port *port)
{
    sleep_end(&port->mesh->sleeper[port->self]);
}
