/*
 * answer.c - replies in the order of the requests, from wherever they were written to the
 * connection.
 */
#include "shoal/conn/answer.h"

#include "shoal/base/list.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/account.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conn_ops.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/parked.h"
#include "shoal/conn/push.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

enum {
    RESP_ERROR_BYTES = 3,   /* beside its text: "-", CR LF */
    NATIVE_ERROR_BYTES = 9, /* two sizes and a type */
};

/* The error that says that memory is out must need none, or its client would be closed instead. */
static_assert(sizeof(ERR_NO_MEMORY) - 1 + NATIVE_ERROR_BYTES <= ANSWER_INLINE &&
                  sizeof(ERR_NO_MEMORY) - 1 + RESP_ERROR_BYTES <= ANSWER_INLINE,
              "it travels in the request");

/* The connection's send buffer can be written to now: nothing before this request is unanswered. */
static bool is_first_in_line(const struct request *request)
{
    const struct conn *conn = request->conn;
    return conn->unanswered.first == request && !(conn->flags & CONN_DEAD) &&
           !(request->flags & REQUEST_SILENT);
}

void answer_begin(struct request *request, struct reply *reply)
{
    struct conn *conn = request->conn;
    size_t room = ANSWER_INLINE;
    char *place = NULL;
    if (is_first_in_line(request))
        place = out_room(&conn->out, &conn->reactor->conns->chunks, &room);
    if (place == NULL) {
        place = request->answer.bytes;
        room = ANSWER_INLINE;
    }
    reply_init(reply, request->proto, place, room, NULL, 0);
    reply_begin(reply);
}

/* The first word of an encoded error reply. */
static void error_code_of(const struct request *request, const char *data, size_t size,
                          char code[STATS_ERROR_NAME])
{
    size_t at = request->proto == PROTO_NATIVE ? 9 : 1, n = 0;
    while (at < size && n + 1 < STATS_ERROR_NAME && data[at] != ' ' && data[at] != '\r')
        code[n++] = data[at++];
    code[n] = '\0';
}

static void end_special(struct conn *conn, struct request *request)
{
    if (request->flags & REQUEST_CLOSES)
        conn_close_later(conn);
    if (request->flags & REQUEST_PUSHES)
        pushes_passed(conn, request);
    if (request->flags & REQUEST_ALONE)
        conn->flags &= ~(uint32_t)CONN_ALONE;
}

static void request_pop(struct conn *conn)
{
    struct request *request = list_take(&conn->unanswered, next);
    conn->requests--;
    if (unlikely(request->flags & (REQUEST_CLOSES | REQUEST_PUSHES | REQUEST_ALONE)))
        end_special(conn, request);
    request_free(conn->reactor, request);
}

static void lost(struct conn *conn)
{
    conn_kill(conn); /* a reply could not be kept: the client must not take the next one for it */
}

/* Sends a finished reply that did not go straight to the send buffer. */
static void send_ref(struct conn *conn, struct reply *reply, bool of_refs)
{
    struct reply_ref *ref = reply_ref_new(conn->reactor, reply, of_refs);
    if (ref == NULL || !out_ref(&conn->out, conn->reactor, ref))
        lost(conn);
}

/* Puts the reply behind what the connection has to send. */
static void deliver(struct conn *conn, struct reply *reply, bool of_refs)
{
    if (likely(!reply->heap && reply->pin_count == 0 && !reply->no_memory)) {
        out_written(&conn->out, reply->size);
    } else if (reply->no_memory) {
        reply_discard(conn->reactor, reply, of_refs);
        lost(conn);
    } else {
        send_ref(conn, reply, of_refs);
    }
}

/* Keeps the reply with its request until those before it are answered. */
static void keep(struct request *request, struct reply *reply)
{
    struct answer *answer = &request->answer;
    answer->size = (uint32_t)reply->size;
    if (reply->no_memory) {
        reply_discard(request->conn->reactor, reply, false);
        answer->place = ANSWER_NONE;
    } else if (!reply->heap && reply->pin_count == 0) {
        answer->place = ANSWER_IN_REQUEST;
    } else {
        answer->ref = reply_ref_new(request->conn->reactor, reply, false);
        answer->place = answer->ref != NULL ? ANSWER_IN_REF : ANSWER_NONE;
    }
}

void answer_end(struct request *request, struct reply *reply)
{
    struct conn *conn = request->conn;
    reply_end(reply);
    if (unlikely(reply->errors > 0))
        account_failure(request, reply->error_code);
    if (reply->base == request->answer.bytes || !is_first_in_line(request)) {
        keep(request, reply);
        request->flags |= REQUEST_DONE;
        if (conn->unanswered.first == request)
            answer_advance(conn);
        return;
    }
    deliver(conn, reply, false);
    conn_flush_later(conn);
    request_pop(conn);
    if (conn->unanswered.first != NULL)
        answer_advance(conn);
}

static void send_plan(struct conn *conn, struct request *request)
{
    struct reply reply;
    size_t room = 0;
    char *place = out_room(&conn->out, &conn->reactor->conns->chunks, &room);
    reply_init(&reply, request->proto, place, place != NULL ? room : 0, NULL, 0);
    reply_begin(&reply);
    conn->reactor->conns->writing = conn;
    conn_ops_compose(request->plan, &reply);
    conn->reactor->conns->writing = NULL;
    reply_end(&reply);
    if (reply.errors > 0)
        account_failure(request, reply.error_code);
    deliver(conn, &reply, true);
    pushes_go_on(conn); /* what its commands have sent to their own connection */
}

static void heap_free(struct reactor *reactor, struct answer *answer)
{
    reactor->conns->budget.reply_bytes -= answer->size;
    free(answer->data);
}

static void drop_kept(struct reactor *reactor, struct answer *answer)
{
    if (answer->place == ANSWER_IN_HEAP)
        heap_free(reactor, answer);
    else if (answer->place == ANSWER_IN_REF)
        reply_ref_unuse(reactor, answer->ref);
    answer->place = ANSWER_NONE;
}

static void send_kept(struct conn *conn, struct request *request)
{
    struct answer *answer = &request->answer;
    bool ok = true;
    if (answer->place == ANSWER_IN_REQUEST) {
        ok = out_bytes(&conn->out, &conn->reactor->conns->chunks, answer->bytes, answer->size);
    } else if (answer->place == ANSWER_IN_HEAP) {
        ok = out_bytes(&conn->out, &conn->reactor->conns->chunks, answer->data, answer->size);
        heap_free(conn->reactor, answer);
    } else if (answer->place == ANSWER_IN_REF) {
        ok = out_ref(&conn->out, conn->reactor, answer->ref);
    } else {
        ok = false;
    }
    answer->place = ANSWER_NONE;
    if (!ok)
        lost(conn);
}

/* CLIENT REPLY OFF: the commands of an EXEC still run at home, their reply goes nowhere. */
static void compose_silently(struct conn *conn, struct request *request)
{
    struct reply reply;
    reply_init(&reply, request->proto, NULL, 0, NULL, 0);
    conn_ops_compose(request->plan, &reply);
    reply_discard(conn->reactor, &reply, true);
}

static void emit(struct conn *conn, struct request *request)
{
    if (request->plan != NULL && request->flags & REQUEST_SILENT && !(conn->flags & CONN_DEAD))
        compose_silently(conn, request);
    if (conn->flags & CONN_DEAD || request->flags & REQUEST_SILENT)
        drop_kept(conn->reactor, &request->answer);
    else if (request->plan != NULL)
        send_plan(conn, request);
    else
        send_kept(conn, request);
    if (request->plan != NULL) {
        conn_ops_finish(&request->plan);
        conn->flags &= ~(uint32_t)CONN_ALONE;
    }
}

void answer_advance(struct conn *conn)
{
    bool any = false;
    while (conn->unanswered.first != NULL && (conn->unanswered.first->flags & REQUEST_DONE)) {
        emit(conn, conn->unanswered.first);
        request_pop(conn);
        any = true;
    }
    if (any)
        conn_flush_later(conn);
    if (conn->flags & CONN_HELD)
        conn_ops_resume(conn);
}

/* The reply stands in the owner's reply space until the end of this turn. */
static void take_from_space(struct conn *conn, struct request *request)
{
    struct answer *answer = &request->answer;
    const char *data = answer->data;
    if (is_first_in_line(request)) {
        if (!out_bytes(&conn->out, &conn->reactor->conns->chunks, data, answer->size))
            lost(conn);
        answer->place = ANSWER_IN_REQUEST;
        answer->size = 0;
        return;
    }
    answer->data = malloc(answer->size);
    answer->place = answer->data != NULL ? ANSWER_IN_HEAP : ANSWER_NONE;
    if (answer->data == NULL)
        return;
    conn->reactor->conns->budget.reply_bytes += answer->size;
    memcpy(answer->data, data, answer->size);
}

static void note_error(struct request *request)
{
    const struct answer *answer = &request->answer;
    char code[STATS_ERROR_NAME] = "ERR";
    if (answer->place == ANSWER_IN_REQUEST)
        error_code_of(request, answer->bytes, answer->size, code);
    else if (answer->place == ANSWER_IN_SPACE)
        error_code_of(request, answer->data, answer->size, code);
    account_failure(request, code);
}

/* Not answered as others are. False: it has been parked. */
static bool take_special(struct request *request)
{
    if (request->answer.place == ANSWER_PARKED) {
        account_request(request, request->answer.ticks);
        request_park(request);
        return false;
    }
    note_error(request);
    return true;
}

void answer_arrived(struct request *request)
{
    struct conn *conn = request->conn;
    if (unlikely(request->answer.failed) && !take_special(request))
        return;
    account_request(request, request->answer.ticks);
    if (request->answer.place == ANSWER_IN_SPACE)
        take_from_space(conn, request);
    request->flags |= REQUEST_DONE;
    if (conn->unanswered.first == request)
        answer_advance(conn);
}
