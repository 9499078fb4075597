/*
 * value_read.h - reading values that a reply holds in the native encoding: those that shards give
 * each other.
 */
#ifndef SHOAL_PROTO_VALUE_READ_H
#define SHOAL_PROTO_VALUE_READ_H

#include "shoal/proto/reply.h"

/* The first byte of a value; only these are read. */
enum native_type { NATIVE_NIL, NATIVE_ERROR, NATIVE_TEXT, NATIVE_INTEGER };

struct native_value {
    enum native_type type;
    int64_t integer;
    struct bytes text; /* borrowed from the reply, or from a pin */
    size_t end;        /* where the next value begins */
};

/* The value at base[at]. Thread: any that has the reply. */
struct native_value native_read(const struct reply *reply, size_t at);

/* The same of bytes without pins. */
struct native_value native_read_bytes(struct bytes value);

#endif
