/*
 * watch.c - an open-addressing map of pinned keys.
 *
 * Linear probing over pointers, at most half full; a removal shifts the entries behind it back, so
 * that there are no tombstones however often transactions come and go.
 */
#include "shoal/store/keyspace/watch.h"
#include "shoal/base/must.h"

#include <stdlib.h>

enum { CELLS_MIN = 16 };

struct entry {
    uint64_t hash, version;
    uint32_t pins, name_size;
    uint8_t db;
    char name[];
};

struct watch_registry {
    struct arena *arena;
    struct entry **cell;
    uint64_t cells; /* a power of two, or 0 */
    uint64_t clock; /* the last version given out */
    uint32_t count;
};

struct watch_registry *watch_registry_new(struct arena *arena)
{
    struct watch_registry *registry = mem_must_zalloc(sizeof(*registry));
    registry->arena = arena;
    return registry;
}

static size_t entry_size(const struct entry *entry)
{
    return sizeof(*entry) + entry->name_size;
}

static void free_cells(struct watch_registry *registry)
{
    arena_free(registry->arena, registry->cell, registry->cells * sizeof(*registry->cell));
    registry->cell = NULL;
    registry->cells = 0;
}

void watch_registry_free(struct watch_registry **registry)
{
    struct watch_registry *r = *registry;
    if (r == NULL)
        return;
    for (uint64_t i = 0; i < r->cells; i++)
        if (r->cell[i] != NULL)
            arena_free(r->arena, r->cell[i], entry_size(r->cell[i]));
    free_cells(r);
    free(r);
    *registry = NULL;
}

uint32_t watch_count(const struct watch_registry *registry)
{
    return registry->count;
}

/* ---- the map ------------------------------------------------------------- */

/* The same name may be watched in several databases. */
static uint64_t home_of(const struct watch_registry *registry, uint64_t hash, uint8_t db)
{
    return ((hash >> 20) + db) & (registry->cells - 1);
}

static bool entry_is(const struct entry *entry, struct watch_key key)
{
    return entry->hash == key.hash && entry->db == key.db && entry->name_size == key.name.size &&
           memcmp(entry->name, key.name.data, key.name.size) == 0;
}

/* The cell that holds the key, or the free one where it belongs. Needs cells. */
static uint64_t find_cell(const struct watch_registry *registry, struct watch_key key)
{
    uint64_t i = home_of(registry, key.hash, key.db);
    while (registry->cell[i] != NULL && !entry_is(registry->cell[i], key))
        i = (i + 1) & (registry->cells - 1);
    return i;
}

static struct entry *find_entry(const struct watch_registry *registry, struct watch_key key)
{
    return registry->count > 0 ? registry->cell[find_cell(registry, key)] : NULL;
}

static bool grow_cells(struct watch_registry *registry)
{
    uint64_t old_cells = registry->cells, cells = old_cells == 0 ? CELLS_MIN : old_cells * 2;
    struct entry **old = registry->cell,
                 **cell = arena_alloc(registry->arena, cells * sizeof(*cell));
    if (cell == NULL)
        return false;
    memset(cell, 0, cells * sizeof(*cell));
    registry->cell = cell;
    registry->cells = cells;
    for (uint64_t i = 0; i < old_cells; i++) {
        if (old[i] == NULL)
            continue;
        uint64_t to = home_of(registry, old[i]->hash, old[i]->db);
        while (cell[to] != NULL)
            to = (to + 1) & (cells - 1);
        cell[to] = old[i];
    }
    arena_free(registry->arena, old, old_cells * sizeof(*old));
    return true;
}

/* Empties a cell and moves up whatever would no longer be reached across it. */
static void vacate_cell(struct watch_registry *registry, uint64_t hole)
{
    uint64_t mask = registry->cells - 1;
    for (uint64_t i = (hole + 1) & mask; registry->cell[i] != NULL; i = (i + 1) & mask) {
        uint64_t home = home_of(registry, registry->cell[i]->hash, registry->cell[i]->db);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        registry->cell[hole] = registry->cell[i];
        hole = i;
    }
    registry->cell[hole] = NULL;
}

/* ---- pins and versions --------------------------------------------------- */

static struct entry *entry_new(struct watch_registry *registry, struct watch_key key)
{
    struct entry *entry = arena_alloc(registry->arena, sizeof(*entry) + key.name.size);
    if (entry == NULL)
        return NULL;
    *entry = (struct entry){
        .hash = key.hash,
        .version = ++registry->clock,
        .pins = 1,
        .name_size = (uint32_t)key.name.size,
        .db = key.db,
    };
    if (key.name.size > 0)
        memcpy(entry->name, key.name.data, key.name.size);
    return entry;
}

bool watch_pin(struct watch_registry *registry, struct watch_key key)
{
    struct entry *entry = find_entry(registry, key);
    if (entry != NULL) {
        entry->pins++;
        return true;
    }
    if (registry->count >= registry->cells / 2 && !grow_cells(registry))
        return false;
    entry = entry_new(registry, key);
    if (entry == NULL)
        return false;
    registry->cell[find_cell(registry, key)] = entry;
    registry->count++;
    return true;
}

void watch_unpin(struct watch_registry *registry, struct watch_key key)
{
    must(registry->count > 0);
    uint64_t i = find_cell(registry, key);
    struct entry *entry = registry->cell[i];
    must(entry != NULL && entry->pins > 0);
    if (--entry->pins > 0)
        return;
    vacate_cell(registry, i);
    arena_free(registry->arena, entry, entry_size(entry));
    if (--registry->count == 0)
        free_cells(registry);
}

uint64_t watch_version(const struct watch_registry *registry, struct watch_key key)
{
    const struct entry *entry = find_entry(registry, key);
    must(entry != NULL);
    return entry->version;
}

void watch_touch(struct watch_registry *registry, struct watch_key key)
{
    struct entry *entry = find_entry(registry, key);
    if (entry != NULL)
        entry->version = ++registry->clock;
}

uint64_t watch_next(const struct watch_registry *registry, uint64_t at)
{
    while (at < registry->cells)
        if (registry->cell[at++] != NULL)
            return at;
    return 0;
}

struct watch_key watch_key_at(const struct watch_registry *registry, uint64_t at)
{
    const struct entry *entry = registry->cell[at - 1];
    return (struct watch_key){ bytes_of(entry->name, entry->name_size), entry->hash, entry->db };
}
