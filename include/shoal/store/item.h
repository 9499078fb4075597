/*
 * item.h - one key and its value: a single allocation, referenced from exactly one bucket word.
 *
 *   | header 8 bytes | int64 expire_ms, if flagged | key bytes | value |
 *
 * value   raw bytes; or an integer in 8 bytes where the text is a canonical int64 (INT_ENCODED); or, from
 *         BLOB_BYTES_MIN up, a pointer to a struct blob. Later types (hash, list ...) take the same place.
 */
#ifndef SHOAL_STORE_ITEM_H
#define SHOAL_STORE_ITEM_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"
#include "shoal/base/number.h"
#include "shoal/store/blob.h"

enum {
    KEY_BYTES_MAX = (1 << 24) - 1,
    VALUE_BYTES_MAX = 512 << 20,    /* Redis's limit of a string */
};

enum item_encoding { ITEM_RAW, ITEM_INT, ITEM_BLOB };

struct item; /* opaque to commands; layout in this header's inline part for the table's sake */

/*
 * Makes an item with a copy of key and value. Integers are encoded where `value` is one.
 *
 *   expire_ms  0 = never
 *   returns    owned by the caller until a table takes it; NULL when memory is out
 *   thread     owner of the arena
 */
struct item *item_new(struct arena *arena, struct bytes key, struct bytes value, int64_t expire_ms);
/* The same with a value of `size` bytes for the caller to fill through item_raw(). Never integer-encoded. */
struct item *item_new_sized(struct arena *arena, struct bytes key, size_t size, int64_t expire_ms);
struct item *item_new_int(struct arena *arena, struct bytes key, int64_t value, int64_t expire_ms);
void item_free(struct arena *arena, struct item *item);

struct bytes item_key(const struct item *item);
int64_t item_expire_ms(const struct item *item);             /* 0 = never */
enum item_encoding item_encoding(const struct item *item);
int64_t item_int(const struct item *item);                   /* ITEM_INT only */
void item_set_int(struct item *item, int64_t value);         /* ITEM_INT only, in place */
struct blob *item_blob(const struct item *item);             /* ITEM_BLOB only */
char *item_raw(struct item *item);                           /* writable bytes of ITEM_RAW or an unshared ITEM_BLOB */
size_t item_value_size(const struct item *item);             /* length as text */

/* The value as text; `scratch` is used for integers. Borrowed from the item. */
struct bytes item_value(const struct item *item, char scratch[INT64_TEXT_MAX]);

/* Bytes taken from the allocator: size class of the item plus its blob's. */
size_t item_footprint(const struct item *item);

#endif
