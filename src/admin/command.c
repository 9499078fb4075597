/*
 * command.c - COMMAND: the registry as clients see it.
 */
#include "shoal/admin/commands.h"
#include "shoal/base/glob.h"
#include "shoal/cmd/describe.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/cmd/registry.h"

/* "config|get" or "get"; NULL when there is no such command. */
static const struct command *find_full(struct bytes name)
{
    const char *bar = memchr(name.data, '|', name.size);
    if (bar == NULL)
        return registry_find(name);
    size_t size = (size_t)(bar - name.data);
    const struct command *container = registry_find(bytes_of(name.data, size));
    return container == NULL || container->subs == NULL
               ? NULL
               : registry_find_sub(container, bytes_of(bar + 1, name.size - size - 1));
}

static void command_all(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_array(reply, registry_top_count());
    for (uint32_t id = 0; id < registry_top_count(); id++)
        describe_info(reply, registry_at(id));
}

static void command_count(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_int(reply, registry_top_count());
}

static void command_info(struct conn *conn, const struct args *args, struct reply *reply)
{
    if (args->count == 2) {
        command_all(conn, args, reply);
        return;
    }
    reply_array(reply, args->count - 2);
    for (uint32_t i = 2; i < args->count; i++)
        describe_info(reply, find_full(args_at(args, i)));
}

static void docs_all(struct reply *reply)
{
    reply_map(reply, registry_top_count());
    for (uint32_t id = 0; id < registry_top_count(); id++)
        describe_docs(reply, registry_at(id));
}

/* Unknown names are left out. */
static void command_docs(struct conn *conn, const struct args *args, struct reply *reply)
{
    uint32_t known = 0;
    (void)conn;
    if (args->count == 2) {
        docs_all(reply);
        return;
    }
    struct reply_opened opened = reply_open(reply);
    for (uint32_t i = 2; i < args->count; i++) {
        const struct command *command = find_full(args_at(args, i));
        if (command == NULL)
            continue;
        describe_docs(reply, command);
        known++;
    }
    reply_close(reply, opened, REPLY_MAP, known);
}

/* ---- LIST ---------------------------------------------------------------- */

enum filter { FILTER_NONE, FILTER_MODULE, FILTER_CATEGORY, FILTER_PATTERN };

static bool list_parse(const struct args *args, enum filter *filter)
{
    *filter = FILTER_NONE;
    if (args->count == 2)
        return true;
    if (args->count != 5 || !bytes_is(args_at(args, 2), "filterby"))
        return false;
    struct bytes by = args_at(args, 3);
    *filter = bytes_is(by, "module")    ? FILTER_MODULE
              : bytes_is(by, "aclcat")  ? FILTER_CATEGORY
              : bytes_is(by, "pattern") ? FILTER_PATTERN
                                        : FILTER_NONE;
    return *filter != FILTER_NONE;
}

static bool passes(const struct command *command, enum filter filter, const struct args *args)
{
    switch (filter) {
    case FILTER_CATEGORY:
        return describe_in_category(command, args_at(args, 4));
    case FILTER_PATTERN:
        return glob_match(args_at(args, 4), bytes_str(command->full_name), true);
    default:
        return filter == FILTER_NONE; /* there are no modules */
    }
}

static void command_list(struct conn *conn, const struct args *args, struct reply *reply)
{
    enum filter filter;
    uint32_t count = 0;
    (void)conn;
    if (!list_parse(args, &filter)) {
        reply_error(reply, ERR_SYNTAX);
        return;
    }
    struct reply_opened opened = reply_open(reply);
    for (uint32_t id = 0; id < registry_count(); id++) {
        if (!passes(registry_at(id), filter, args))
            continue;
        reply_cstr(reply, registry_at(id)->full_name);
        count++;
    }
    reply_close(reply, opened, REPLY_ARRAY, count);
}

/* ---- GETKEYS ------------------------------------------------------------- */

/* The row of the command that begins at argument 2, NULL when it is none. */
static const struct command *inner_command(const struct args *args)
{
    const struct command *command = registry_find(args_at(args, 2));
    if (command == NULL || command->subs == NULL || args->count == 3)
        return command;
    return registry_find_sub(command, args_at(args, 3));
}

/* The command of which GETKEYS asks; NULL: the error is replied. */
static const struct command *command_with_keys(const struct args *args, const struct args *inner,
                                               struct reply *reply)
{
    const struct command *command = inner_command(args);
    if (command == NULL)
        reply_error(reply, "ERR Invalid command specified");
    else if (!command_has_keys(command))
        reply_error(reply, "ERR The command has no key arguments");
    else if (!command_arity_ok(command, inner->count))
        reply_error(reply, "ERR Invalid number of arguments specified for command");
    else if (command_key_first(command, inner) == 0) /* a count that is wrong */
        reply_error(reply, "ERR Invalid arguments specified for command");
    else
        return command;
    return NULL;
}

static void reply_keys(const struct args *args, struct reply *reply, bool with_flags)
{
    struct args inner = { args->base, args->v + 2, args->count - 2 };
    const struct command *command = command_with_keys(args, &inner, reply);
    uint32_t count = 0;
    if (command == NULL)
        return;
    struct reply_opened opened = reply_open(reply);
    for (uint32_t i = command_key_first(command, &inner); i != 0;
         i = command_key_next(command, &inner, i), count++) {
        if (with_flags)
            reply_array(reply, 2);
        reply_str(reply, args_at(&inner, i));
        if (with_flags)
            describe_key_flags(reply, command_key_written(command, &inner, i));
    }
    reply_close(reply, opened, REPLY_ARRAY, count);
}

static void command_getkeys(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    reply_keys(args, reply, false);
}

static void command_getkeysandflags(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    reply_keys(args, reply, true);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "count", .arity = 2, .flags = CMD_ANYTIME, .home = command_count,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Returns how many commands there are." },
    { .name = "docs", .arity = -2, .flags = CMD_ANYTIME, .home = command_docs,
      .group = "server", .since = "7.0.0", .complexity = "O(N) where N is the number of commands to look up",
      .syntax = "[command-name ...]",
      .summary = "Returns the documentation of commands." },
    { .name = "getkeys", .arity = -4, .flags = CMD_ANYTIME, .home = command_getkeys,
      .group = "server", .since = "2.8.13", .complexity = "O(N) where N is the number of arguments to the command",
      .syntax = "command [arg ...]",
      .summary = "Extracts the keys of a whole command." },
    { .name = "getkeysandflags", .arity = -4, .flags = CMD_ANYTIME, .home = command_getkeysandflags,
      .group = "server", .since = "7.0.0", .complexity = "O(N) where N is the number of arguments to the command",
      .syntax = "command [arg ...]",
      .summary = "Extracts the keys of a whole command, and says what is done to each." },
    { .name = "info", .arity = -2, .flags = CMD_ANYTIME, .home = command_info,
      .group = "server", .since = "2.8.13", .complexity = "O(N) where N is the number of commands to look up",
      .syntax = "[command-name ...]",
      .summary = "Returns arity, flags and keys of commands." },
    { .name = "list", .arity = -2, .flags = CMD_ANYTIME, .home = command_list,
      .group = "server", .since = "7.0.0", .complexity = "O(N) where N is the number of commands",
      .syntax = "[FILTERBY filter value]",
      .summary = "Returns the names of commands." },
    HELP_ROW("server", "5.0.0", CMD_ANYTIME),
    { 0 },
};

const struct command command_commands[] = {
    { .name = "command", .arity = -1, .flags = CMD_ANYTIME, .home = command_all, .subs = subs,
      .group = "server", .since = "2.8.13", .complexity = "O(N) where N is the number of commands", .syntax = "",
      .summary = "Returns arity, flags and keys of all commands." },
    { 0 },
};
/* clang-format on */
