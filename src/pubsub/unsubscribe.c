/*
 * unsubscribe.c - UNSUBSCRIBE, PUNSUBSCRIBE, SUNSUBSCRIBE: at home at once, elsewhere before the
 * answer is sent.
 */
#include "handlers.h"

#include "shoal/conn/conn.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"

static const char *const words[TOPIC_KINDS] = { "unsubscribe", "punsubscribe", "sunsubscribe" };

static void leave(struct subscriber *subscriber, enum topic_kind kind, struct bytes name)
{
    struct reactor *here = subscriber->conn->reactor;
    const struct topic *topic =
        topics_find(&here->pubsub->topics, kind, name, topic_hash(kind, name));
    struct subscription *it = topic != NULL ? subscription_find(subscriber, topic) : NULL;
    if (it != NULL)
        notice_subscription_ended(here, it);
}

/* All of this kind, each with an answer of its own; none: one answer without a name. */
static void leave_all(struct subscriber *subscriber, enum topic_kind kind, struct reply *reply)
{
    uint32_t count = subscriber != NULL ? subscriber->own[kind].count : 0;
    confirm_begin(reply, count > 0 ? count : 1);
    if (count == 0)
        confirm(reply, subscriber, kind, words[kind], bytes_of(NULL, 0));
    for (; count > 0; count--) {
        /* The name is in the topic, which may go: the answer says how many are left without it. */
        struct subscription *it = subscriber->own[kind].first;
        subscriber->own[kind].count--;
        confirm(reply, subscriber, kind, words[kind], topic_name(it->topic));
        subscriber->own[kind].count++;
        notice_subscription_ended(subscriber->conn->reactor, it);
    }
}

static void unsubscribe(struct conn *conn, const struct args *args, enum topic_kind kind,
                        struct reply *reply)
{
    struct subscriber *subscriber = subscriber_of(conn);
    confirm_aloud(conn);
    if (args->count == 1) {
        leave_all(subscriber, kind, reply);
    } else {
        confirm_begin(reply, args->count - 1);
        for (uint32_t i = 1; i < args->count; i++) {
            if (subscriber != NULL)
                leave(subscriber, kind, args_at(args, i));
            confirm(reply, subscriber, kind, words[kind], args_at(args, i));
        }
    }
    if (subscriber == NULL)
        return;
    subscriber_note(subscriber);
    notices_hold(conn->reactor, subscriber);
}

void unsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    unsubscribe(conn, args, TOPIC_CHANNEL, reply);
}

void punsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    unsubscribe(conn, args, TOPIC_PATTERN, reply);
}

void sunsubscribe_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    unsubscribe(conn, args, TOPIC_SHARD, reply);
}
