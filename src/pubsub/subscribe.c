/*
 * subscribe.c - SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE: announced to every reactor, then answered.
 *
 *   announced   a notice hangs at the subscriber, and every reactor counts its names and says so in
 *               a byte of its own
 *   answered    every reactor has counted: the connection joins the topics. A name that it has
 *               already is not counted, or given back where that shows only now: in an EXEC, or
 *               when it is said twice.
 *   dropped     it is not answered: the connection died meanwhile, or the EXEC that it was queued
 *               for did not run. What had been counted is given back by the connection's next
 *               announcement, or at its end.
 */
#include "handlers.h"

#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"
#include "shoal/stats/state.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[TOPIC_KINDS] = { "subscribe", "psubscribe", "ssubscribe" };

/* The plan's. */
struct announcement {
    struct notice *notice;
    uint32_t home;
    struct args args;
};

/* A byte for each name: the connection has it already. */
static uint8_t *known_names(struct notice *notice)
{
    return (uint8_t *)(notice->hash + notice->count);
}

/* A byte for each reactor: it has counted. */
static uint8_t *counted_by(struct notice *notice)
{
    return known_names(notice) + notice->count;
}

/* What was counted, as far as it is to be given back. */
static void give_back(struct reactor *home, struct notice *notice)
{
    const uint8_t *known = known_names(notice);
    uint32_t left = 0, count = notice->count;
    for (uint32_t i = 0; i < count; i++)
        if (!known[i])
            notice->hash[left++] = notice->hash[i];
    notice->count = left;
    if (left > 0)
        notice_send(home, notice);
    else
        free(notice);
}

static void announce_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)reply;
    const struct announcement *it = context;
    struct notice *notice = it->notice;
    struct interests *interests = &here->pubsub->interests;
    const uint8_t *known = known_names(notice);
    uint32_t done = 0;
    while (done < notice->count &&
           (known[done] || interests_add(interests, notice->kind, notice->hash[done],
                                         args_at(&it->args, done + 1), it->home)))
        done++;
    pubsub_note(here);
    if (done == notice->count) {
        counted_by(notice)[here->id] = true;
        return;
    }
    while (done-- > 0)
        if (!known[done])
            interests_remove(interests, notice->kind, notice->hash[done], it->home);
}

/* Notes which reactors have counted. True: all. The bytes are not used any more. */
static bool note_counted(const struct reactor *home, struct notice *notice)
{
    bool all = true;
    for (uint32_t i = 0; i < home->count; i++) {
        if (counted_by(notice)[i])
            notice_add_reactor(notice, i);
        else
            all = false;
    }
    return all;
}

static void pending_take(struct subscriber *subscriber, struct notice *notice)
{
    struct notice **at = &subscriber->pending;
    while (*at != notice)
        at = &(*at)->next;
    *at = notice->next;
}

static bool has_topic(const struct conn *conn, enum topic_kind kind, struct bytes name,
                      uint64_t hash)
{
    const struct topic *topic = topics_find(&conn->reactor->pubsub->topics, kind, name, hash);
    return topic != NULL && subscription_find(subscriber_of(conn), topic) != NULL;
}

/* One name; false: it is not needed, or there was no memory. */
static bool join(struct subscriber *subscriber, enum topic_kind kind, struct bytes name,
                 uint64_t hash, struct reply *reply)
{
    struct topics *topics = &subscriber->conn->reactor->pubsub->topics;
    bool has = has_topic(subscriber->conn, kind, name, hash);
    if (!has && !topics_subscribe(topics, subscriber, kind, name, hash)) {
        reply_error(reply, ERR_NO_MEMORY);
        return false;
    }
    confirm(reply, subscriber, kind, words[kind], name);
    return !has;
}

static void announce_merge(struct plan *plan, void *context, struct reply *reply)
{
    const struct announcement *it = context;
    struct notice *notice = it->notice;
    struct subscriber *subscriber = subscriber_of(plan->request->conn);
    pending_take(subscriber, notice);
    if (!note_counted(plan->home, notice)) {
        reply_error(reply, ERR_NO_MEMORY);
        give_back(plan->home, notice);
        return;
    }
    uint8_t *known = known_names(notice);
    confirm_begin(reply, notice->count);
    for (uint32_t i = 0; i < notice->count; i++) /* those that joined are not given back */
        known[i] |=
            join(subscriber, notice->kind, args_at(&it->args, i + 1), notice->hash[i], reply);
    subscriber_note(subscriber);
    pubsub_note(plan->home);
    give_back(plan->home, notice);
}

void announced_drop(struct conn *conn, struct subscriber *subscriber)
{
    for (struct notice **at = &subscriber->pending, *notice; (notice = *at) != NULL;) {
        if (notice->of_command == conn->commands && !(conn->flags & CONN_DEAD)) {
            at = &notice->next; /* of the same EXEC: it is under way */
            continue;
        }
        *at = notice->next;
        note_counted(conn->reactor, notice);
        give_back(conn->reactor, notice);
    }
}

static struct notice *notice_new(const struct conn *conn, const struct args *args,
                                 enum topic_kind kind)
{
    uint32_t count = args->count - 1;
    struct notice *notice =
        calloc(1, sizeof(*notice) + count * (sizeof(notice->hash[0]) + 1) + conn->reactor->count);
    if (notice == NULL)
        return NULL;
    notice->of_command = conn->commands;
    notice->kind = (uint8_t)kind;
    notice->count = count;
    /* In an EXEC the commands before it may still change what it has. */
    bool in_exec = conn->unanswered.first->command->flags & CMD_RUNS_QUEUED;
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name = args_at(args, i + 1);
        notice->hash[i] = topic_hash(kind, name);
        known_names(notice)[i] = !in_exec && has_topic(conn, kind, name, notice->hash[i]);
    }
    return notice;
}

/* There, and what every reactor will know of it. */
static bool fits(const struct reactor *home, const struct args *args)
{
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < args->count; i++)
        bytes += topic_footprint(args->v[i].size) + sizeof(struct subscription) +
                 home->count * sizeof(struct interest);
    return state_fits(home, settings_state_limit(home->settings), STATE_SUBSCRIPTIONS, bytes);
}

static void announce(struct plan *plan, const struct args *args, enum topic_kind kind)
{
    struct conn *conn = plan->request->conn;
    if (!fits(plan->home, args)) {
        plan_add_error(plan, ERR_STATE_FULL);
        return;
    }
    struct subscriber *subscriber = subscriber_get(conn);
    struct announcement *it = subscriber != NULL ? malloc(sizeof(*it)) : NULL;
    struct notice *notice = it != NULL ? notice_new(conn, args, kind) : NULL;
    if (notice == NULL) {
        free(it);
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    announced_drop(conn, subscriber);
    confirm_aloud(conn);
    *it = (struct announcement){ .notice = notice, .home = plan->home->id, .args = *args };
    notice->next = subscriber->pending;
    subscriber->pending = notice;
    plan_add_control(plan, announce_control, announce_merge, it);
}

void subscribe_gather(struct plan *plan, const struct args *args)
{
    announce(plan, args, TOPIC_CHANNEL);
}

void psubscribe_gather(struct plan *plan, const struct args *args)
{
    announce(plan, args, TOPIC_PATTERN);
}

void ssubscribe_gather(struct plan *plan, const struct args *args)
{
    announce(plan, args, TOPIC_SHARD);
}
