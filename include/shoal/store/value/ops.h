/*
 * ops.h - the types of values, and what is done to the objects of each: one table a type.
 *
 * A value is kept in its item or a blob (item.h), or it is an object: blocks of its own that the
 * item points to. Of the latter nobody but its type knows the layout. Strings are never objects.
 *
 * source  Varnish's table of functions for each kind of storage
 */
#ifndef SHOAL_STORE_VALUE_OPS_H
#define SHOAL_STORE_VALUE_OPS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct defrag;

enum value_type {
    TYPE_STRING, /* 0, so that "is it a string" is one test of the item's head */
    VALUE_TYPES_MAX = 16,
};

/*
 * What every object begins with. Items own it: one, or two while one takes the place of the other,
 * or for as long as a transaction may be undone. It is changed in place by a sole owner only.
 */
struct value_object {
    uint32_t owners; /* 1 when it is made */
};

/* Every function runs on the owner of the object's arena. */
struct value_ops {
    const char *name; /* of TYPE, and SCAN's TYPE */
    /* of OBJECT ENCODING */
    const char *(*encoding)(const struct value_object *object);
    size_t (*footprint)(const struct value_object *object); /* bytes taken from the allocator */
    /* Another object of the same value; NULL, with nothing left behind, when memory is out. */
    struct value_object *(*copy)(struct arena *arena, const struct value_object *object);
    void (*free)(struct arena *arena, struct value_object *object);
    /* Hands each of its blocks to defrag_block() and puts what comes back in its place; returns
     * where the object is now. It has one owner. */
    struct value_object *(*move)(struct defrag *defrag, struct value_object *object);
};

/* By enum value_type; NULL where there is no type. A test of types brings a table of its own. */
extern const struct value_ops *const value_types[VALUE_TYPES_MAX];

#endif
