/*
 * errors.c - error replies that repeat what the client wrote.
 *
 * A client's words end at a zero byte and at ERROR_TEXT_MAX bytes; reply_error() makes CR and LF
 * harmless.
 */
#include "shoal/cmd/errors.h"

#include <ctype.h>
#include <stdio.h>

void reply_wrong_arity(struct reply *reply, const struct command *command)
{
    reply_errorf(reply, "ERR wrong number of arguments for '%s' command", command->full_name);
}

void reply_unknown_command(struct reply *reply, const struct args *args)
{
    /* room for the quotes and the space of the argument that crosses the limit */
    char words[ERROR_TEXT_MAX + ERROR_TEXT_MAX + 8] = "";
    struct bytes name = args_at(args, 0);
    int used = 0;
    for (uint32_t i = 1; i < args->count && used < ERROR_TEXT_MAX; i++) {
        struct bytes arg = args_at(args, i);
        int left = ERROR_TEXT_MAX - used;
        int size = arg.size < (size_t)left ? (int)arg.size : left;
        used += snprintf(words + used, sizeof(words) - (size_t)used, "'%.*s' ", size, arg.data);
    }
    reply_errorf(reply, "ERR unknown command '%.*s', with args beginning with: %s",
                 error_text_size(name), name.data, words);
}

enum { UPPER_MAX = 32 }; /* longer than the name of any command with sub-commands */

static void upper_name(char upper[UPPER_MAX], struct bytes name)
{
    size_t i = 0;
    for (; i + 1 < UPPER_MAX && i < name.size; i++)
        upper[i] = (char)toupper((unsigned char)name.data[i]);
    upper[i] = '\0';
}

void reply_unknown_subcommand(struct reply *reply, struct bytes name,
                              const struct command *container)
{
    char upper[UPPER_MAX];
    upper_name(upper, bytes_str(container->name));
    reply_errorf(reply, "ERR unknown subcommand '%.*s'. Try %s HELP.", error_text_size(name),
                 name.data, upper);
}

const char *error_wrong_sub(char *text, const struct args *args)
{
    char upper[UPPER_MAX];
    struct bytes sub = args_at(args, 1);
    upper_name(upper, args_at(args, 0));
    snprintf(text, ERROR_WRONG_SUB_MAX,
             "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
             error_text_size(sub), sub.data, upper);
    return text;
}

void reply_invalid_expire(struct reply *reply, const struct command *command)
{
    reply_errorf(reply, "ERR invalid expire time in '%s' command", command->full_name);
}
