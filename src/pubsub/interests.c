/*
 * interests.c - a table of (hash, reactor) with linear probing, and a list of patterns.
 */
#include "shoal/pubsub/interests.h"

#include "shoal/base/must.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16 };

void interests_init(struct interests *interests, uint32_t reactors)
{
    *interests = (struct interests){ .reactors = reactors };
}

void interests_fini(struct interests *interests)
{
    for (struct known_pattern *it = interests->patterns, *next; it != NULL; it = next) {
        next = it->next;
        free(it);
    }
    free(interests->slots);
    *interests = (struct interests){ 0 };
}

/* ---- channels ------------------------------------------------------------ */

static uint32_t after(uint32_t size, uint32_t index)
{
    return (index + 1) & (size - 1);
}

static void put(struct interest *slots, uint32_t size, const struct interest *interest)
{
    uint32_t i = (uint32_t)interest->hash & (size - 1);
    while (slots[i].count > 0)
        i = after(size, i);
    slots[i] = *interest;
}

static bool resize(struct interests *interests, uint32_t size)
{
    struct interest *slots = calloc(size, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < interests->size; i++)
        if (interests->slots[i].count > 0)
            put(slots, size, &interests->slots[i]);
    free(interests->slots);
    interests->slots = slots;
    interests->size = size;
    return true;
}

const struct interest *interests_next(const struct interests *interests, uint64_t hash,
                                      uint32_t *at)
{
    for (; *at < interests->size; (*at)++) {
        const struct interest *slot =
            &interests->slots[(uint32_t)(hash + *at) & (interests->size - 1)];
        if (slot->count == 0)
            return NULL;
        if (slot->hash == hash) {
            (*at)++;
            return slot;
        }
    }
    return NULL;
}

static struct interest *find(const struct interests *interests, uint64_t hash, uint32_t reactor,
                             bool *others)
{
    uint32_t at = 0;
    const struct interest *found = NULL, *it;
    *others = false;
    while ((it = interests_next(interests, hash, &at)) != NULL) {
        if (it->reactor == reactor)
            found = it;
        else
            *others = true;
    }
    return (struct interest *)found;
}

static bool channel_add(struct interests *interests, enum topic_kind kind, uint64_t hash,
                        uint32_t reactor)
{
    bool others;
    struct interest *it = find(interests, hash, reactor, &others);
    if (it != NULL) {
        it->count++;
        return true;
    }
    bool full = interests->used + 1 > interests->size / 4 * 3;
    if (full && !resize(interests, interests->size > 0 ? interests->size * 2 : SLOTS_MIN))
        return false;
    put(interests->slots, interests->size,
        &(struct interest){
            .hash = hash, .count = 1, .reactor = (uint16_t)reactor, .kind = (uint8_t)kind });
    interests->used++;
    interests->distinct[kind] += !others;
    return true;
}

/* Those behind it that would not be found any more move up. */
static void close_gap(struct interests *interests, uint32_t gap)
{
    uint32_t mask = interests->size - 1;
    struct interest *slots = interests->slots;
    for (uint32_t i = after(interests->size, gap); slots[i].count > 0;
         i = after(interests->size, i)) {
        uint32_t wanted = (uint32_t)slots[i].hash & mask;
        if (((i - wanted) & mask) >= ((i - gap) & mask)) {
            slots[gap] = slots[i];
            gap = i;
        }
    }
    slots[gap].count = 0;
}

static void channel_remove(struct interests *interests, enum topic_kind kind, uint64_t hash,
                           uint32_t reactor)
{
    bool others;
    struct interest *it = find(interests, hash, reactor, &others);
    must(it != NULL);
    if (--it->count > 0)
        return;
    interests->distinct[kind] -= !others;
    close_gap(interests, (uint32_t)(it - interests->slots));
    interests->used--;
    if (interests->size > SLOTS_MIN && interests->used < interests->size / 8)
        resize(interests, interests->size / 2); /* without memory it stays as it is */
}

/* ---- patterns ------------------------------------------------------------ */

static struct known_pattern **pattern_at(struct interests *interests, uint64_t hash)
{
    struct known_pattern **at = &interests->patterns;
    while (*at != NULL && (*at)->hash != hash)
        at = &(*at)->next;
    return at;
}

static bool pattern_add(struct interests *interests, uint64_t hash, struct bytes name,
                        uint32_t reactor)
{
    struct known_pattern **at = pattern_at(interests, hash), *it = *at;
    if (it == NULL) {
        size_t counts = interests->reactors * sizeof(it->count[0]);
        it = calloc(1, sizeof(*it) + counts + name.size);
        if (it == NULL)
            return false;
        interests->pattern_bytes += sizeof(*it) + counts + name.size;
        it->hash = hash;
        it->size = (uint32_t)name.size;
        memcpy(it->count + interests->reactors, name.data, name.size);
        *at = it;
        interests->distinct[TOPIC_PATTERN]++;
    }
    it->count[reactor]++;
    it->total++;
    return true;
}

static void pattern_remove(struct interests *interests, uint64_t hash, uint32_t reactor)
{
    struct known_pattern **at = pattern_at(interests, hash), *it = *at;
    must(it != NULL && it->count[reactor] > 0);
    it->count[reactor]--;
    if (--it->total > 0)
        return;
    *at = it->next;
    interests->pattern_bytes -= sizeof(*it) + interests->reactors * sizeof(it->count[0]) + it->size;
    free(it);
    interests->distinct[TOPIC_PATTERN]--;
}

/* ---- both ---------------------------------------------------------------- */

bool interests_add(struct interests *interests, enum topic_kind kind, uint64_t hash,
                   struct bytes name, uint32_t reactor)
{
    if (kind == TOPIC_PATTERN)
        return pattern_add(interests, hash, name, reactor);
    return channel_add(interests, kind, hash, reactor);
}

void interests_remove(struct interests *interests, enum topic_kind kind, uint64_t hash,
                      uint32_t reactor)
{
    if (kind == TOPIC_PATTERN)
        pattern_remove(interests, hash, reactor);
    else
        channel_remove(interests, kind, hash, reactor);
}

uint64_t interests_bytes(const struct interests *interests)
{
    return interests->size * sizeof(struct interest) + interests->pattern_bytes;
}
