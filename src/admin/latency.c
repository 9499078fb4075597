/*
 * latency.c - LATENCY: how long commands took, from the histograms that every reactor
 * keeps, and the single events above latency-monitor-threshold, from all reactors together.
 */
#include "shoal/admin/commands.h"
#include "shoal/admin/info/commandstats.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/conn.h"
#include "shoal/route/plan.h"
#include "shoal/server/server.h"
#include "shoal/stats/latency_events.h"
#include "shoal/stats/latency_histogram.h"
#include "shoal/stats/records.h"

#include <stdlib.h>

/* ---- HISTOGRAM ----------------------------------------------------------- */

static bool has_run(const struct reactor *here, uint32_t id)
{
    for (uint32_t i = 0; i < here->count; i++)
        if (counter_get(&here->peer[i]->stats->command[id].calls) > 0)
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

/* ---- LATEST -------------------------------------------------------------- */

/* A reactor answers with the structs as they are in memory, since they do not leave the process. */
static void latest_control(struct reactor *here, void *context, struct reply *reply)
{
    struct latency_summary summaries[LATENCY_EVENTS];
    (void)context;
    for (int i = 0; i < LATENCY_EVENTS; i++)
        summaries[i] = latency_summary_of(&here->records->events.series[i]);
    reply_raw(reply, bytes_of(summaries, sizeof(summaries)));
    reply_mark(reply);
}

static uint32_t happened(const struct latency_summary summaries[LATENCY_EVENTS])
{
    uint32_t count = 0;
    for (int i = 0; i < LATENCY_EVENTS; i++)
        count += summaries[i].latest.unix_s != 0;
    return count;
}

static void latest_merge(struct plan *plan, void *context, struct reply *reply)
{
    struct latency_summary all[LATENCY_EVENTS] = { 0 }, one[LATENCY_EVENTS];
    (void)context;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        memcpy(one, plan_element(plan, shard).data, sizeof(one));
        for (int i = 0; i < LATENCY_EVENTS; i++)
            latency_summary_merge(&all[i], &one[i]);
    }
    reply_array(reply, happened(all));
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        if (all[i].latest.unix_s == 0)
            continue;
        reply_array(reply, 4);
        reply_cstr(reply, latency_event_name((enum latency_event)i));
        reply_int(reply, all[i].latest.unix_s);
        reply_int(reply, all[i].latest.ms);
        reply_int(reply, all[i].max_ms);
    }
}

static void latency_latest(struct plan *plan, const struct args *args)
{
    (void)args;
    plan_add_control(plan, latest_control, latest_merge, NULL);
}

/* ---- HISTORY, RESET ------------------------------------------------------ */

/* The set of events that a command is about, one bit each. */
struct chosen {
    uint32_t events;
};

static struct chosen *chosen_new(struct plan *plan, const struct args *args)
{
    struct chosen *chosen = malloc(sizeof(*chosen));
    if (chosen == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return NULL;
    }
    chosen->events = args->count == 2 ? (1u << LATENCY_EVENTS) - 1 : 0;
    for (uint32_t i = 2; i < args->count; i++) {
        int event = latency_event_find(args_at(args, i));
        if (event >= 0)
            chosen->events |= 1u << event;
    }
    return chosen;
}

static void history_control(struct reactor *here, void *context, struct reply *reply)
{
    uint32_t events = ((const struct chosen *)context)->events;
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_series *series = &here->records->events.series[i];
        if (!(events & 1u << i) || series->count == 0)
            continue;
        reply_raw(reply, bytes_of(series, sizeof(*series)));
        reply_mark(reply);
    }
}

static void history_merge(struct plan *plan, void *context, struct reply *reply)
{
    struct latency_series all = { 0 }, one;
    (void)context;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        if (plan_elements(plan, shard) == 0)
            continue;
        memcpy(&one, plan_element(plan, shard).data, sizeof(one));
        latency_series_merge(&all, &one);
    }
    reply_array(reply, all.count);
    for (uint32_t i = 0; i < all.count; i++) {
        reply_array(reply, 2);
        reply_int(reply, all.sample[i].unix_s);
        reply_int(reply, all.sample[i].ms);
    }
}

static void latency_history(struct plan *plan, const struct args *args)
{
    struct chosen *chosen = chosen_new(plan, args);
    if (chosen != NULL)
        plan_add_control(plan, history_control, history_merge, chosen);
}

/* A reactor answers with the set of events that it had samples of. */
static void reset_control(struct reactor *here, void *context, struct reply *reply)
{
    uint32_t events = ((const struct chosen *)context)->events, forgotten = 0;
    for (int i = 0; i < LATENCY_EVENTS; i++)
        if (events & 1u << i && latency_forget(&here->records->events, (enum latency_event)i))
            forgotten |= 1u << i;
    reply_raw(reply, bytes_of(&forgotten, sizeof(forgotten)));
    reply_mark(reply);
}

static void reset_merge(struct plan *plan, void *context, struct reply *reply)
{
    uint32_t all = 0, one;
    (void)context;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        memcpy(&one, plan_element(plan, shard).data, sizeof(one));
        all |= one;
    }
    reply_int(reply, __builtin_popcount(all));
}

static void latency_reset(struct plan *plan, const struct args *args)
{
    struct chosen *chosen = chosen_new(plan, args);
    if (chosen != NULL)
        plan_add_control(plan, reset_control, reset_merge, chosen);
}

/* ---- DOCTOR -------------------------------------------------------------- */

static void latency_doctor(struct conn *conn, const struct args *args, struct reply *reply)
{
    static const char off[] =
        "Single events are not recorded: latency-monitor-threshold is 0. Set it to the "
        "milliseconds that are too long for you: CONFIG SET latency-monitor-threshold 100. ";
    static const char where[] =
        "LATENCY LATEST and HISTORY tell when something took too long, SLOWLOG GET which commands "
        "did, LATENCY HISTOGRAM and INFO latencystats how long each command takes.\n";
    char text[sizeof(off) + sizeof(where)];
    (void)args;
    strcpy(text, conn->reactor->settings->latency_threshold_ms == 0 ? off : "");
    strcat(text, where);
    reply_verbatim(reply, bytes_str(text), "txt");
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "doctor", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME, .home = latency_doctor,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Says where to look for latency." },
    { .name = "histogram", .arity = -2, .flags = CMD_ADMIN | CMD_ANYTIME, .home = latency_histogram,
      .group = "server", .since = "7.0.0", .complexity = "O(N) where N is the number of commands asked for",
      .syntax = "[command ...]",
      .summary = "Returns how many runs of each command took at most so many microseconds." },
    { .name = "history", .arity = 3, .flags = CMD_ADMIN | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = latency_history,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "event",
      .summary = "Returns times and durations of an event, oldest first." },
    { .name = "latest", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = latency_latest,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the last and the longest of each event that has happened." },
    { .name = "reset", .arity = -2, .flags = CMD_ADMIN | CMD_ANYTIME | CMD_BARRIER,
      .route = ROUTE_GATHER, .gather = latency_reset,
      .group = "server", .since = "2.8.13", .complexity = "O(1)", .syntax = "[event ...]",
      .summary = "Forgets events and returns how many had happened." },
    HELP_ROW("server", "2.8.13", CMD_ANYTIME),
    { 0 },
};

const struct command latency_commands[] = {
    { .name = "latency", .arity = -2, .subs = subs,
      .group = "server", .since = "2.8.13", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about latency." },
    { 0 },
};
/* clang-format on */
