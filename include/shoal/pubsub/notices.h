/*
 * notices.h - telling every reactor that there are fewer subscriptions.
 *
 * Nothing here can fail: a notice lies in the memory of the subscription that it ends, and they all
 * go by one broadcast that is made at the start. While it is under way further ones gather.
 * Thread: owner.
 */
#ifndef SHOAL_PUBSUB_NOTICES_H
#define SHOAL_PUBSUB_NOTICES_H

#include "shoal/base/list.h"
#include "shoal/pubsub/topics.h"

#include <stdbool.h>

struct broadcast;
struct reactor;

/* Subscriptions of one kind that have been counted and are to be counted no longer. */
struct notice {
    struct notice *next;
    uint64_t of_command;  /* announced by which of the connection, see subscribe.c */
    uint64_t reactors[2]; /* those that have counted, by bits */
    uint32_t count;
    uint8_t kind;    /* enum topic_kind */
    uint64_t hash[]; /* of the topics */
};

struct notices {
    struct broadcast *order;
    uint64_t sent; /* orders so far, the one under way included */
    LIST_OF(struct notice) waiting;
    struct subscriber *held;
};

void notices_init(struct notices *notices, uint32_t reactors);
void notices_fini(struct notices *notices);

/* The reactor has counted. */
static inline void notice_add_reactor(struct notice *notice, uint32_t reactor)
{
    notice->reactors[reactor / 64] |= (uint64_t)1 << reactor % 64;
}

/* Sends it, and frees it afterwards. */
void notice_send(struct reactor *here, struct notice *notice);

/* Holds what the subscriber's connection has to send until every reactor has heard of all that was
 * noticed so far: who has read the answer to UNSUBSCRIBE is not counted by PUBLISH any more. */
void notices_hold(struct reactor *here, struct subscriber *subscriber);
/* It goes: nothing is held any more. */
void notices_let_go(struct reactor *here, struct subscriber *subscriber);

/* The subscription ends here and now; every reactor hears of it. */
void notice_subscription_ended(struct reactor *here, struct subscription *subscription);

#endif
