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
    LIST_OF(struct notice) waiting;
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

/* The subscription ends here and now; every reactor hears of it. */
void notice_subscription_ended(struct reactor *here, struct subscription *subscription);

#endif
