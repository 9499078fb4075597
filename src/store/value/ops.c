/*
 * ops.c - the list of types.
 *
 * It has a file to itself so that a test can be linked with another list.
 */
#include "shoal/store/value/ops.h"

static const struct value_ops string = { .name = "string" };

const struct value_ops *const value_types[VALUE_TYPES_MAX] = {
    [TYPE_STRING] = &string,
};
