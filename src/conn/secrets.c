/*
 * secrets.c - the places of passwords in AUTH, HELLO, CONFIG SET, and in commands about those.
 *
 * When in doubt an argument is one: a wrong count or a mistyped name moves a password to another
 * place.
 */
#include "shoal/conn/secrets.h"

#include "shoal/cmd/registry.h"
#include "shoal/options/find.h"

#include <string.h>

/* Arguments from `first` on. */
static uint64_t all_from(uint32_t first)
{
    return first < SECRETS_ARGS_MAX ? ~(uint64_t)0 << first : 0;
}

static uint64_t one(uint32_t at)
{
    return at < SECRETS_ARGS_MAX ? (uint64_t)1 << at : 0;
}

static uint64_t of_auth(const struct args *args)
{
    (void)args;
    return all_from(1);
}

/* HELLO 3 AUTH user password SETNAME name */
static uint64_t of_hello(const struct args *args)
{
    for (uint32_t i = 1; i < args->count; i++)
        if (bytes_is(args_at(args, i), "auth"))
            return one(i + 1) | one(i + 2);
    return 0;
}

/* CONFIG SET name value name value */
static uint64_t of_config_set(const struct args *args)
{
    uint64_t hidden = 0;
    if (args->count % 2 != 0)
        return all_from(3);
    for (uint32_t i = 2; i + 1 < args->count; i += 2)
        hidden |= option_is_secret(args_at(args, i)) ? one(i + 1) : 0;
    return hidden;
}

static const struct {
    const char *name; /* in full */
    uint64_t (*hidden)(const struct args *args);
} rules[] = {
    { "auth", of_auth },
    { "hello", of_hello },
    { "config|set", of_config_set },
};

static uint64_t of_itself(const struct command *command, const struct args *args)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(command->full_name, rules[i].name) == 0)
            return rules[i].hidden(args);
    return 0;
}

/* The command that begins at argument 0; NULL when there is none of that name. */
static const struct command *command_of(const struct args *args)
{
    const struct command *command = registry_find(args_at(args, 0));
    return command == NULL || command->subs == NULL || args->count == 1
               ? command
               : registry_find_sub(command, args_at(args, 1));
}

uint64_t secrets_of(const struct command *command, const struct args *args)
{
    struct args inner = *args;
    uint32_t before = 0; /* arguments in front of the inner one */
    while (strcmp(command->full_name, "command|getkeys") == 0 && inner.count > 2) {
        before += 2;
        inner.v += 2;
        inner.count -= 2;
        command = command_of(&inner);
        if (command == NULL || before >= SECRETS_ARGS_MAX)
            return all_from(before + 1);
    }
    return of_itself(command, &inner) << before;
}
