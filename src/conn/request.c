/*
 * request.c - where requests come from: the reactor's pool, which keeps what it has had.
 */
#include "shoal/conn/request.h"

#include "shoal/base/list.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/input.h"
#include "shoal/reactor/reactor.h"

#include <stdlib.h>

enum { REQUEST_POOL_MAX = BOUND(4096, 2) };

const struct command command_unparsed = { .name = "", .flags = CMD_SKIP_SLOWLOG };

struct request *request_new(struct conn *conn)
{
    struct reactor *reactor = conn->reactor;
    struct request *request = reactor->conns->requests.free;
    if (likely(request != NULL)) {
        reactor->conns->requests.free = request->next;
        reactor->conns->requests.free_count--;
    } else {
        request = aligned_alloc(64, sizeof(*request));
        if (request == NULL)
            return NULL;
        reactor->conns->requests.count++;
    }
    request->message = (struct message){
        .from = (uint16_t)reactor->id,
        .to = (uint16_t)reactor->id,
        .kind = MESSAGE_COMMAND,
        .magic = MESSAGE_MAGIC,
    };
    request->command = NULL;
    request->db = conn->db;
    request->proto = conn->proto;
    request->flags = 0;
    request->args = request->spans;
    request->argc = 0;
    request->hash = 0;
    request->answer.place = ANSWER_NONE;
    request->answer.failed = false;
    request->answer.ticks = 0;
    request->conn = conn;
    request->next = NULL;
    request->input = NULL;
    request->plan = NULL;
    request->buffer = NO_BUFFER;
    return request;
}

static inline void args_release(struct reactor *reactor, struct request *request)
{
    if (unlikely(request->args != request->spans))
        free((void *)request->args);
    if (likely(request->buffer != NO_BUFFER))
        ring_buffer_release(reactor->ring, (uint16_t)request->buffer);
    else if (request->input != NULL)
        input_release(&request->input);
}

void request_forget_args(struct reactor *reactor, struct request *request)
{
    args_release(reactor, request);
    request->args = request->spans;
    request->argc = 0;
    request->buffer = NO_BUFFER;
    request->input = NULL;
}

void request_free(struct reactor *reactor, struct request *request)
{
    message_check(&request->message); /* it is freed once */
    must(request->plan == NULL);
    request->message.magic = 0;
    args_release(reactor, request);
    if (unlikely(reactor->conns->requests.free_count >= REQUEST_POOL_MAX)) {
        free(request);
        reactor->conns->requests.count--;
        return;
    }
    request->next = reactor->conns->requests.free;
    reactor->conns->requests.free = request;
    reactor->conns->requests.free_count++;
}

void request_append(struct conn *conn, struct request *request)
{
    list_add(&conn->unanswered, request, next);
    conn->requests++;
}
