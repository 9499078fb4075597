/*
 * undo.c - a journal of pre-images, gone through backwards.
 *
 * A key is in the journal once: its entry is found through an index by hash. A flush or SWAPDB begins
 * a new part of the journal, since what is in the database afterwards is not what was there before:
 * the index forgets the entries so far, and a key may be in each part once.
 */
#include "shoal/store/keyspace/undo.h"

#include "shoal/base/hash.h"
#include "shoal/base/must.h"
#include "shoal/store/table/bucket.h"

#include <stdlib.h>

enum {
    ENTRIES_MIN = 16,
    INDEX_PER_ENTRY = 2,
    KEPT_BYTES_MAX = 64 * 1024, /* of an idle one that the keyspace keeps for the next */
};

struct undo_entry {
    uint64_t hash;
    struct item *item;     /* the pre-image; NULL: there was none, or a flush or swap */
    struct bucket *spare;  /* of a key that was deleted: where its item can be put back */
    struct table *flushed; /* of a flush */
    size_t at;             /* in undo->bytes: the item's bytes as they were, or the key's name */
    uint32_t name_size;    /* where there is no item */
    uint8_t db, other_db;  /* the other of a swap */
    bool swapped;
    bool retired; /* the item is in no table: it is freed with the entry */
    bool pinned;  /* the item's blob is, so that nobody changes it in place */
};

struct undo {
    struct undo_entry *entries;
    uint32_t count, capacity;
    uint32_t indexed_from; /* entries before it are not in the index */
    uint32_t *index;       /* entry number + 1; 0: free. INDEX_PER_ENTRY * capacity cells */
    char *bytes;
    size_t used, size;
    bool failed;
};

struct undo *undo_new(struct keyspace *keyspace)
{
    struct undo *undo = keyspace->_undo_idle;
    keyspace->_undo_idle = NULL;
    if (undo == NULL)
        undo = calloc(1, sizeof(*undo));
    keyspace->_undo_count += undo != NULL;
    return undo;
}

void undo_free(struct undo *undo)
{
    if (undo == NULL)
        return;
    free(undo->entries);
    free(undo->index);
    free(undo->bytes);
    free(undo);
}

void undo_open(struct keyspace *keyspace, struct undo *undo)
{
    must(keyspace->_undo == NULL);
    keyspace->_undo = undo;
    keyspace->observed |= OBSERVE_UNDO;
}

void undo_close(struct keyspace *keyspace)
{
    must(keyspace->_undo != NULL);
    keyspace->_undo = NULL;
    keyspace->observed &= ~(uint32_t)OBSERVE_UNDO;
}

bool undo_failed(const struct undo *undo)
{
    return undo->failed;
}

/* ---- the index ------------------------------------------------------------- */

static struct bytes entry_name(const struct undo *undo, const struct undo_entry *entry)
{
    if (entry->item != NULL)
        return item_key(entry->item);
    return bytes_of(undo->bytes + entry->at, entry->name_size);
}

static bool entry_is(const struct undo *undo, const struct undo_entry *entry, struct key key)
{
    return entry->hash == key.hash && entry->db == key.db &&
           bytes_equal(entry_name(undo, entry), key.name);
}

static uint32_t index_cells(const struct undo *undo)
{
    return undo->capacity * INDEX_PER_ENTRY;
}

/* The cell of the key's entry, or the free one where it belongs. */
static uint32_t *find_cell(const struct undo *undo, struct key key)
{
    uint32_t mask = index_cells(undo) - 1, i = (uint32_t)(key.hash >> 32) & mask;
    while (undo->index[i] != 0 && !entry_is(undo, &undo->entries[undo->index[i] - 1], key))
        i = (i + 1) & mask;
    return &undo->index[i];
}

static struct undo_entry *find_entry(const struct undo *undo, struct key key)
{
    if (undo->count == undo->indexed_from)
        return NULL;
    uint32_t cell = *find_cell(undo, key);
    return cell != 0 ? &undo->entries[cell - 1] : NULL;
}

/* As in find_cell(), for a key that is not in the index. */
static uint32_t *free_cell(const struct undo *undo, uint64_t hash)
{
    uint32_t mask = index_cells(undo) - 1, i = (uint32_t)(hash >> 32) & mask;
    while (undo->index[i] != 0)
        i = (i + 1) & mask;
    return &undo->index[i];
}

static void index_entry(struct undo *undo, uint32_t number)
{
    *free_cell(undo, undo->entries[number].hash) = number + 1;
}

static void index_clear(struct undo *undo)
{
    undo->indexed_from = undo->count;
    if (undo->index != NULL)
        memset(undo->index, 0, index_cells(undo) * sizeof(*undo->index));
}

/* ---- room ------------------------------------------------------------------ */

static bool grow_entries(struct undo *undo)
{
    uint32_t capacity = undo->capacity > 0 ? undo->capacity * 2 : ENTRIES_MIN;
    uint32_t *index = calloc((size_t)capacity * INDEX_PER_ENTRY, sizeof(*index));
    struct undo_entry *entries =
        index != NULL ? realloc(undo->entries, capacity * sizeof(*entries)) : NULL;
    if (entries == NULL) {
        free(index);
        return false;
    }
    free(undo->index);
    undo->entries = entries;
    undo->index = index;
    undo->capacity = capacity;
    for (uint32_t i = undo->indexed_from; i < undo->count; i++)
        index_entry(undo, i);
    return true;
}

/* Room for `size` more bytes; false when memory is out. */
static bool grow_bytes(struct undo *undo, size_t size)
{
    if (undo->size - undo->used >= size)
        return true;
    size_t larger = (undo->used + size) * 2;
    char *bytes = realloc(undo->bytes, larger);
    if (bytes == NULL)
        return false;
    undo->bytes = bytes;
    undo->size = larger;
    return true;
}

static struct undo_entry *entry_new(struct undo *undo, size_t size)
{
    size = (size + 7) & ~(size_t)7; /* items are read where they are copied to */
    if (size == 0)
        size = 8; /* the name of the empty key is somewhere, too */
    if (undo->failed)
        return NULL;
    if ((undo->count == undo->capacity && !grow_entries(undo)) || !grow_bytes(undo, size)) {
        undo->failed = true;
        return NULL;
    }
    struct undo_entry *entry = &undo->entries[undo->count];
    *entry = (struct undo_entry){ .at = undo->used };
    undo->used += size;
    return entry;
}

/* ---- noting ---------------------------------------------------------------- */

static struct undo_entry *note(struct undo *undo, struct key key, struct item *item)
{
    struct undo_entry *entry = undo->failed ? NULL : find_entry(undo, key);
    if (entry != NULL)
        return entry;
    size_t size = item != NULL ? item_allocated(item) : key.name.size;
    if ((entry = entry_new(undo, size)) == NULL)
        return NULL;
    const char *from = item != NULL ? (const char *)item : key.name.data;
    if (size > 0)
        memcpy(undo->bytes + entry->at, from, size);
    entry->hash = key.hash;
    entry->db = key.db;
    entry->item = item;
    entry->name_size = (uint32_t)key.name.size;
    if (item != NULL && item_encoding(item) == ITEM_BLOB) {
        blob_read(item_blob(item));
        entry->pinned = true;
    }
    index_entry(undo, undo->count++);
    return entry;
}

bool undo_note(struct keyspace *keyspace, struct key key, struct item *item)
{
    return note(keyspace->_undo, key, item) != NULL;
}

bool undo_note_delete(struct keyspace *keyspace, struct key key, struct item *item)
{
    struct undo_entry *entry = note(keyspace->_undo, key, item);
    if (entry == NULL)
        return false;
    if (entry->item != NULL && entry->spare == NULL)
        entry->spare = chain_child_new(keyspace->arena);
    if (entry->item != NULL && entry->spare == NULL)
        keyspace->_undo->failed = true;
    return entry->item == NULL || entry->spare != NULL;
}

bool undo_note_flush(struct keyspace *keyspace, uint8_t db)
{
    struct undo *undo = keyspace->_undo;
    struct undo_entry *entry = entry_new(undo, 0);
    struct table *table = entry != NULL ? malloc(sizeof(*table)) : NULL;
    if (table == NULL) {
        undo->failed = true;
        return false;
    }
    table_move(&keyspace->db[db], table);
    entry->flushed = table;
    entry->db = db;
    undo->count++;
    index_clear(undo);
    return true;
}

bool undo_note_swap(struct keyspace *keyspace, uint8_t a, uint8_t b)
{
    struct undo *undo = keyspace->_undo;
    struct undo_entry *entry = entry_new(undo, 0);
    if (entry == NULL)
        return false;
    entry->swapped = true;
    entry->db = a;
    entry->other_db = b;
    undo->count++;
    index_clear(undo);
    return true;
}

/* In whatever database: that is rare. */
bool undo_holds(const struct undo *undo, const struct item *item)
{
    struct key key = { .name = item_key(item) };
    key.hash = hash_key(key.name);
    for (key.db = 0; key.db < DATABASES_MAX; key.db++)
        if (find_entry(undo, key) != NULL)
            return true;
    for (uint32_t i = 0; i < undo->indexed_from; i++) { /* before a flush */
        const struct undo_entry *entry = &undo->entries[i];
        if (entry->flushed == NULL && entry->hash == key.hash &&
            bytes_equal(entry_name(undo, entry), key.name))
            return true;
    }
    return false;
}

void undo_retire(struct keyspace *keyspace, struct key key, struct item *item)
{
    struct undo_entry *entry = find_entry(keyspace->_undo, key);
    if (entry != NULL && entry->item == item)
        entry->retired = true;
    else
        item_free(keyspace->arena, item);
}

/* ---- the end --------------------------------------------------------------- */

/* Keeps a small one for the next. */
static void undo_end(struct keyspace *keyspace, struct undo **undop)
{
    struct undo *undo = *undop;
    *undop = NULL;
    keyspace->_undo_count--;
    if (keyspace->_undo_idle != NULL || undo->size > KEPT_BYTES_MAX ||
        undo->capacity * sizeof(*undo->entries) > KEPT_BYTES_MAX) {
        undo_free(undo);
        return;
    }
    undo->count = 0;
    index_clear(undo);
    undo->used = 0;
    undo->failed = false;
    keyspace->_undo_idle = undo;
}

void undo_commit(struct keyspace *keyspace, struct undo **undop)
{
    struct undo *undo = *undop;
    must(keyspace->_undo == NULL);
    for (uint32_t i = 0; i < undo->count; i++) {
        struct undo_entry *entry = &undo->entries[i];
        struct blob *blob = NULL;
        if (entry->pinned) /* the item may have another by now */
            blob = item_blob((const struct item *)(undo->bytes + entry->at));
        if (entry->retired)
            item_free(keyspace->arena, entry->item);
        if (blob != NULL)
            blob_unread(blob);
        if (entry->spare != NULL)
            chain_child_free(keyspace->arena, entry->spare);
        if (entry->flushed != NULL) {
            keyspace_lazyfree(keyspace, entry->flushed);
            free(entry->flushed);
        }
    }
    undo_end(keyspace, undop);
}

/* The item's bytes are those of the pre-image again, but for what eviction has noted since. */
static void restore_bytes(struct undo *undo, struct undo_entry *entry, bool main)
{
    memcpy(entry->item, undo->bytes + entry->at, item_allocated(entry->item));
    item_set_main(entry->item, main);
}

static void revert_key(struct keyspace *keyspace, struct undo *undo, struct undo_entry *entry)
{
    struct bytes name = entry_name(undo, entry);
    struct table *table = &keyspace->db[entry->db];
    struct item *present = table_find(table, name, entry->hash), *item = entry->item;
    table->now_ms = keyspace->now_ms;
    if (item == NULL) {
        if (present != NULL)
            table_remove_item(table, present, entry->hash);
    } else if (present == item) {
        table_account_remove(table, item);
        restore_bytes(undo, entry, item_is_main(item));
        table_account_add(table, item);
        table_retime(table, item, entry->hash);
    } else if (present != NULL) {
        restore_bytes(undo, entry, item_is_main(present));
        table_swap(table, present, item, entry->hash);
        item_free(keyspace->arena, present);
    } else {
        must(entry->spare != NULL);
        restore_bytes(undo, entry, item_is_main(item));
        if (table_put_back(table, item, entry->hash, entry->spare))
            entry->spare = NULL;
    }
    if (entry->pinned)
        blob_unread(item_blob(item));
    if (entry->spare != NULL)
        chain_child_free(keyspace->arena, entry->spare);
}

static void revert_flush(struct keyspace *keyspace, struct undo_entry *entry)
{
    struct table *table = &keyspace->db[entry->db];
    keyspace_lazyfree(keyspace, table);
    *table = *entry->flushed;
    free(entry->flushed);
}

void undo_revert(struct keyspace *keyspace, struct undo **undop)
{
    struct undo *undo = *undop;
    must(keyspace->_undo == NULL);
    while (undo->count > 0) {
        struct undo_entry *entry = &undo->entries[--undo->count];
        if (entry->flushed != NULL)
            revert_flush(keyspace, entry);
        else if (entry->swapped)
            table_exchange(&keyspace->db[entry->db], &keyspace->db[entry->other_db]);
        else
            revert_key(keyspace, undo, entry);
    }
    undo_end(keyspace, undop);
}
