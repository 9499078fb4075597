/*
 * commands_latency.c - LATENCY: how long commands took, from the histograms that every reactor
 * keeps.
 *
 * Single events above latency-monitor-threshold are not recorded; what asks for them finds none.
 */
#include "shoal/cmd/registry.h"
#include "shoal/server/commands.h"
#include "shoal/server/help.h"
#include "shoal/server/info.h"
#include "shoal/server/latency_figures.h"
#include "shoal/server/server.h"

/* ---- HISTOGRAM ---------------------------------------------------------------------------------
 */

static bool has_run(const struct reactor *here, uint32_t id)
{
    for (uint32_t i = 0; i < here->count; i++)
        if (counter_get(&here->server->reactor[i].stats->command[id].calls) > 0)
            return true;
    return false;
}

/* A container's name asks for all its sub-commands. */
static bool is_named(const struct command *command, struct bytes name)
{
    const char *bar = strchr(command->full_name, '|');
    size_t size = bar != NULL ? (size_t)(bar - command->full_name) : strlen(command->full_name);
    if (bytes_is(name, command->full_name))
        return true;
    return bar != NULL && name.size == size && registry_find(name) != NULL &&
           memcmp(registry_find(name)->full_name, command->full_name, size) == 0;
}

static bool is_wanted(const struct reactor *here, uint32_t id, const struct args *args)
{
    bool named = args->count == 2;
    for (uint32_t i = 2; i < args->count && !named; i++)
        named = is_named(registry_at(id), args_at(args, i));
    return named && has_run(here, id);
}

static void reply_histogram(struct reply *reply, const struct command_figures *figures)
{
    uint64_t at_most[LATENCY_POWERS];
    uint32_t steps = 0;
    latency_cumulate(figures->latency, at_most);
    for (uint32_t p = 0; p < LATENCY_POWERS; p++)
        steps += at_most[p] > (p > 0 ? at_most[p - 1] : 0);
    reply_map(reply, 2);
    reply_cstr(reply, "calls");
    reply_int(reply, (int64_t)figures->calls);
    reply_cstr(reply, "histogram_usec");
    reply_map(reply, steps);
    for (uint32_t p = 0; p < LATENCY_POWERS; p++) {
        if (at_most[p] > (p > 0 ? at_most[p - 1] : 0)) {
            reply_int(reply, (int64_t)1 << p);
            reply_int(reply, (int64_t)at_most[p]);
        }
    }
}

static void latency_histogram(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct reactor *here = conn->reactor;
    uint16_t wanted[REGISTRY_COMMANDS_MAX];
    uint32_t count = 0;
    for (uint32_t id = 0; id < registry_count(); id++)
        if (here->settings->latency_tracking && is_wanted(here, id, args))
            wanted[count++] = (uint16_t)id;
    reply_map(reply, count);
    for (uint32_t i = 0; i < count; i++) {
        struct command_figures figures;
        command_figures_read(here, wanted[i], &figures);
        reply_cstr(reply, registry_at(wanted[i])->full_name);
        reply_histogram(reply, &figures);
    }
}

/* ---- events ------------------------------------------------------------------------------------
 */

static void latency_none(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_array(reply, 0);
}

static void latency_reset(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_int(reply, 0);
}

static void latency_doctor(struct conn *conn, const struct args *args, struct reply *reply)
{
    static const char text[] =
        "Single latency events are not recorded by this server. LATENCY HISTOGRAM and INFO "
        "latencystats tell how long commands take, SLOWLOG GET which were slow.\n";
    (void)conn;
    (void)args;
    reply_verbatim(reply, bytes_str(text), "txt");
}

static void latency_help(struct conn *conn, const struct args *args, struct reply *reply)
{
    static const char *const lines[] = {
        "LATENCY <subcommand> [<arg> ...]. Subcommands are:",
        "DOCTOR",
        "    Where to look for latency.",
        "HISTOGRAM [<command> ...]",
        "    How many runs of each command took at most so many microseconds.",
        "HISTORY <event>",
        "    Always empty: single events are not recorded.",
        "LATEST",
        "    Always empty, likewise.",
        "RESET [<event> ...]",
        "    Always 0, likewise.",
        "HELP",
        "    This text.",
        NULL,
    };
    (void)conn;
    (void)args;
    reply_help(reply, lines);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "doctor", .arity = 2, .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE, .home = latency_doctor,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Says where to look for latency." },
    { .name = "histogram", .arity = -2, .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE, .home = latency_histogram,
      .group = "server", .since = "7.0.0", .complexity = "O(N) where N is the number of commands asked for",
      .syntax = "[command ...]",
      .summary = "Returns how many runs of each command took at most so many microseconds." },
    { .name = "history", .arity = 3, .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE, .home = latency_none,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "event",
      .summary = "Returns an empty list: single events are not recorded." },
    { .name = "latest", .arity = 2, .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE, .home = latency_none,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Returns an empty list: single events are not recorded." },
    { .name = "reset", .arity = -2, .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE, .home = latency_reset,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "[event ...]",
      .summary = "Returns 0: single events are not recorded." },
    { .name = "help", .arity = 2, .flags = CMD_LOADING | CMD_STALE, .home = latency_help,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Describes the sub-commands." },
    { 0 },
};

const struct command latency_commands[] = {
    { .name = "latency", .arity = -2, .subs = subs,
      .group = "server", .since = "2.8.13", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about latency." },
    { 0 },
};
/* clang-format on */
