/*
 * value.h - string values as handlers see them: replied, read as a number, stored. Thread: owner.
 */
#ifndef SHOAL_CMD_VALUE_H
#define SHOAL_CMD_VALUE_H

#include "shoal/cmd/command.h"

/* True unless the item has expired. For items of a walk through the table, which shows expired
 * ones too; keyspace_find() does not. */
bool value_live(const struct keyspace *keyspace, const struct item *item);

/* The value as one string; nil for NULL. A large one is pinned, not copied. */
void value_reply(struct exec *exec, const struct item *item);

/* The same for a part of the item's value. */
void value_reply_part(struct exec *exec, const struct item *item, struct bytes part);

/* A place in a reply: value_rollback() takes back what was written after it, and gives back the
 * references of its pins. */
struct value_mark {
    size_t size;
    uint32_t pins;
};
struct value_mark value_mark(const struct exec *exec);
void value_rollback(struct exec *exec, struct value_mark mark);

/* False when the text is no canonical int64. */
bool value_int(const struct item *item, int64_t *out);

/* An item's value, or what a missing key stands for: nothing. */
size_t value_size(const struct item *item);
struct bytes value_or_empty(const struct item *item, char scratch[INT64_TEXT_MAX]);

/* False, with the error replied, when a string of `size` bytes is longer than the options allow. */
bool value_size_ok(struct exec *exec, uint64_t size);

/*
 * Makes room for keyspace_resize() of the command's key to `size` bytes. `*item` is the key's, or
 * NULL. Where others give way the key itself may, so `*item` is looked up anew. False: the error is
 * replied.
 */
bool value_reserve(struct exec *exec, struct item **item, uint64_t size);

/* keyspace_set(). False: the error has been replied, and is the whole reply. */
bool value_store(struct exec *exec, struct key key, struct bytes value, int64_t expire_ms);

/* The word of TYPE and of SCAN's TYPE option. */
const char *value_type_name(const struct item *item);

#endif
