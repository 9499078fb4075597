/*
 * registry.h - finds commands by name; the one list that cmd/describe.h shows to others.
 */
#ifndef SHOAL_CMD_REGISTRY_H
#define SHOAL_CMD_REGISTRY_H

#include "shoal/cmd/command.h"

enum { REGISTRY_COMMANDS_MAX = 512 }; /* rows, those that end sub-commands included */

/* A family is an array of rows that ends with one without a name. */
/* Copies the rows, gives them ids and full names, builds the look-up table. Aborts on a duplicate
 * name. Thread: startup. */
void registry_init(const struct command *const *families, uint32_t family_count);

/* Case-insensitive; NULL when unknown. One probe in the common case. Thread: any. */
const struct command *registry_find(struct bytes name);

/* The sub-command row for args[1], or NULL. */
const struct command *registry_find_sub(const struct command *command, struct bytes name);

uint32_t registry_count(void); /* sub-commands included */
const struct command *registry_at(uint32_t id);
uint32_t registry_top_count(void); /* commands only: ids 0..n-1 */

/*
 * True when `count` arguments satisfy the row's arity. Where keys come in groups up to the last
 * argument (MSET's pairs) the last group must be whole, so that no handler reads beyond it.
 */
static inline bool command_arity_ok(const struct command *command, uint32_t count)
{
    if (command->arity >= 0)
        return count == (uint32_t)command->arity;
    if (count < (uint32_t)-command->arity)
        return false;
    return command->step <= 1 || command->last_key != -1 ||
           (count - (uint32_t)command->first_key) % (uint32_t)command->step == 0;
}

/*
 * Argument indices of the keys: the first, and the one after `index`; 0 when there is none left.
 *
 *   for (uint32_t i = command_key_first(c, args); i != 0; i = command_key_next(c, args, i))
 */
uint32_t command_key_first(const struct command *command, const struct args *args);
uint32_t command_key_next(const struct command *command, const struct args *args, uint32_t index);
/* Whether the command writes to the key at this index. */
bool command_key_written(const struct command *command, const struct args *args, uint32_t index);

static inline bool command_has_keys(const struct command *command)
{
    return command->first_key != 0 || command->keys != NULL;
}

#endif
