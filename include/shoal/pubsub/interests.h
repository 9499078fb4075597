/*
 * interests.h - which reactors have subscribers of what, as far as this one knows.
 *
 * Of a channel it knows the keyed hash and, for each reactor, how many connections have subscribed:
 * 16 bytes for a channel and a reactor. The names are where the subscribers are (topics.h), and
 * there they are compared. Patterns are known by name everywhere, because whoever publishes matches
 * them, once. Counts go up and down by messages; since they only add, they may come in any order.
 *
 * Thread: owner.
 */
#ifndef SHOAL_PUBSUB_INTERESTS_H
#define SHOAL_PUBSUB_INTERESTS_H

#include "shoal/base/bytes.h"
#include "shoal/pubsub/topics.h"

struct interest {
    uint64_t hash;
    uint32_t count; /* of subscriptions there; 0: the slot is free */
    uint16_t reactor;
    uint8_t kind;
};

struct known_pattern {
    struct known_pattern *next;
    uint64_t hash;
    uint32_t total;   /* subscriptions everywhere */
    uint32_t size;    /* of the name, which follows the counts */
    uint32_t count[]; /* by reactor */
};

struct interests {
    uint32_t reactors;
    struct interest *slots; /* `size` of them, a power of two */
    uint32_t size, used;
    uint32_t distinct[TOPIC_KINDS]; /* channels, patterns */
    struct known_pattern *patterns;
    uint64_t pattern_bytes;
};

void interests_init(struct interests *interests, uint32_t reactors);
void interests_fini(struct interests *interests);

/* One more subscription on `reactor`. False: memory is out, nothing has changed. */
bool interests_add(struct interests *interests, enum topic_kind kind, uint64_t hash,
                   struct bytes name, uint32_t reactor);
/* One less; there is one. */
void interests_remove(struct interests *interests, enum topic_kind kind, uint64_t hash,
                      uint32_t reactor);

/* The next reactor with subscribers of a channel, or NULL; `*at` is 0 at first and says where to go
 * on. */
const struct interest *interests_next(const struct interests *interests, uint64_t hash,
                                      uint32_t *at);

static inline struct bytes known_pattern_name(const struct interests *interests,
                                              const struct known_pattern *pattern)
{
    return bytes_of((const char *)(pattern->count + interests->reactors), pattern->size);
}

/* All that they take. */
uint64_t interests_bytes(const struct interests *interests);

#endif
