/*
 * categories.h - the ACL categories of a row, derived from its flags, route and group.
 */
#ifndef SHOAL_CMD_CATEGORIES_H
#define SHOAL_CMD_CATEGORIES_H

#include "shoal/cmd/command.h"

enum command_category {
    CATEGORY_KEYSPACE = 1 << 0,
    CATEGORY_READ = 1 << 1,
    CATEGORY_WRITE = 1 << 2,
    CATEGORY_STRING = 1 << 3,
    CATEGORY_BITMAP = 1 << 4,
    CATEGORY_ADMIN = 1 << 5,
    CATEGORY_FAST = 1 << 6,
    CATEGORY_SLOW = 1 << 7,
    CATEGORY_DANGEROUS = 1 << 8,
    CATEGORY_CONNECTION = 1 << 9,
    CATEGORY_TRANSACTION = 1 << 10,
    CATEGORY_PUBSUB = 1 << 11,
};

/* What registry_init() puts into the row. Thread: any. */
uint32_t command_categories(const struct command *command);

#endif
