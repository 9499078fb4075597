/*
 * subscriber.h - a connection's subscriptions, as others see them. Thread: owner.
 */
#ifndef SHOAL_PUBSUB_SUBSCRIBER_H
#define SHOAL_PUBSUB_SUBSCRIBER_H

#include "shoal/pubsub/topics.h"

/* How many topics of this kind the connection has subscribed to. */
uint32_t subscriber_count(const struct conn *conn, enum topic_kind kind);

#endif
