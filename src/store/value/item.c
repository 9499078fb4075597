/*
 * item.c - making, changing and freeing items.
 *
 * Every item is allocated with the full size of its class, whose index is in the header: a value
 * may then be rewritten in place whenever the new item would fall into the same class.
 */
#include "shoal/store/value/item.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"

#include <assert.h>

static_assert(sizeof(struct item) == 8, "the header is one word");
static_assert(BLOB_BYTES_MIN <= UINT16_MAX, "a raw value's size fits its 16 bits");

enum { EXPIRE_BYTES = 8, WORD_BYTES = 8 };

/* What decides an item's layout. `inline_size` is the room its value takes in the item. */
struct shape {
    enum item_encoding encoding;
    size_t key_size, value_size, inline_size;
    bool expires;
};

static struct shape shape_of(size_t key_size, size_t value_size, bool expires)
{
    bool blob = value_size >= BLOB_BYTES_MIN;
    return (struct shape){
        .encoding = blob ? ITEM_BLOB : ITEM_RAW,
        .key_size = key_size,
        .value_size = blob ? 0 : value_size,
        .inline_size = blob ? WORD_BYTES : value_size,
        .expires = expires,
    };
}

/* A value that is one word: an integer or a pointer. */
static struct shape shape_of_word(enum item_encoding encoding, size_t key_size, bool expires)
{
    return (struct shape){
        .encoding = encoding,
        .key_size = key_size,
        .inline_size = WORD_BYTES,
        .expires = expires,
    };
}

static unsigned shape_class(const struct shape *shape)
{
    return mem_class_index(sizeof(struct item) + (shape->expires ? EXPIRE_BYTES : 0) +
                           shape->key_size + shape->inline_size);
}

static void set_head(struct item *item, const struct shape *shape, unsigned class)
{
    item->_head = shape->key_size | (uint64_t)shape->encoding << ITEM_ENCODING_SHIFT |
                  (uint64_t)shape->expires << ITEM_TTL_BIT |
                  (uint64_t)shape->value_size << ITEM_SIZE_SHIFT |
                  (uint64_t) class << ITEM_CLASS_SHIFT;
}

static char *value_at(struct item *item)
{
    return (char *)item_value_at(item);
}

static void put_expire(struct item *item, int64_t expire_ms)
{
    if (expire_ms != 0)
        memcpy(item->_rest, &expire_ms, sizeof(expire_ms));
}

static void put_blob(struct item *item, struct blob *blob)
{
    memcpy(value_at(item), &blob, sizeof(blob));
}

static struct item *item_alloc(struct arena *arena, const struct shape *shape, unsigned class,
                               struct bytes key, int64_t expire_ms)
{
    must(key.size <= KEY_BYTES_MAX);
    struct item *item = arena_alloc(arena, mem_class_at(class));
    if (item == NULL)
        return NULL;
    set_head(item, shape, class);
    put_expire(item, expire_ms);
    if (key.size > 0)
        memcpy(item->_rest + item_key_offset(item), key.data, key.size);
    return item;
}

/* Only text that begins like a number is worth parsing. */
static bool value_is_int(struct bytes value, int64_t *number)
{
    if (value.size == 0 || value.size > 20)
        return false;
    char first = value.data[0];
    return (first == '-' || (first >= '0' && first <= '9')) && number_parse_i64(value, number);
}

struct item *item_new(struct arena *arena, struct bytes key, struct bytes value, int64_t expire_ms)
{
    int64_t number = 0;
    if (value_is_int(value, &number))
        return item_new_int(arena, key, number, expire_ms);
    struct item *item = item_new_sized(arena, key, value.size, expire_ms);
    if (item != NULL && value.size > 0)
        memcpy(item_raw(item), value.data, value.size);
    return item;
}

struct item *item_new_sized(struct arena *arena, struct bytes key, size_t size, int64_t expire_ms)
{
    return item_new_roomy(arena, key, size, size, expire_ms);
}

struct item *item_new_roomy(struct arena *arena, struct bytes key, size_t size, size_t capacity,
                            int64_t expire_ms)
{
    must(size <= capacity && size <= VALUE_BYTES_MAX);
    struct shape shape = shape_of(key.size, size, expire_ms != 0);
    struct blob *blob = NULL;
    if (shape.encoding == ITEM_BLOB) {
        blob = blob_new(arena, size, capacity);
        if (blob == NULL)
            return NULL;
    } else {
        shape.inline_size = min(capacity, BLOB_BYTES_MIN);
    }
    struct item *item = item_alloc(arena, &shape, shape_class(&shape), key, expire_ms);
    if (blob != NULL && item == NULL)
        blob_disown(blob);
    else if (blob != NULL)
        put_blob(item, blob);
    return item;
}

struct item *item_new_int(struct arena *arena, struct bytes key, int64_t value, int64_t expire_ms)
{
    struct shape shape = shape_of_word(ITEM_INT, key.size, expire_ms != 0);
    struct item *item = item_alloc(arena, &shape, shape_class(&shape), key, expire_ms);
    if (item != NULL)
        item_set_int(item, value);
    return item;
}

struct item *item_new_object(struct arena *arena, struct bytes key, enum value_type type,
                             struct value_object *object, int64_t expire_ms)
{
    must(type != TYPE_STRING && value_types[type] != NULL && object->owners == 1);
    struct shape shape = shape_of_word(ITEM_OBJECT, key.size, expire_ms != 0);
    struct item *item = item_alloc(arena, &shape, shape_class(&shape), key, expire_ms);
    if (item == NULL)
        return NULL;
    item->_head |= (uint64_t)type << ITEM_TYPE_SHIFT;
    item_set_object(item, object);
    return item;
}

static const struct value_ops *ops_of(const struct item *item)
{
    return value_types[item_type(item)];
}

size_t item_outside(const struct item *item)
{
    return item_encoding(item) == ITEM_BLOB ? blob_footprint(item_blob(item))
                                            : ops_of(item)->footprint(item_object(item));
}

static void free_outside(struct arena *arena, struct item *item)
{
    if (item_encoding(item) == ITEM_BLOB)
        blob_disown(item_blob(item));
    else if (--item_object(item)->owners == 0)
        ops_of(item)->free(arena, item_object(item));
}

void item_free(struct arena *arena, struct item *item)
{
    if (item_encoding(item) >= ITEM_BLOB)
        free_outside(arena, item);
    arena_free(arena, item, item_allocated(item));
}

/* ---- changes in place ---------------------------------------------------- */

static unsigned item_class(const struct item *item)
{
    return item->_head >> ITEM_CLASS_SHIFT & 0xff;
}

/* Gives the item a new header and moves the key if the TTL before it comes or goes. */
static void assign_shape(struct item *item, const struct shape *shape, int64_t expire_ms)
{
    struct bytes key = item_key(item);
    bool main = item_is_main(item);
    set_head(item, shape, item_class(item));
    item_set_main(item, main);
    char *to = item->_rest + item_key_offset(item);
    if (to != key.data)
        memmove(to, key.data, key.size);
    put_expire(item, expire_ms);
}

static bool assign_blob(struct item *item, struct bytes value, int64_t expire_ms)
{
    if (item_encoding(item) != ITEM_BLOB)
        return false;
    struct blob *blob = item_blob(item);
    struct shape shape = shape_of(item_key_size(item), value.size, expire_ms != 0);
    if (blob_shared(blob) || value.size > blob->capacity || value.size < blob->capacity / 2 ||
        shape_class(&shape) != item_class(item))
        return false;
    memmove(blob->data, value.data, value.size);
    blob->size = value.size;
    assign_shape(item, &shape, expire_ms);
    put_blob(item, blob);
    return true;
}

bool item_assign(struct item *item, struct bytes value, int64_t expire_ms)
{
    int64_t number = 0;
    if (value_is_int(value, &number))
        return item_assign_int(item, number, expire_ms);
    if (value.size >= BLOB_BYTES_MIN)
        return assign_blob(item, value, expire_ms);
    struct shape shape = shape_of(item_key_size(item), value.size, expire_ms != 0);
    if (item_encoding(item) >= ITEM_BLOB || shape_class(&shape) != item_class(item))
        return false;
    assign_shape(item, &shape, expire_ms);
    if (value.size > 0)
        memcpy(value_at(item), value.data, value.size);
    return true;
}

bool item_assign_int(struct item *item, int64_t value, int64_t expire_ms)
{
    struct shape shape = shape_of_word(ITEM_INT, item_key_size(item), expire_ms != 0);
    if (item_encoding(item) >= ITEM_BLOB || shape_class(&shape) != item_class(item))
        return false;
    assign_shape(item, &shape, expire_ms);
    item_set_int(item, value);
    return true;
}

size_t item_capacity(const struct item *item)
{
    switch (item_encoding(item)) {
    case ITEM_INT:
    case ITEM_OBJECT:
        return 0;
    case ITEM_BLOB:
        return blob_shared(item_blob(item)) ? 0 : item_blob(item)->capacity;
    case ITEM_RAW:
        break;
    }
    size_t room =
        item_allocated(item) - sizeof(*item) - item_key_offset(item) - item_key_size(item);
    return min(room, BLOB_BYTES_MIN - 1);
}

void item_set_size(struct item *item, size_t size)
{
    must(size <= item_capacity(item));
    if (item_encoding(item) == ITEM_BLOB) {
        item_blob(item)->size = size;
        return;
    }
    item->_head &= ~((uint64_t)UINT16_MAX << ITEM_SIZE_SHIFT);
    item->_head |= (uint64_t)size << ITEM_SIZE_SHIFT;
}

/* Bytes of the value inside the item. */
static size_t inline_size(const struct item *item)
{
    return item_encoding(item) == ITEM_RAW ? item->_head >> ITEM_SIZE_SHIFT & UINT16_MAX
                                           : WORD_BYTES;
}

bool item_set_expire(struct item *item, int64_t expire_ms)
{
    bool expires = expire_ms != 0;
    size_t body = item_key_size(item) + inline_size(item);
    if (sizeof(*item) + (expires ? EXPIRE_BYTES : 0) + body > item_allocated(item))
        return false;
    if (expires != item_has_expire(item)) {
        const char *from = item->_rest + item_key_offset(item);
        item->_head ^= (uint64_t)1 << ITEM_TTL_BIT;
        memmove(item->_rest + item_key_offset(item), from, body);
    }
    put_expire(item, expire_ms);
    return true;
}

struct item *item_rehouse(struct arena *arena, const struct item *item, struct bytes key,
                          int64_t expire_ms)
{
    struct shape shape = {
        .encoding = item_encoding(item),
        .key_size = key.size,
        .value_size = item_encoding(item) == ITEM_RAW ? inline_size(item) : 0,
        .inline_size = inline_size(item),
        .expires = expire_ms != 0,
    };
    struct item *copy = item_alloc(arena, &shape, shape_class(&shape), key, expire_ms);
    if (copy == NULL)
        return NULL;
    memcpy(value_at(copy), item_value_at(item), shape.inline_size);
    copy->_head |= (uint64_t)item_type(item) << ITEM_TYPE_SHIFT;
    if (item_encoding(item) == ITEM_BLOB)
        blob_own(item_blob(item));
    if (item_encoding(item) == ITEM_OBJECT)
        item_object(item)->owners++;
    if (item_resized(item))
        item_mark_resized(copy);
    return copy;
}

/* ---- the value as text --------------------------------------------------- */

size_t item_value_size(const struct item *item)
{
    char scratch[INT64_TEXT_MAX];
    return item_value(item, scratch).size;
}

struct bytes item_value(const struct item *item, char scratch[INT64_TEXT_MAX])
{
    switch (item_encoding(item)) {
    case ITEM_INT:
        return bytes_of(scratch, number_format_i64(scratch, item_int(item)));
    case ITEM_BLOB:
        return bytes_of(item_blob(item)->data, item_blob(item)->size);
    case ITEM_OBJECT:
        must_failed("the value is a string", __FILE__, __LINE__);
    case ITEM_RAW:
        break;
    }
    return bytes_of(item_value_at(item), inline_size(item));
}
