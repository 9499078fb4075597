/*
 * config.c - CONFIG: the settings read and changed, the counters set to zero.
 *
 * CONFIG SET runs on every reactor: the first to run it makes the change, each switches to it, and
 * only then is the client answered. So the client's next command meets the new settings on any
 * shard.
 */
#include "shoal/options/config.h"
#include "shoal/admin/commands.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/conn/conn.h"
#include "shoal/route/plan.h"
#include "shoal/server/due.h"
#include "shoal/server/loop.h"
#include "shoal/server/server.h"
#include "shoal/server/settings.h"
#include "shoal/stats/stats.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- CONFIG GET ---------------------------------------------------------- */

enum { OPTION_NAMES_MAX = 1024 }; /* options and their aliases */

struct matches {
    struct reply *pairs;
    const char *name[OPTION_NAMES_MAX]; /* those written already, which two patterns may share */
    uint32_t count;
};

static void match(void *context, const char *name, const char *value)
{
    struct matches *matches = context;
    for (uint32_t i = 0; i < matches->count; i++)
        if (strcmp(matches->name[i], name) == 0)
            return;
    if (matches->count == OPTION_NAMES_MAX)
        return;
    matches->name[matches->count++] = name;
    reply_cstr(matches->pairs, name);
    reply_cstr(matches->pairs, value);
}

static void config_get(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct reply pairs;
    struct matches matches = { .pairs = &pairs };
    reply_init(&pairs, (enum proto)reply->proto, NULL, 0, NULL, 0);
    for (uint32_t i = 2; i < args->count; i++)
        options_match(conn->reactor->settings, args_at(args, i), match, &matches);
    if (pairs.no_memory) {
        reply_error(reply, ERR_NO_MEMORY);
    } else {
        reply_map(reply, matches.count);
        reply_raw(reply, bytes_of(pairs.base, pairs.size));
    }
    reply_fini(&pairs);
}

/* ---- CONFIG SET ---------------------------------------------------------- */

struct change {
    pthread_mutex_t lock; /* the first reactor makes the change, the others wait for it */
    bool made, ok;
    uint64_t version;
    struct args args;
    char error[SETTINGS_ERROR_MAX];
};

static void set_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)reply;
    struct change *change = context;
    pthread_mutex_lock(&change->lock);
    if (!change->made)
        change->ok =
            settings_change(here->server, &change->args, 2, &change->version, change->error);
    change->made = true;
    bool ok = change->ok;
    pthread_mutex_unlock(&change->lock);
    if (ok)
        settings_use(here);
}

static void set_merge(struct plan *plan, void *context, struct reply *reply)
{
    struct change *change = context;
    if (change->ok) {
        settings_retire(plan->home->server, change->version);
        reply_ok(reply);
    } else {
        reply_error(reply, change->error);
    }
    pthread_mutex_destroy(&change->lock);
}

static void config_set(struct plan *plan, const struct args *args)
{
    if (args->count % 2 != 0) {
        plan_add_error(plan, ERR_SYNTAX);
        return;
    }
    struct change *change = calloc(1, sizeof(*change));
    if (change == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    pthread_mutex_init(&change->lock, NULL);
    change->args = *args; /* what it points at stays until the plan ends */
    plan_add_control(plan, set_control, set_merge, change);
}

/* ---- CONFIG RESETSTAT ---------------------------------------------------- */

static void resetstat_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    (void)reply;
    stats_reset(here->stats);
    keyspace_reset_stats(here->keyspace);
    here->loop->sampled_commands = here->loop->sampled_in = here->loop->sampled_out = 0;
    due_publish(here);
}

static void config_resetstat(struct plan *plan, const struct args *args)
{
    (void)args;
    plan_add_control(plan, resetstat_control, plan_answer_ok, NULL);
}

/* ---- CONFIG REWRITE ------------------------------------------------------ */

static void config_rewrite(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    if (conn->reactor->settings->config_file[0] == '\0')
        reply_error(reply, "ERR The server is running without a config file");
    else
        reply_error(reply, "ERR CONFIG REWRITE is not available: no command writes a file. "
                           "Change the config file by hand and send SIGHUP");
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "get", .arity = -3, .flags = CMD_ADMIN | CMD_ANYTIME, .home = config_get,
      .group = "server", .since = "2.0.0", .complexity = "O(N) when N is the number of configuration parameters provided",
      .syntax = "parameter [parameter ...]",
      .summary = "Returns the values of configuration parameters." },
    { .name = "set", .arity = -4, .flags = CMD_ADMIN | CMD_ANYTIME | CMD_BARRIER,
      .route = ROUTE_GATHER, .gather = config_set,
      .group = "server", .since = "2.0.0", .complexity = "O(N) when N is the number of configuration parameters provided",
      .syntax = "parameter value [parameter value ...]",
      .summary = "Changes configuration parameters, all of them or none." },
    { .name = "resetstat", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME | CMD_BARRIER,
      .route = ROUTE_GATHER, .gather = config_resetstat,
      .group = "server", .since = "2.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Sets the server's counters to zero." },
    { .name = "rewrite", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME, .home = config_rewrite,
      .group = "server", .since = "2.8.0", .complexity = "O(1)", .syntax = "",
      .summary = "Refused: no command writes a file." },
    HELP_ROW("server", "5.0.0", CMD_ANYTIME),
    { 0 },
};

const struct command config_commands[] = {
    { .name = "config", .arity = -2, .subs = subs,
      .group = "server", .since = "2.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about the configuration." },
    { 0 },
};
/* clang-format on */
