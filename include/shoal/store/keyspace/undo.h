/*
 * undo.h - what keys were before a transaction changed them, so that it can be taken back.
 *
 * The first change of each key notes its pre-image: the item itself, which is then kept although it
 * is replaced or deleted, and a copy of its bytes, since it may be changed in place. Taking back
 * allocates nothing, so it cannot fail. Nobody else may change the keys meanwhile: they are held,
 * or the transaction is one piece of work, in which what has been noted is not evicted.
 *
 *   undo_new ─► undo_open ─► changes ─► undo_close ─┬─► undo_commit   frees what was kept
 *                   ▲                         │     └─► undo_revert   puts it back
 *                   └──────── next round ─────┘
 *
 * Thread: owner of the keyspace.
 */
#ifndef SHOAL_STORE_KEYSPACE_UNDO_H
#define SHOAL_STORE_KEYSPACE_UNDO_H

#include "shoal/store/keyspace/keyspace.h"

struct undo;

/* NULL when memory is out. undo_commit() and undo_revert() free it. */
struct undo *undo_new(struct keyspace *keyspace);

/* For the end of the keyspace. NULL is allowed. */
void undo_free(struct undo *undo);

/* From now on, and until undo_close(), changes of the keyspace are noted. */
void undo_open(struct keyspace *keyspace, struct undo *undo);
void undo_close(struct keyspace *keyspace);

/* True when a change was not made because it could not be noted: only undo_revert() is left. */
bool undo_failed(const struct undo *undo);

/* Both need undo_close() before. */
void undo_commit(struct keyspace *keyspace, struct undo **undo);
void undo_revert(struct keyspace *keyspace, struct undo **undo);

/* ---- for the keyspace, while one is open ---------------------------------- */

/* Before `item`, the key's present one or NULL, is changed. False: memory is out, it may not be. */
bool undo_note(struct keyspace *keyspace, struct key key, struct item *item);
/* As undo_note(), before it is deleted. */
bool undo_note_delete(struct keyspace *keyspace, struct key key, struct item *item);
/* Before a database is emptied: takes what is in it. False: memory is out. */
bool undo_note_flush(struct keyspace *keyspace, uint8_t db);
/* Before two databases are exchanged. False: memory is out. */
bool undo_note_swap(struct keyspace *keyspace, uint8_t a, uint8_t b);

/* Whether an item of this name is in the journal, which needs it: it is neither evicted nor swept. */
bool undo_holds(const struct undo *undo, const struct item *item);

/* An item is out of the table: frees it unless it is a pre-image. */
void undo_retire(struct keyspace *keyspace, struct key key, struct item *item);

#endif
