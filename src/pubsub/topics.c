/*
 * topics.c - topics by kind and name, in chains.
 */
#include "shoal/pubsub/topics.h"

#include "shoal/base/hash.h"
#include "shoal/base/must.h"

#include <stdlib.h>
#include <string.h>

enum { CHAINS_MIN = 16 };

uint64_t topic_hash(enum topic_kind kind, struct bytes name)
{
    return hash_key(name) + (uint64_t)kind * 0x9e3779b97f4a7c15u;
}

void topics_fini(struct topics *topics)
{
    must(topics->count == 0);
    free(topics->chains);
    *topics = (struct topics){ 0 };
}

static struct topic **chain_of(const struct topics *topics, uint64_t hash)
{
    return &topics->chains[hash & (topics->size - 1)];
}

/* Without memory the chains become longer, or stay too many. */
static void resize(struct topics *topics, uint32_t size)
{
    struct topic **chains = calloc(size, sizeof(struct topic *));
    if (chains == NULL)
        return;
    for (uint32_t i = 0; i < topics->size; i++) {
        for (struct topic *topic = topics->chains[i], *next; topic != NULL; topic = next) {
            next = topic->next;
            topic->next = chains[topic->hash & (size - 1)];
            chains[topic->hash & (size - 1)] = topic;
        }
    }
    free(topics->chains);
    topics->chains = chains;
    topics->size = size;
}

struct topic *topics_find(const struct topics *topics, enum topic_kind kind, struct bytes name,
                          uint64_t hash)
{
    struct topic *topic = topics->size > 0 ? *chain_of(topics, hash) : NULL;
    while (topic != NULL &&
           (topic->hash != hash || topic->kind != kind || !bytes_equal(topic_name(topic), name)))
        topic = topic->next;
    return topic;
}

struct topic *topics_find_pattern(const struct topics *topics, uint64_t hash)
{
    struct topic *topic = topics->size > 0 ? *chain_of(topics, hash) : NULL;
    while (topic != NULL && (topic->hash != hash || topic->kind != TOPIC_PATTERN))
        topic = topic->next;
    return topic;
}

/* Whichever list is shorter ends first. */
struct subscription *subscription_find(const struct subscriber *subscriber,
                                       const struct topic *topic)
{
    struct subscription *of_topic = topic->first, *own = subscriber->own[topic->kind].first;
    while (of_topic != NULL && own != NULL) {
        if (of_topic->subscriber == subscriber)
            return of_topic;
        if (own->topic == topic)
            return own;
        of_topic = of_topic->next;
        own = own->next_own;
    }
    return NULL;
}

/* No less than the struct, which is assigned as a whole. */
static size_t topic_allocated(size_t name_size)
{
    size_t footprint = topic_footprint(name_size);
    return footprint > sizeof(struct topic) ? footprint : sizeof(struct topic);
}

static struct topic *topic_get(struct topics *topics, enum topic_kind kind, struct bytes name,
                               uint64_t hash)
{
    struct topic *topic = topics_find(topics, kind, name, hash);
    if (topic != NULL)
        return topic;
    if (topics->count >= topics->size)
        resize(topics, topics->size > 0 ? topics->size * 2 : CHAINS_MIN);
    topic = topics->size > 0 ? malloc(topic_allocated(name.size)) : NULL;
    if (topic == NULL)
        return NULL;
    *topic = (struct topic){
        .next = *chain_of(topics, hash),
        .hash = hash,
        .size = (uint32_t)name.size,
        .kind = (uint8_t)kind,
    };
    memcpy(topic->name, name.data, name.size);
    *chain_of(topics, hash) = topic;
    topics->count++;
    topics->bytes += topic_footprint(name.size);
    return topic;
}

static void topic_drop(struct topics *topics, struct topic *topic)
{
    struct topic **at = chain_of(topics, topic->hash);
    while (*at != topic)
        at = &(*at)->next;
    *at = topic->next;
    topics->count--;
    topics->bytes -= topic_footprint(topic->size);
    free(topic);
    if (topics->size > CHAINS_MIN && topics->count < topics->size / 4)
        resize(topics, topics->size / 2);
}

bool topics_subscribe(struct topics *topics, struct subscriber *subscriber, enum topic_kind kind,
                      struct bytes name, uint64_t hash)
{
    struct subscription *it = malloc(sizeof(*it));
    struct topic *topic = it != NULL ? topic_get(topics, kind, name, hash) : NULL;
    if (topic == NULL) {
        free(it);
        return false;
    }
    *it = (struct subscription){
        .prev = topic->last,
        .prev_own = subscriber->own[kind].last,
        .subscriber = subscriber,
        .topic = topic,
    };
    *(topic->last != NULL ? &topic->last->next : &topic->first) = it;
    topic->last = it;
    *(it->prev_own != NULL ? &it->prev_own->next_own : &subscriber->own[kind].first) = it;
    subscriber->own[kind].last = it;
    topic->count++;
    subscriber->own[kind].count++;
    topics->bytes += sizeof(*it);
    return true;
}

void topics_unsubscribe(struct topics *topics, struct subscription *it)
{
    struct topic *topic = it->topic;
    struct subscriber *subscriber = it->subscriber;
    uint8_t kind = topic->kind;
    *(it->prev != NULL ? &it->prev->next : &topic->first) = it->next;
    *(it->next != NULL ? &it->next->prev : &topic->last) = it->prev;
    *(it->prev_own != NULL ? &it->prev_own->next_own : &subscriber->own[kind].first) = it->next_own;
    *(it->next_own != NULL ? &it->next_own->prev_own : &subscriber->own[kind].last) = it->prev_own;
    subscriber->own[kind].count--;
    topics->bytes -= sizeof(*it);
    if (--topic->count == 0)
        topic_drop(topics, topic);
}
