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
#include "shoal/route/plan.h"

#include <stdlib.h>
#include <time.h>

enum { SLEEP_MAX_S = 3600 };

static bool is_allowed(const struct conn *conn)
{
    int access = conn->reactor->settings->enable_debug_command;
    return access == ACCESS_YES || (access == ACCESS_LOCAL && socket_peer_is_local(conn->fd));
}

/* One DEBUG: what it does on the reactors, before it is answered at home. */
struct debug {
    struct args args; /* what it points at stays until the plan ends */
    uint32_t home;
    double sleep_s;
    bool switches, sweep; /* SET-ACTIVE-EXPIRE: to what */
};

static bool parse_sleep(struct bytes text, double *seconds)
{
    return number_parse_double(text, seconds) && *seconds >= 0 && *seconds <= SLEEP_MAX_S;
}

/* Stops the connection's reactor, and with it its shard. */
static void sleep_for(double seconds)
{
    struct timespec time = { .tv_sec = (time_t)seconds };
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
}

static void debug_control(struct reactor *here, void *context, struct reply *reply)
{
    const struct debug *debug = context;
    (void)reply;
    if (debug->switches)
        here->keyspace->sweep_off = !debug->sweep;
    if (debug->sleep_s > 0 && here->id == debug->home)
        sleep_for(debug->sleep_s);
}

/* What there is to do, of DEBUG with one argument; debug_answer() says what is wrong. */
static void debug_parse(struct debug *debug, struct bytes sub, struct bytes arg)
{
    double seconds;
    if (bytes_is(sub, "sleep") && parse_sleep(arg, &seconds))
        debug->sleep_s = seconds;
    debug->switches = bytes_is(sub, "set-active-expire");
    debug->sweep = !bytes_is(arg, "0");
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

/* RESP3 alone has attributes: what is told besides a value. */
static void value_with_attribute(struct reply *reply)
{
    static const char attribute[] = "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n";
    if (reply->proto == PROTO_RESP3)
        reply_raw(reply, bytes_str(attribute));
    reply_cstr(reply, "Some real reply following the attribute");
}

static void big_number(struct reply *reply)
{
    static const char number[] = "(1234567999999999999999999999999999999\r\n";
    if (reply->proto == PROTO_RESP3)
        reply_raw(reply, bytes_str(number));
    else
        reply_str(reply, bytes_of(number + 1, sizeof(number) - sizeof("(\r\n")));
}

static void value_after_push(struct reply *reply)
{
    if (reply->proto != PROTO_RESP3) {
        reply_error(reply, "ERR RESP2 is not supported by this command");
        return;
    }
    reply_push(reply, 2);
    reply_cstr(reply, "server-cpu-usage");
    reply_int(reply, 42);
    reply_cstr(reply, "Some real reply following the push reply");
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
    else if (bytes_is(type, "attrib"))
        value_with_attribute(reply);
    else if (bytes_is(type, "bignum"))
        big_number(reply);
    else if (bytes_is(type, "push"))
        value_after_push(reply);
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
        "    One value of a type: string, integer, double, null, array, set, map, attrib, push, "
        "verbatim, bignum, true, false.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Whether expired keys are freed by themselves; they are never seen.",
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
    double unused;
    if (bytes_is(sub, "sleep") && !parse_sleep(arg, &unused)) {
        reply_error(reply, "ERR value is not a valid float");
    } else if (bytes_is(sub, "sleep") || bytes_is(sub, "set-active-expire")) {
        reply_ok(reply); /* it has been done */
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

static void debug_answer(struct plan *plan, void *context, struct reply *reply)
{
    const struct args *args = &((const struct debug *)context)->args;
    struct bytes sub = args_at(args, 1);
    (void)plan;
    if (args->count == 2 && bytes_is(sub, "help")) {
        debug_help(reply);
        return;
    }
    if (args->count == 3 && debug_one(sub, args_at(args, 2), reply))
        return;
    char text[ERROR_WRONG_SUB_MAX];
    reply_error(reply, error_wrong_sub(text, args));
}

static void debug_command(struct plan *plan, const struct args *args)
{
    if (!is_allowed(plan->request->conn)) {
        plan_add_error(plan,
                       "ERR DEBUG command not allowed. Start the server with "
                       "--enable-debug-command local for loopback and Unix socket connections, or "
                       "yes for all");
        return;
    }
    struct debug *debug = calloc(1, sizeof(*debug));
    if (debug == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    debug->args = *args;
    debug->home = plan->home->id;
    if (args->count == 3)
        debug_parse(debug, args_at(args, 1), args_at(args, 2));
    plan_add_control(plan, debug_control, debug_answer, debug);
}

/* clang-format off */
const struct command debug_commands[] = {
    { .name = "debug", .arity = -2, .flags = CMD_ADMIN | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = debug_command,
      .group = "server", .since = "1.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand [arg ...]",
      .summary = "Helps to test clients; refused unless enable-debug-command allows it." },
    { 0 },
};
/* clang-format on */
