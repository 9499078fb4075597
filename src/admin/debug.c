/*
 * debug.c - DEBUG: helps to test clients. Refused unless --enable-debug-command allows it.
 */
#include "shoal/admin/commands.h"
#include "shoal/base/log.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"

#include <time.h>

enum { SLEEP_MAX_S = 3600 };

static bool is_allowed(const struct conn *conn)
{
    int access = conn->reactor->settings->enable_debug_command;
    return access == ACCESS_YES || (access == ACCESS_LOCAL && socket_peer_is_local(conn->fd));
}

/* Stops the connection's reactor, and with it its shard. */
static void debug_sleep(struct bytes text, struct reply *reply)
{
    double seconds;
    if (!number_parse_double(text, &seconds) || seconds < 0 || seconds > SLEEP_MAX_S) {
        reply_error(reply, "ERR value is not a valid float");
        return;
    }
    struct timespec time = { .tv_sec = (time_t)seconds };
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
    reply_ok(reply);
}

static void three_numbers(struct reply *reply)
{
    for (int i = 0; i < 3; i++)
        reply_int(reply, i);
}

static void three_pairs(struct reply *reply)
{
    for (int i = 0; i < 3; i++) {
        reply_int(reply, i);
        reply_bool(reply, i == 1);
    }
}

/* Replies one value of the named type, for tests of a client's decoder. False: no such type. */
static bool debug_protocol(struct bytes type, struct reply *reply)
{
    if (bytes_is(type, "string"))
        reply_cstr(reply, "Hello World");
    else if (bytes_is(type, "integer"))
        reply_int(reply, 12345);
    else if (bytes_is(type, "double"))
        reply_double(reply, 3.141);
    else if (bytes_is(type, "null"))
        reply_nil(reply);
    else if (bytes_is(type, "true") || bytes_is(type, "false"))
        reply_bool(reply, bytes_is(type, "true"));
    else if (bytes_is(type, "verbatim"))
        reply_verbatim(reply, bytes_str("This is a verbatim\nstring"), "txt");
    else if (bytes_is(type, "array"))
        reply_array(reply, 3), three_numbers(reply);
    else if (bytes_is(type, "set"))
        reply_set(reply, 3), three_numbers(reply);
    else if (bytes_is(type, "map"))
        reply_map(reply, 3), three_pairs(reply);
    else
        return false;
    return true;
}

/* DEBUG has no rows of sub-commands: they are told apart here. */
static void debug_help(struct reply *reply)
{
    static const char *const lines[] = {
        "DEBUG <subcommand> [<arg> ...]. Subcommands are:",
        "ERROR <text>",
        "    Answers with an error of this text.",
        "LOG <text>",
        "    Writes it to the server's log.",
        "PROTOCOL <type>",
        "    One value of a type: string, integer, double, null, array, set, map, verbatim, true, "
        "false.",
        "SLEEP <seconds>",
        "    Stops the thread of this connection, and the shard that it owns.",
        "HELP",
        "    This text.",
    };
    const uint32_t count = sizeof(lines) / sizeof(lines[0]);
    reply_array(reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_simple(reply, lines[i]);
}

/* The text may hold anything: reply_error() makes its line ends harmless. */
static void debug_error(struct bytes text, struct reply *reply)
{
    int size = text.size < REPLY_ERROR_TEXT_MAX ? (int)text.size : REPLY_ERROR_TEXT_MAX;
    reply_errorf(reply, "%.*s", size, text.data);
}

static bool debug_one(struct bytes sub, struct bytes arg, struct reply *reply)
{
    if (bytes_is(sub, "sleep")) {
        debug_sleep(arg, reply);
    } else if (bytes_is(sub, "error")) {
        debug_error(arg, reply);
    } else if (bytes_is(sub, "log")) {
        log_write(LOG_WARNING, "DEBUG LOG: %.*s", (int)(arg.size < 900 ? arg.size : 900), arg.data);
        reply_ok(reply);
    } else {
        return bytes_is(sub, "protocol") && debug_protocol(arg, reply);
    }
    return true;
}

static void debug_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct bytes sub = args_at(args, 1);
    if (!is_allowed(conn)) {
        reply_error(reply,
                    "ERR DEBUG command not allowed. Start the server with "
                    "--enable-debug-command local for loopback and Unix socket connections, or yes "
                    "for all");
        return;
    }
    if (args->count == 2 && bytes_is(sub, "help")) {
        debug_help(reply);
        return;
    }
    if (args->count == 3 && debug_one(sub, args_at(args, 2), reply))
        return;
    char text[ERROR_WRONG_SUB_MAX];
    reply_error(reply, error_wrong_sub(text, args));
}

/* clang-format off */
const struct command debug_commands[] = {
    { .name = "debug", .arity = -2, .flags = CMD_ADMIN | CMD_ANYTIME, .home = debug_command,
      .group = "server", .since = "1.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand [arg ...]",
      .summary = "Helps to test clients; refused unless enable-debug-command allows it." },
    { 0 },
};
/* clang-format on */
