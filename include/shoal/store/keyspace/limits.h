/*
 * limits.h - what the options allow commands on keys. The server sets it when options change.
 */
#ifndef SHOAL_STORE_KEYSPACE_LIMITS_H
#define SHOAL_STORE_KEYSPACE_LIMITS_H

#include <stdint.h>

struct limits {
    int64_t databases;        /* numbers below it may be named; ..DATABASES_MAX */
    uint64_t value_bytes_max; /* of a string that a command makes longer; ..VALUE_BYTES_MAX */
};

#endif
