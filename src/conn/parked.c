/*
 * parked.c - requests that wait, as their connection's home sees them.
 */
#include "shoal/conn/parked.h"

#include "shoal/base/list.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/mesh/call.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <string.h>

static void count(struct conn *conn, int more)
{
    struct counter *blocked = &conn->reactor->stats->blocked;
    counter_set(blocked, counter_get(blocked) + (uint64_t)(int64_t)more);
}

void request_park(struct request *request)
{
    struct conn *conn = request->conn;
    must(conn->unanswered.first == request && request->next == NULL);
    request_forget_args(conn->reactor, request);
    conn->flags |= CONN_PARKED;
    count(conn, 1);
    if (conn->flags & (CONN_DEAD | CONN_CLOSING | CONN_EOF))
        conn_reap_later(conn); /* it has gone meanwhile */
}

static void unpark(struct conn *conn)
{
    conn->flags &= ~(uint32_t)CONN_PARKED;
    count(conn, -1);
}

bool parked_answer(struct reactor *here, struct caller caller, struct reply_ref *ref)
{
    struct conn *conn = conn_by_id(here, caller.client);
    struct request *request = conn != NULL ? conn->unanswered.first : NULL;
    if (conn == NULL || !(conn->flags & CONN_PARKED) ||
        request->message.caller.number != caller.number)
        return false;
    unpark(conn);
    request->answer.place = ref != NULL ? ANSWER_IN_REF : ANSWER_NONE;
    request->answer.ref = ref;
    request->flags |= REQUEST_DONE;
    answer_advance(conn);
    conn_stall(conn); /* what is behind it goes on */
    return true;
}

static void cancel_done(struct reactor *home, struct message *message)
{
    request_free(home, (struct request *)message);
}

struct caller parked_cancelled(const struct message *message)
{
    struct caller caller;
    memcpy(&caller, ((const struct request *)message)->answer.bytes, sizeof(caller));
    return caller;
}

/* The request itself is the message: there may be no memory for another. */
void parked_cancel(struct conn *conn)
{
    struct request *request = list_take(&conn->unanswered, next);
    message_fn cancel = request->answer.cancel;
    static_assert(sizeof(struct caller) <= ANSWER_INLINE, "it stands where an answer would");
    memcpy(request->answer.bytes, &request->message.caller, sizeof(struct caller));
    conn->requests--;
    conn->flags &= ~(uint32_t)CONN_ALONE;
    unpark(conn);
    request->message.run = cancel;
    request->message.done = cancel_done;
    request->message.kind = MESSAGE_CALL;
    call_send(conn->reactor, &request->message);
}
