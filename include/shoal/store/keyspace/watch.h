/*
 * watch.h - the keys under WATCH and a version for each, which every write of the key replaces.
 *
 * An entry lives while a connection pins it; versions are drawn from one sequence, so that no two
 * states of a key ever share one. Private to the keyspace. Thread: owner.
 */
#ifndef SHOAL_STORE_KEYSPACE_WATCH_H
#define SHOAL_STORE_KEYSPACE_WATCH_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"

struct watch_registry;

/* A watched key. The name is copied. */
struct watch_key {
    struct bytes name;
    uint64_t hash; /* hash_key(name) */
    uint8_t db;
};

/* Aborts when memory is out: start-up only. */
struct watch_registry *watch_registry_new(struct arena *arena);
void watch_registry_free(struct watch_registry **registry);

/* Keys with at least one pin. */
uint32_t watch_count(const struct watch_registry *registry);

/* Adds a pin. False, nothing changed, when memory is out. */
bool watch_pin(struct watch_registry *registry, struct watch_key key);
void watch_unpin(struct watch_registry *registry, struct watch_key key);

/* Of a pinned key; it never is 0. */
uint64_t watch_version(const struct watch_registry *registry, struct watch_key key);

/* Walks over the pinned keys: the place after `at`, 0 to begin with, or 0 at the end; and the key
 * there. */
uint64_t watch_next(const struct watch_registry *registry, uint64_t at);
struct watch_key watch_key_at(const struct watch_registry *registry, uint64_t at);

/* The key has changed. Nothing happens when it is not pinned. */
void watch_touch(struct watch_registry *registry, struct watch_key key);

#endif
