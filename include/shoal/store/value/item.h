/*
 * item.h - one key and its value: a single allocation, referenced from exactly one bucket word.
 *
 *   | header 8 bytes | int64 expire_ms, if flagged | key bytes | value |
 *
 * The value is one of
 *   ITEM_RAW    its bytes
 *   ITEM_INT    an integer in 8 bytes, where the text is a canonical int64
 *   ITEM_BLOB   from BLOB_BYTES_MIN up, a pointer to a struct blob
 *   ITEM_OBJECT a pointer to an object of the value's type, which alone knows what is in it
 *
 * A value is a string, which is never an object, or of another type (ops.h).
 *
 * The header names the size class it was allocated with, so a raw value may be shorter than its
 * room (APPEND's slack) and the item can still be freed and accounted without asking the allocator.
 */
#ifndef SHOAL_STORE_VALUE_ITEM_H
#define SHOAL_STORE_VALUE_ITEM_H

#include "shoal/base/bytes.h"
#include "shoal/base/mem.h"
#include "shoal/base/number.h"
#include "shoal/store/value/blob.h"
#include "shoal/store/value/ops.h"

enum {
    KEY_BYTES_MAX = (1 << 24) - 1,
    VALUE_BYTES_MAX = 512 << 20, /* Redis's limit of a string */
};

/* From ITEM_BLOB on the value is outside the item. */
enum item_encoding { ITEM_RAW, ITEM_INT, ITEM_BLOB, ITEM_OBJECT };

/* opaque to commands; layout in this header's inline part for the table's sake */
struct item {
    /*
     * bit  0..23   key size                     bit 29       main (the eviction policy's)
     *     24..25   encoding                         30..31   free
     *         26   free                             32..47   size of a raw value
     *         27   has a TTL                        48..55   size class
     *         28   resized                          56..59   type
     *                                               60..63   free
     */
    uint64_t _head;
    char _rest[];
};

/*
 * Makes an item with a copy of key and value. Integers are encoded where `value` is one.
 *
 *   expire_ms  0 = never
 *   returns    owned by the caller until a table takes it; NULL when memory is out
 *   thread     owner of the arena
 */
struct item *item_new(struct arena *arena, struct bytes key, struct bytes value, int64_t expire_ms);
/* The same with a value of `size` bytes for the caller to fill through item_raw(). Never
 * integer-encoded. */
struct item *item_new_sized(struct arena *arena, struct bytes key, size_t size, int64_t expire_ms);
/* As item_new_sized, with room to grow in place to `capacity` bytes, as item_capacity() tells. */
struct item *item_new_roomy(struct arena *arena, struct bytes key, size_t size, size_t capacity,
                            int64_t expire_ms);
struct item *item_new_int(struct arena *arena, struct bytes key, int64_t value, int64_t expire_ms);
/* Takes the object over; it is still the caller's when NULL comes back. */
struct item *item_new_object(struct arena *arena, struct bytes key, enum value_type type,
                             struct value_object *object, int64_t expire_ms);
void item_free(struct arena *arena, struct item *item);

/*
 * Changes within the item's own allocation. The table counts sizes and TTLs: between
 * table_account_remove() and table_account_add() only. `value` must not point into the item.
 *
 *   item_assign      the value, its encoding and the TTL; false, nothing changed, unless the new
 *                    item is of the same size class (a blob: has room, is not shared and is not
 *                    mostly slack)
 *   item_assign_int  the same for an integer
 *   item_set_size    bytes of a raw or blob value, within item_capacity(); new bytes are not filled
 *   item_set_expire  0 removes the TTL; false when there is no room for one
 */
bool item_assign(struct item *item, struct bytes value, int64_t expire_ms);
bool item_assign_int(struct item *item, int64_t value, int64_t expire_ms);
void item_set_size(struct item *item, size_t size);
bool item_set_expire(struct item *item, int64_t expire_ms);

/* What a raw or blob value can grow to in place; 0 for a shared blob and any other. */
size_t item_capacity(const struct item *item);

/* A copy with another key and TTL; both own the same blob or object. NULL when memory is out. */
struct item *item_rehouse(struct arena *arena, const struct item *item, struct bytes key,
                          int64_t expire_ms);

/* ---- accessors ----------------------------------------------------------- */

enum {
    ITEM_ENCODING_SHIFT = 24,
    ITEM_TTL_BIT = 27, /* so that head >> 24 & 8 is the size of expire_ms */
    ITEM_RESIZED_BIT = 28,
    ITEM_MAIN_BIT = 29,
    ITEM_SIZE_SHIFT = 32,
    ITEM_CLASS_SHIFT = 48,
    ITEM_TYPE_SHIFT = 56,
};

static inline size_t item_key_size(const struct item *item)
{
    return item->_head & KEY_BYTES_MAX;
}

static inline bool item_has_expire(const struct item *item)
{
    return item->_head >> ITEM_TTL_BIT & 1;
}

/* Bytes between the header and the key: 8 with a TTL, else 0. */
static inline size_t item_key_offset(const struct item *item)
{
    return item->_head >> 24 & 8;
}

static inline struct bytes item_key(const struct item *item)
{
    return bytes_of(item->_rest + item_key_offset(item), item_key_size(item));
}

/* 0 = never */
static inline int64_t item_expire_ms(const struct item *item)
{
    int64_t expire_ms = 0;
    if (item_has_expire(item))
        memcpy(&expire_ms, item->_rest, sizeof(expire_ms));
    return expire_ms;
}

static inline enum item_encoding item_encoding(const struct item *item)
{
    return (enum item_encoding)(item->_head >> ITEM_ENCODING_SHIFT & 3);
}

static inline enum value_type item_type(const struct item *item)
{
    return (enum value_type)(item->_head >> ITEM_TYPE_SHIFT & (VALUE_TYPES_MAX - 1));
}

/* A part of the value was written since it was last set whole: what OBJECT ENCODING calls raw. */
static inline bool item_resized(const struct item *item)
{
    return item->_head >> ITEM_RESIZED_BIT & 1;
}

/* Lasts until the next item_assign*(); copies made by item_rehouse() have it too. */
static inline void item_mark_resized(struct item *item)
{
    item->_head |= (uint64_t)1 << ITEM_RESIZED_BIT;
}

/* The main bit of its bucket word once more, for accounting that does not see the word. Set by the
 * table alone. */
static inline bool item_is_main(const struct item *item)
{
    return item->_head >> ITEM_MAIN_BIT & 1;
}

static inline void item_set_main(struct item *item, bool main)
{
    item->_head &= ~((uint64_t)1 << ITEM_MAIN_BIT);
    item->_head |= (uint64_t)main << ITEM_MAIN_BIT;
}

/* Where the value (bytes, integer or blob pointer) begins; unaligned. */
static inline const char *item_value_at(const struct item *item)
{
    return item->_rest + item_key_offset(item) + item_key_size(item);
}

/* Size the item itself was allocated with, its blob aside. */
static inline size_t item_allocated(const struct item *item)
{
    return mem_class_at(item->_head >> ITEM_CLASS_SHIFT & 0xff);
}

/* ITEM_INT only */
static inline int64_t item_int(const struct item *item)
{
    int64_t value;
    memcpy(&value, item_value_at(item), sizeof(value));
    return value;
}

/* ITEM_INT only, in place */
static inline void item_set_int(struct item *item, int64_t value)
{
    memcpy((char *)item_value_at(item), &value, sizeof(value));
}

/* ITEM_BLOB only */
static inline struct blob *item_blob(const struct item *item)
{
    struct blob *blob;
    memcpy(&blob, item_value_at(item), sizeof(blob));
    return blob;
}

/* ITEM_OBJECT only */
static inline struct value_object *item_object(const struct item *item)
{
    struct value_object *object;
    memcpy(&object, item_value_at(item), sizeof(object));
    return object;
}

/* ITEM_OBJECT only: the object has moved. */
static inline void item_set_object(struct item *item, struct value_object *object)
{
    memcpy((char *)item_value_at(item), &object, sizeof(object));
}

/* Writable bytes of ITEM_RAW or an unshared ITEM_BLOB. */
static inline char *item_raw(struct item *item)
{
    return item_encoding(item) == ITEM_BLOB ? item_blob(item)->data : (char *)item_value_at(item);
}

/* Length of a string as text. */
size_t item_value_size(const struct item *item);

/* A string as text; `scratch` is used for integers. Borrowed from the item. */
struct bytes item_value(const struct item *item, char scratch[INT64_TEXT_MAX]);

/* Of a blob or an object: what it takes from the allocator. */
size_t item_outside(const struct item *item);

/* Bytes taken from the allocator: size class of the item, and what it has outside. */
static inline size_t item_footprint(const struct item *item)
{
    size_t size = item_allocated(item);
    return item_encoding(item) >= ITEM_BLOB ? size + item_outside(item) : size;
}

/* Equality without a call for keys up to 32 bytes: words that may overlap. */
static inline bool item_has_key(const struct item *item, struct bytes key)
{
    const char *a = item->_rest + item_key_offset(item), *b = key.data;
    size_t n = key.size;
    if (item_key_size(item) != n)
        return false;
    if (n > 32 || n < 8)
        return memcmp(a, b, n) == 0;
    uint64_t x, y, diff = 0;
    for (size_t i = 0; i + 8 < n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        diff |= x ^ y;
    }
    memcpy(&x, a + n - 8, 8);
    memcpy(&y, b + n - 8, 8);
    return (diff | (x ^ y)) == 0;
}

#endif
