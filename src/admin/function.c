/*
 * function.c - FUNCTION and SCRIPT, as far as a server without scripts can answer
 * truthfully: there are none, and they can be flushed.
 */
#include "shoal/admin/commands.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"

/* FLUSH [ASYNC | SYNC]: there is nothing to flush. */
static void flush(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    char text[ERROR_WRONG_SUB_MAX];
    bool script = bytes_is(args_at(args, 0), "script");
    bool known = args->count == 2 || (args->count == 3 && (bytes_is(args_at(args, 2), "async") ||
                                                           bytes_is(args_at(args, 2), "sync")));
    if (known)
        reply_ok(reply);
    else if (args->count > 3 && !script)
        reply_error(reply, error_wrong_sub(text, args));
    else /* the two texts differ in Redis */
        reply_errorf(reply, "ERR %s FLUSH only %s SYNC|ASYNC option",
                     script ? "SCRIPT" : "FUNCTION", script ? "support" : "supports");
}

static void kill(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_error(reply, "NOTBUSY No scripts in execution right now.");
}

static void function_list(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    bool has_name = false, has_code = false; /* each is an option once only */
    for (uint32_t i = 2; i < args->count; i++) {
        struct bytes option = args_at(args, i);
        bool name = !has_name && bytes_is(option, "libraryname");
        if (name && i + 1 == args->count) {
            reply_error(reply, "ERR library name argument was not given");
            return;
        }
        if (!name && (has_code || !bytes_is(option, "withcode"))) {
            reply_errorf(reply, "ERR Unknown argument %.*s", error_text_size(option), option.data);
            return;
        }
        has_name |= name;
        has_code |= !name;
        i += name;
    }
    reply_array(reply, 0);
}

static void function_stats(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_map(reply, 2);
    reply_cstr(reply, "running_script");
    reply_nil(reply);
    reply_cstr(reply, "engines");
    reply_map(reply, 0);
}

static void script_exists(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    reply_array(reply, args->count - 2);
    for (uint32_t i = 2; i < args->count; i++)
        reply_int(reply, 0);
}

/* clang-format off */
static const struct command function_subs[] = {
    { .name = "flush", .arity = -2, .flags = CMD_WRITE, .home = flush,
      .group = "scripting", .since = "7.0.0", .complexity = "O(1)", .syntax = "[ASYNC | SYNC]",
      .summary = "Does nothing: there are no functions." },
    { .name = "kill", .arity = 2, .home = kill,
      .group = "scripting", .since = "7.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Refused: no function runs." },
    { .name = "list", .arity = -2, .home = function_list,
      .group = "scripting", .since = "7.0.0", .complexity = "O(1)", .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
      .summary = "Returns an empty list: there are no functions." },
    { .name = "stats", .arity = 2, .home = function_stats,
      .group = "scripting", .since = "7.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns that nothing runs and that there are no engines." },
    HELP_ROW("scripting", "7.0.0", CMD_ANYTIME),
    { 0 },
};

static const struct command script_subs[] = {
    { .name = "exists", .arity = -3, .home = script_exists,
      .group = "scripting", .since = "2.6.0", .complexity = "O(N) with N being the number of scripts to check",
      .syntax = "sha1 [sha1 ...]",
      .summary = "Returns a 0 for each: there are no scripts." },
    { .name = "flush", .arity = -2, .home = flush,
      .group = "scripting", .since = "2.6.0", .complexity = "O(1)", .syntax = "[ASYNC | SYNC]",
      .summary = "Does nothing: there are no scripts." },
    { .name = "kill", .arity = 2, .home = kill,
      .group = "scripting", .since = "2.6.0", .complexity = "O(1)", .syntax = "",
      .summary = "Refused: no script runs." },
    HELP_ROW("scripting", "5.0.0", CMD_ANYTIME),
    { 0 },
};

const struct command function_commands[] = {
    { .name = "function", .arity = -2, .subs = function_subs,
      .group = "scripting", .since = "7.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about functions, of which there are none." },
    { .name = "script", .arity = -2, .subs = script_subs,
      .group = "scripting", .since = "2.6.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about scripts, of which there are none." },
    { 0 },
};
/* clang-format on */
