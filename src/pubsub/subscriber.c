/*
 * subscriber.c - what a connection keeps of its subscriptions, and what it is answered.
 */
#include "shoal/pubsub/subscriber.h"

#include "handlers.h"

#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

static void subscriber_drop(struct conn *conn, struct attachment *attachment);
static const struct attachment_kind subscriber_kind = { .drop = subscriber_drop };

struct subscriber *subscriber_of(const struct conn *conn)
{
    return (struct subscriber *)conn_attached(conn, &subscriber_kind);
}

struct subscriber *subscriber_get(struct conn *conn)
{
    struct subscriber *subscriber = subscriber_of(conn);
    if (subscriber != NULL)
        return subscriber;
    subscriber = calloc(1, sizeof(*subscriber));
    if (subscriber == NULL)
        return NULL;
    subscriber->attachment.kind = &subscriber_kind;
    subscriber->conn = conn;
    conn_attach(conn, &subscriber->attachment);
    return subscriber;
}

uint32_t subscriber_count(const struct conn *conn, enum topic_kind kind)
{
    const struct subscriber *subscriber = subscriber_of(conn);
    return subscriber != NULL ? subscriber->own[kind].count : 0;
}

void subscriber_note(struct subscriber *subscriber)
{
    struct conn *conn = subscriber->conn;
    struct counter *clients = &conn->reactor->stats->pubsub_clients;
    bool was = conn->flags & CONN_SUBSCRIBED, is = false;
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        is |= subscriber->own[kind].count > 0;
    if (was == is)
        return;
    conn->flags ^= CONN_SUBSCRIBED;
    counter_set(clients, counter_get(clients) + (is ? 1 : (uint64_t)-1));
}

static void subscriber_drop(struct conn *conn, struct attachment *attachment)
{
    struct subscriber *subscriber = (struct subscriber *)attachment;
    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        while (subscriber->own[kind].first != NULL)
            notice_subscription_ended(conn->reactor, subscriber->own[kind].first);
    announced_drop(conn, subscriber);
    notices_let_go(conn->reactor, subscriber);
    subscriber_note(subscriber);
    free(subscriber);
}

/* ---- answers ------------------------------------------------------------- */

void confirm_begin(struct reply *reply, uint32_t count)
{
    if (reply->proto == PROTO_NATIVE)
        reply_array(reply, count);
}

void confirm(struct reply *reply, const struct subscriber *subscriber, enum topic_kind kind,
             const char *word, struct bytes name)
{
    int64_t left = 0;
    if (subscriber != NULL && kind == TOPIC_SHARD)
        left = subscriber->own[TOPIC_SHARD].count;
    else if (subscriber != NULL)
        left = (int64_t)subscriber->own[TOPIC_CHANNEL].count + subscriber->own[TOPIC_PATTERN].count;
    if (reply->proto == PROTO_NATIVE)
        reply_array(reply, 3);
    else
        reply_push(reply, 3);
    reply_cstr(reply, word);
    if (name.data != NULL)
        reply_str(reply, name);
    else
        reply_nil(reply);
    reply_int(reply, left);
}

void confirm_aloud(struct conn *conn)
{
    struct request *request = conn->unanswered.first;
    if (!(request->command->flags & CMD_RUNS_QUEUED))
        request->flags &= (uint8_t)~REQUEST_SILENT;
}
