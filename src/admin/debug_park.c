/*
 * debug_park.c - two commands of builds with assertions that try how a command waits.
 *
 *   DEBUGPARK key         waits, whatever the key is; nil where it cannot wait
 *   DEBUGWAKE key text    answers the first that waits for the key: 1, or 0 if nobody does
 */
#include "shoal/admin/commands.h"

#include "shoal/base/hash.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"
#include "shoal/shard/shard.h"

#include <stdlib.h>

static void debugpark_command(struct exec *exec)
{
    reply_nil(exec->reply);
    reply_park(exec->reply);
}

struct wake {
    struct bytes key, text;
    uint8_t db;
};

static void wake_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)reply;
    const struct wake *wake = context;
    struct reply answer;
    if (reactor_of_slot(here, hash_slot(wake->key)) != here->id)
        return;
    struct waiter_parked *waiter =
        parking_find(&here->shard->parking, NULL, hash_key(wake->key), wake->db);
    if (waiter == NULL)
        return;
    reply_init(&answer, waiter->proto, NULL, 0, NULL, 0);
    reply_begin(&answer);
    reply_str(&answer, wake->text);
    reply_end(&answer);
    parking_answer(here, waiter, &answer);
    reply_mark(reply); /* an element without bytes: one was woken */
}

static void wake_merge(struct plan *plan, void *context, struct reply *reply)
{
    (void)context;
    int64_t woken = 0;
    for (uint32_t i = 0; i < plan->home->count; i++)
        woken += plan_elements(plan, i);
    reply_int(reply, woken);
}

static void debugwake_gather(struct plan *plan, const struct args *args)
{
    struct wake *wake = malloc(sizeof(*wake));
    if (wake == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    *wake = (struct wake){ .key = args_at(args, 1),
                           .text = args_at(args, 2),
                           .db = plan->request->conn->db };
    plan_add_control(plan, wake_control, wake_merge, wake);
}

/* clang-format off */
const struct command debug_park_commands[] = {
    { .name = "debugpark", .arity = 2, .flags = CMD_READONLY | CMD_MAY_PARK | CMD_UNDOCUMENTED,
      .route = ROUTE_KEY, .shard = debugpark_command, KEYS(1, -1, 1),
      .group = "server", .since = "1.0.0", .complexity = "O(1)", .syntax = "key",
      .summary = "Waits until DEBUGWAKE answers it; in builds with assertions only." },
    { .name = "debugwake", .arity = 3, .flags = CMD_UNDOCUMENTED,
      .route = ROUTE_GATHER, .gather = debugwake_gather,
      .group = "server", .since = "1.0.0", .complexity = "O(N) where N is the number of commands that wait", .syntax = "key text",
      .summary = "Answers the first command that waits for the key; in builds with assertions only." },
    { 0 },
};
/* clang-format on */
