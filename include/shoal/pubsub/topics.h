/*
 * topics.h - the channels and patterns that connections of this reactor have subscribed to, and
 * which connections these are.
 *
 *   topics ──► topic "news" ──► subscription ──► subscription ...     in order of subscribing
 *                                    ▲                ▲
 *   subscriber (one a connection) ───┴── ...        subscriber
 *
 * Thread: owner.
 */
#ifndef SHOAL_PUBSUB_TOPICS_H
#define SHOAL_PUBSUB_TOPICS_H

#include "shoal/base/bytes.h"
#include "shoal/conn/attachment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum topic_kind {
    TOPIC_CHANNEL, /* SUBSCRIBE */
    TOPIC_PATTERN, /* PSUBSCRIBE */
    TOPIC_SHARD,   /* SSUBSCRIBE: names of their own */
    TOPIC_KINDS,
};

struct conn;
struct notice;
struct topic;

struct subscription {
    struct subscription *prev, *next;         /* of the topic */
    struct subscription *prev_own, *next_own; /* of the subscriber, of this kind */
    struct subscriber *subscriber;
    struct topic *topic;
};

/* What a connection has subscribed to. */
struct subscriber {
    struct attachment attachment;
    struct conn *conn;
    struct {
        struct subscription *first, *last;
        uint32_t count;
    } own[TOPIC_KINDS];
    struct notice *pending; /* announced, and not answered yet: see subscribe.c */
    /* What it is answered waits for the end of this order, see notices_hold(); 0: for none. */
    uint64_t held_until;
    struct subscriber *next_held;
};

struct topic {
    struct topic *next; /* in its chain */
    uint64_t hash;      /* topic_hash() */
    struct subscription *first, *last;
    uint32_t count;
    uint32_t size; /* of its name */
    uint8_t kind;
    char name[];
};

/* The name begins where the members end: for most names that is one size class less. */
static inline size_t topic_footprint(size_t name_size)
{
    return offsetof(struct topic, name) + name_size;
}

/* All zero at first. */
struct topics {
    struct topic **chains; /* `size` of them, a power of two */
    uint32_t size, count;
    uint64_t bytes; /* of all topics and subscriptions */
};

void topics_fini(struct topics *topics);

/* By this alone other reactors know a topic. It is keyed: nobody outside can aim at one. Thread:
 * any. */
uint64_t topic_hash(enum topic_kind kind, struct bytes name);

static inline struct bytes topic_name(const struct topic *topic)
{
    return bytes_of(topic->name, topic->size);
}

/* NULL: nobody here has subscribed to it. */
struct topic *topics_find(const struct topics *topics, enum topic_kind kind, struct bytes name,
                          uint64_t hash);
/* The pattern with this hash, or NULL. */
struct topic *topics_find_pattern(const struct topics *topics, uint64_t hash);

/* NULL: it has not. */
struct subscription *subscription_find(const struct subscriber *subscriber,
                                       const struct topic *topic);

/* Subscribes; it has not yet. False: memory is out, nothing has changed. */
bool topics_subscribe(struct topics *topics, struct subscriber *subscriber, enum topic_kind kind,
                      struct bytes name, uint64_t hash);

/* Takes a subscription out of everything; the topic goes with its last one. The memory is the
 * caller's then. */
void topics_unsubscribe(struct topics *topics, struct subscription *subscription);

#endif
