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

struct arena;
struct defrag;

enum value_type {
    TYPE_STRING, /* 0, so that "is it a string" is one test of the item's head */
    VALUE_TYPES_MAX = 16,
};

/* Every function runs on the owner of the object's arena. */
struct value_ops {
    const char *name;                            /* of TYPE, and SCAN's TYPE */
    const char *(*encoding)(const void *object); /* of OBJECT ENCODING */
    size_t (*footprint)(const void *object);     /* bytes taken from the allocator */
    /* Another object of the same value; NULL, with nothing left behind, when memory is out. */
    void *(*copy)(struct arena *arena, const void *object);
    void (*free)(struct arena *arena, void *object);
    /* Hands each of its blocks to defrag_block() and puts what comes back in its place; returns
     * where the object is now. */
    void *(*move)(struct defrag *defrag, void *object);
};

/* By enum value_type; NULL where there is no type. A test of types brings a table of its own. */
extern const struct value_ops *const value_types[VALUE_TYPES_MAX];

#endif
