/*
 * string_options.h - the options that SET and GETEX share: a condition, a TTL, and whether the old
 * value is wanted. Thread: owner.
 */
#ifndef SHOAL_CMD_STRING_STRING_OPTIONS_H
#define SHOAL_CMD_STRING_STRING_OPTIONS_H

#include "shoal/cmd/command.h"
#include "shoal/cmd/generic/expire.h"

enum string_condition { STRING_ALWAYS, STRING_NX, STRING_XX, STRING_IFEQ };
enum string_ttl { STRING_TTL_NONE, STRING_TTL_KEEP, STRING_TTL_PERSIST, STRING_TTL_SET };
enum string_command { STRING_SET, STRING_GETEX };

struct string_options {
    enum string_condition condition;
    struct bytes expected; /* STRING_IFEQ */
    bool get;
    enum string_ttl ttl;
    enum expire_unit unit; /* STRING_TTL_SET */
    /* STRING_TTL_SET: still text, so that the command decides when it complains of it. */
    struct bytes time;
};

/* Reads the arguments from index `from` on. False: the error is replied. */
bool string_options_parse(struct exec *exec, uint32_t from, enum string_command command,
                          struct string_options *options);

#endif
