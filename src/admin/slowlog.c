/*
 * slowlog.c - SLOWLOG: the slow commands of all reactors, merged by their ids.
 *
 * Each reactor keeps up to slowlog-max-len entries of its own, and SLOWLOG shows that many of all
 * together, the newest.
 */
#include "shoal/stats/slowlog.h"
#include "shoal/admin/commands.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"
#include "shoal/stats/records.h"
#include "shoal/stats/slowlog_merge.h"

#include <stdlib.h>

enum { SLOWLOG_GET_DEFAULT = 10 };

/* ---- GET ----------------------------------------------------------------- */

struct get {
    int64_t max; /* entries */
};

static void get_control(struct reactor *here, void *context, struct reply *reply)
{
    slowlog_reply(&here->records->slowlog, reply, ((const struct get *)context)->max);
}

/* The next entry of one reactor. */
struct head {
    struct bytes entry; /* its data is NULL when the reactor has no more */
    int64_t id;
};

static void head_take(struct plan *plan, uint32_t shard, struct head *head, enum proto proto)
{
    head->entry = bytes_of(NULL, 0);
    if (plan_elements(plan, shard) == 0)
        return;
    head->entry = plan_element(plan, shard);
    head->id = slowlog_entry_id(head->entry, proto);
}

static uint32_t newest(const struct head *heads, uint32_t count)
{
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++)
        if (heads[i].entry.data != NULL && (best == count || heads[i].id > heads[best].id))
            best = i;
    return best;
}

static void get_merge(struct plan *plan, void *context, struct reply *reply)
{
    struct head heads[MESH_REACTORS_MAX];
    uint32_t shards = plan->home->count, total = 0;
    int64_t max = ((const struct get *)context)->max;
    for (uint32_t i = 0; i < shards; i++) {
        total += plan_elements(plan, i);
        head_take(plan, i, &heads[i], (enum proto)reply->proto);
    }
    total = total < max ? total : (uint32_t)max;
    reply_array(reply, total);
    for (uint32_t n = 0; n < total; n++) {
        uint32_t at = newest(heads, shards);
        reply_raw(reply, heads[at].entry);
        head_take(plan, at, &heads[at], (enum proto)reply->proto);
    }
}

static void slowlog_get(struct plan *plan, const struct args *args)
{
    int64_t max = SLOWLOG_GET_DEFAULT, most = plan->home->settings->slowlog_max_len;
    char text[ERROR_WRONG_SUB_MAX];
    if (args->count > 3) {
        plan_add_error(plan, error_wrong_sub(text, args));
        return;
    }
    if (args->count == 3 && (!number_parse_i64(args_at(args, 2), &max) || max < -1)) {
        plan_add_error(plan, "ERR count should be greater than or equal to -1");
        return;
    }
    struct get *get = malloc(sizeof(*get));
    if (get == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    get->max = max == -1 || max > most ? most : max;
    plan_add_control(plan, get_control, get_merge, get);
}

/* ---- LEN, RESET ---------------------------------------------------------- */

static void len_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    reply_raw(reply, bytes_of(&here->records->slowlog.count, sizeof(here->records->slowlog.count)));
    reply_mark(reply);
}

static void len_merge(struct plan *plan, void *context, struct reply *reply)
{
    int64_t sum = 0, most = plan->home->settings->slowlog_max_len;
    (void)context;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        uint32_t count;
        memcpy(&count, plan_element(plan, i).data, sizeof(count));
        sum += count;
    }
    reply_int(reply, sum < most ? sum : most);
}

static void slowlog_len(struct plan *plan, const struct args *args)
{
    (void)args;
    plan_add_control(plan, len_control, len_merge, NULL);
}

static void reset_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    (void)reply;
    slowlog_clear(&here->records->slowlog);
}

static void slowlog_reset(struct plan *plan, const struct args *args)
{
    (void)args;
    plan_add_control(plan, reset_control, plan_answer_ok, NULL);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "get", .arity = -2, .flags = CMD_ADMIN | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = slowlog_get,
      .group = "server", .since = "2.2.12", .complexity = "O(N) where N is the number of entries returned",
      .syntax = "[count]",
      .summary = "Returns the newest entries of the slow log: 10 if no count is given, all for -1." },
    { .name = "len", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME,
      .route = ROUTE_GATHER, .gather = slowlog_len,
      .group = "server", .since = "2.2.12", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the number of entries in the slow log." },
    { .name = "reset", .arity = 2, .flags = CMD_ADMIN | CMD_ANYTIME | CMD_BARRIER,
      .route = ROUTE_GATHER, .gather = slowlog_reset,
      .group = "server", .since = "2.2.12", .complexity = "O(N) where N is the number of entries", .syntax = "",
      .summary = "Empties the slow log." },
    HELP_ROW("server", "6.2.0", CMD_ANYTIME),
    { 0 },
};

const struct command slowlog_commands[] = {
    { .name = "slowlog", .arity = -2, .subs = subs,
      .group = "server", .since = "2.2.12", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about the slow log." },
    { 0 },
};
/* clang-format on */
