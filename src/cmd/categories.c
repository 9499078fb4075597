/*
 * categories.c - the ACL categories of a row.
 */
#include "shoal/cmd/categories.h"

static bool keyspace_wide(const struct command *command)
{
    return command->route == ROUTE_ALL_SUM || command->route == ROUTE_ALL_ARRAY ||
           command->route == ROUTE_ALL_ATOMIC;
}

static uint32_t group_category(const struct command *command)
{
    struct bytes group = bytes_str(command->group);
    if (bytes_is(group, "string"))
        return CATEGORY_STRING;
    if (bytes_is(group, "bitmap"))
        return CATEGORY_BITMAP;
    if (bytes_is(group, "connection"))
        return CATEGORY_CONNECTION;
    if (bytes_is(group, "transactions"))
        return CATEGORY_TRANSACTION;
    if (bytes_is(group, "pubsub"))
        return CATEGORY_PUBSUB;
    return bytes_is(group, "generic") || keyspace_wide(command) ? CATEGORY_KEYSPACE : 0;
}

uint32_t command_categories(const struct command *command)
{
    uint32_t categories = command->flags & CMD_FAST ? CATEGORY_FAST : CATEGORY_SLOW;
    if (command->subs != NULL) /* a container: its sub-commands are in categories */
        return categories;
    categories |= group_category(command);
    categories |= command->flags & CMD_READONLY ? CATEGORY_READ : 0;
    categories |= command->flags & CMD_WRITE ? CATEGORY_WRITE : 0;
    categories |= command->flags & CMD_ADMIN ? CATEGORY_ADMIN | CATEGORY_DANGEROUS : 0;
    if (command->route == ROUTE_ALL_ARRAY || command->route == ROUTE_ALL_ATOMIC)
        categories |= CATEGORY_DANGEROUS;
    return categories;
}
