/*
 * notices.c - one broadcast for all that has ended meanwhile.
 */
#include "shoal/pubsub/notices.h"

#include "shoal/base/must.h"
#include "shoal/conn/conn.h"
#include "shoal/mesh/broadcast.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct notice) + sizeof(uint64_t) <= sizeof(struct subscription),
              "a notice fits where the subscription was");

static bool has_counted(const struct notice *notice, uint32_t reactor)
{
    return (notice->reactors[reactor / 64] >> reactor % 64 & 1) != 0;
}

static void order_run(struct reactor *here, struct broadcast *order)
{
    for (const struct notice *notice = order->context; notice != NULL; notice = notice->next) {
        if (!has_counted(notice, here->id))
            continue;
        for (uint32_t i = 0; i < notice->count; i++)
            interests_remove(&here->pubsub->interests, notice->kind, notice->hash[i],
                             (uint32_t)order->number);
    }
    pubsub_note(here);
}

static void send_waiting(struct reactor *here)
{
    struct notices *notices = &here->pubsub->notices;
    notices->order->context = notices->waiting.first;
    notices->order->number = here->id;
    notices->waiting.first = NULL;
    notices->sent++;
    broadcast_send(here, notices->order);
}

static void free_all(struct notice *notice)
{
    for (struct notice *next; notice != NULL; notice = next) {
        next = notice->next;
        free(notice);
    }
}

static void let_out(struct notices *notices)
{
    struct subscriber **at = &notices->held;
    while (*at != NULL) {
        struct subscriber *subscriber = *at;
        if (subscriber->held_until > notices->sent) {
            at = &subscriber->next_held;
            continue;
        }
        *at = subscriber->next_held;
        subscriber->held_until = 0;
        conn_let_out(subscriber->conn);
    }
}

static void order_done(struct reactor *home, struct broadcast *order)
{
    free_all(order->context);
    order->context = NULL;
    let_out(&home->pubsub->notices);
    if (home->pubsub->notices.waiting.first != NULL)
        send_waiting(home);
}

void notices_init(struct notices *notices, uint32_t reactors)
{
    *notices = (struct notices){ .order = broadcast_new(reactors, order_run, order_done) };
    must(notices->order != NULL);
}

void notices_fini(struct notices *notices)
{
    must(notices->held == NULL && notices->waiting.first == NULL &&
         notices->order->context == NULL);
    free(notices->order);
}

void notice_send(struct reactor *here, struct notice *notice)
{
    struct notices *notices = &here->pubsub->notices;
    list_add(&notices->waiting, notice, next);
    if (notices->order->context == NULL)
        send_waiting(here);
}

void notices_hold(struct reactor *here, struct subscriber *subscriber)
{
    struct notices *notices = &here->pubsub->notices;
    if (notices->order->context == NULL)
        return; /* all have heard */
    if (subscriber->held_until == 0) {
        subscriber->next_held = notices->held;
        notices->held = subscriber;
    }
    subscriber->held_until = notices->sent + (notices->waiting.first != NULL);
    conn_hold_out(subscriber->conn);
}

void notices_let_go(struct reactor *here, struct subscriber *subscriber)
{
    struct subscriber **at = &here->pubsub->notices.held;
    if (subscriber->held_until == 0)
        return;
    while (*at != subscriber)
        at = &(*at)->next_held;
    *at = subscriber->next_held;
    subscriber->held_until = 0;
    conn_let_out(subscriber->conn);
}

void notice_subscription_ended(struct reactor *here, struct subscription *subscription)
{
    enum topic_kind kind = subscription->topic->kind;
    uint64_t hash = subscription->topic->hash;
    topics_unsubscribe(&here->pubsub->topics, subscription);
    pubsub_note(here);
    struct notice *notice = (struct notice *)subscription;
    *notice = (struct notice){ .count = 1, .kind = (uint8_t)kind };
    notice->hash[0] = hash;
    for (uint32_t i = 0; i < here->count; i++)
        notice_add_reactor(notice, i);
    notice_send(here, notice);
}
