/*
 * push.c - pushes on their way to the send buffer.
 */
#include "shoal/conn/push.h"

#include "shoal/base/list.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/state.h"

#include <stdlib.h>

struct push {
    struct push *next;
    const struct request *behind; /* NULL: nothing */
    struct reply_ref *ref;        /* one use; NULL: bytes[] */
    size_t size;
    char bytes[];
};

static struct request *last_answered(struct conn *conn)
{
    struct request *last = NULL;
    for (struct request *request = conn->unanswered.first; request != NULL; request = request->next)
        if (request->flags & REQUEST_DONE)
            last = request;
    return last;
}

/* Keeps it in the list. `ref` is used once more, or `encoded` copied. */
static void keep(struct conn *conn, struct bytes encoded, struct reply_ref *ref,
                 struct request *behind)
{
    struct reactor *here = conn->reactor;
    size_t footprint = sizeof(struct push) + encoded.size;
    bool fits = state_fits(here, settings_state_limit(here->settings), STATE_PUSHES, footprint);
    struct push *push = fits ? malloc(sizeof(*push) + (ref == NULL ? encoded.size : 0)) : NULL;
    if (push == NULL) {
        conn_kill(conn);
        return;
    }
    *push = (struct push){ .behind = behind, .ref = ref, .size = encoded.size };
    if (ref != NULL)
        reply_ref_use(ref);
    else
        memcpy(push->bytes, encoded.data, encoded.size);
    if (behind != NULL)
        behind->flags |= REQUEST_PUSHES;
    list_add(&conn->pushes, push, next);
    conn->push_bytes += push->size;
    state_add(here, STATE_PUSHES, (int64_t)footprint);
}

static void send_now(struct conn *conn, struct bytes encoded, struct reply_ref *ref)
{
    struct chunk_pool *pool = &conn->reactor->conns->chunks;
    bool ok;
    if (ref != NULL) {
        reply_ref_use(ref);
        ok = out_push_ref(&conn->out, conn->reactor, ref);
    } else {
        ok = out_push(&conn->out, pool, encoded.data, encoded.size);
    }
    if (!ok)
        conn_kill(conn);
}

static void push(struct conn *conn, struct bytes encoded, struct reply_ref *ref,
                 enum push_order order)
{
    if (conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
        return;
    struct request *behind = order == PUSH_BEHIND ? last_answered(conn) : NULL;
    if (behind != NULL || conn->pushes.first != NULL || conn->reactor->conns->writing == conn)
        keep(conn, encoded, ref, behind);
    else
        send_now(conn, encoded, ref);
    conn_flush_later(conn);
}

void conn_push(struct conn *conn, struct bytes encoded, enum push_order order)
{
    push(conn, encoded, NULL, order);
}

void conn_push_ref(struct conn *conn, struct reply_ref *ref, enum push_order order)
{
    bool copy = ref->size <= PUSH_COPY_MAX;
    push(conn, bytes_of(ref->base, ref->size), copy ? NULL : ref, order);
}

static void push_free(struct conn *conn, struct push *push)
{
    conn->push_bytes -= push->size;
    state_add(conn->reactor, STATE_PUSHES, -(int64_t)(sizeof(*push) + push->size));
    if (push->ref != NULL)
        reply_ref_unuse(conn->reactor, push->ref);
    free(push);
}

void pushes_go_on(struct conn *conn)
{
    must(conn->reactor->conns->writing != conn);
    while (conn->pushes.first != NULL && conn->pushes.first->behind == NULL) {
        struct push *push = list_take(&conn->pushes, next);
        if (!(conn->flags & CONN_DEAD))
            send_now(conn, bytes_of(push->bytes, push->size), push->ref);
        push_free(conn, push);
    }
}

void pushes_passed(struct conn *conn, const struct request *request)
{
    for (struct push *push = conn->pushes.first; push != NULL; push = push->next)
        if (push->behind == request)
            push->behind = NULL;
    conn_flush_later(conn);
}

void pushes_clear(struct conn *conn)
{
    for (struct push *push; (push = list_take(&conn->pushes, next)) != NULL;)
        push_free(conn, push);
}
