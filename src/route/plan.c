/*
 * plan.c - driving a plan: its messages out, its rounds, its end.
 */
#include "shoal/route/plan.h"

#include "shoal/base/container_of.h"
#include "shoal/base/list.h"
#include "shoal/base/must.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/answer.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/request.h"
#include "shoal/mesh/call.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/router.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

static void plan_next(struct plan *plan);

/* Nothing more is to run. */
static bool plan_is_over(const struct plan *plan)
{
    return plan->aborted || plan->failed || plan->refused;
}

static void part_free(struct plan *plan, struct part *part)
{
    for (uint32_t i = 0; i < part->op_count; i++) {
        free(part->ops[i].keys);
        free(part->ops[i].spans);
        free(part->ops[i].operands);
    }
    if (part->ref != NULL)
        reply_ref_unuse(plan->home, part->ref);
    part->magic = 0;
    free(part->ops);
    free(part->names);
    free(part->watched);
    free(part);
}

void plan_free(struct plan **planp)
{
    struct plan *plan = *planp;
    *planp = NULL;
    if (plan->at_end != NULL)
        plan->at_end(plan->request->conn);
    for (uint32_t i = 0; plan->part != NULL && i < plan->home->count; i++)
        if (plan->part[i] != NULL)
            part_free(plan, plan->part[i]);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        free(plan->steps[i].key_parts);
        free(plan->steps[i].context);
    }
    free(plan->steps);
    free(plan->part);
    free(plan);
}

static void plan_end(struct plan *plan)
{
    struct reactor *home = plan->home;
    struct request *request = plan->request;
    must(plan->phase == PLAN_RUN || plan->phase == PLAN_SETTLE);
    plan->phase = PLAN_END;
    if (plan->transaction) {
        home->router->transactions--;
        counter_add(&home->stats->transactions, 1);
        struct plan *next = list_take(&home->router->wait, next_waiting);
        if (next != NULL)
            plan_start(next);
    }
    request->flags |= REQUEST_DONE;
    if (request->conn->unanswered.first == request)
        answer_advance(request->conn);
}

static void message_back(struct plan *plan)
{
    must(plan->outstanding > 0);
    if (--plan->outstanding == 0)
        plan_next(plan);
}

static void part_done(struct reactor *home, struct message *message)
{
    (void)home;
    struct part *part = part_of(message);
    struct plan *plan = part->plan;
    plan->failed |= part->lost;
    plan->refused |= part->refused;
    /* PART_RUN_ALONE checks watches and runs in one message; in a transaction the checks were a
     * round of their own. */
    if (!part->ok && plan->phase == PLAN_RUN && !part->lost && !part->refused)
        plan->aborted = true;
    message_back(plan);
}

static void parts_send(struct plan *plan, bool (*wanted)(const struct plan *, const struct part *))
{
    /* All counted before the first goes: one for ourselves may come back at once. */
    plan->outstanding++;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL || (wanted != NULL && !wanted(plan, part)))
            continue;
        plan->outstanding++;
        call_send(plan->home, &part->message);
    }
    message_back(plan);
}

/* ---- rounds of a transaction --------------------------------------------- */

/* The op of the step that is checked next, if this part has one that it has not passed. */
static bool part_has_checked(const struct plan *plan, const struct part *part)
{
    for (uint32_t i = part->op_from; i < part->op_count; i++)
        if (part->ops[i].step == plan->next_checked)
            return true;
    return false;
}

/* The round under way is the put of the step that is checked next. */
static bool part_puts(const struct plan *plan, const struct part *part)
{
    const struct op *op = &part->ops[part->op_from];
    return part->op_from < part->op_until && op->step == plan->next_checked &&
           op->half == HALF_STORE;
}

static void round_check_begin(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL || !part_has_checked(plan, part))
            continue;
        part->phase = PART_RUN;
        part->check = true;
        part->op_until = part->op_from;
        while (part->ops[part->op_until].step != plan->next_checked)
            part->op_until++;
    }
    parts_send(plan, part_has_checked);
}

/* Of the part that has arrived at the step in hand. */
static struct op *op_in_hand(const struct plan *plan, uint32_t shard)
{
    struct part *part = plan->part[shard];
    return part != NULL && part_has_checked(plan, part) ? &part->ops[part->op_until] : NULL;
}

/* What the sources have fetched becomes the operands of the destination. It stays where it is. */
static void operands_carry(struct plan *plan, const struct step *step)
{
    const struct op *store = op_in_hand(plan, step->destination);
    uint32_t first = (uint32_t)step->command->combine->first_source;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        const struct op *op = op_in_hand(plan, i);
        if (op == NULL || op->half != HALF_FETCH)
            continue;
        const struct reply *reply = &plan->part[i]->reply;
        size_t at = op->fetched_at;
        plan->failed |= reply->no_memory;
        for (uint32_t k = 0; k < op->key_count && !reply->no_memory; k++)
            at = combine_read(reply, at, &store->operands[op->keys[k] - first]);
    }
}

/* The parts go on after the step, or without it. What has been put is not put again. */
static void checked_end(struct plan *plan)
{
    struct step *step = &plan->steps[plan->next_checked];
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL || !part_has_checked(plan, part))
            continue;
        part->skip_first = step->refused && !part_puts(plan, part);
        part->op_from = part->op_until;
        part->check = false;
    }
    plan->next_checked++;
}

/* The destination alone: only when it has the value may the source let go of it. */
static void round_put_begin(struct plan *plan)
{
    struct part *part = plan->part[plan->steps[plan->next_checked].destination];
    part->op_from = part->op_until++;
    part->skip_first = part->check = false;
    parts_send(plan, part_puts);
}

/* Where nothing was stored the sources keep what they have. */
static void round_put_end(struct plan *plan)
{
    struct step *step = &plan->steps[plan->next_checked];
    const struct part *part = plan->part[step->destination];
    step->refused = !part->ops[part->op_from].stored;
    checked_end(plan);
}

/* What the parts said of the step. True: there is a value to put before it ends. */
static bool round_check_end(struct plan *plan)
{
    struct step *step = &plan->steps[plan->next_checked];
    for (uint32_t i = 0; i < plan->home->count; i++)
        if (plan->part[i] != NULL && part_has_checked(plan, plan->part[i]))
            step->refused |= !plan->part[i]->ok;
    if (step->rule == STEP_COMBINE && !plan_is_over(plan)) {
        operands_carry(plan, step);
        if (!plan_is_over(plan))
            return true;
    }
    checked_end(plan);
    return false;
}

/* The last commands run. The keys are given back with them, unless a part may still fail and have
 * all of them undone; or nothing runs any more. */
static void round_run_begin(struct plan *plan)
{
    plan->phase = PLAN_RUN;
    plan->settles &= !plan_is_over(plan);
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL)
            continue;
        part->phase = PART_RUN;
        part->op_until = part->op_count;
        part->last = true;
        part->abandon = plan_is_over(plan);
        part->release = !plan->settles;
    }
    parts_send(plan, NULL);
}

/* What has run stands, or is undone; then the keys are given back. */
static void round_settle_begin(struct plan *plan)
{
    plan->phase = PLAN_SETTLE;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL)
            continue;
        part->phase = PART_SETTLE;
        part->last = false;
        part->release = true;
        part->undo_all = plan_is_over(plan);
    }
    parts_send(plan, NULL);
}

static void round_lock_end(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->home->count; i++)
        plan->aborted |= plan->part[i] != NULL && !plan->part[i]->ok;
}

/* Ends the round that is back. True: the step in hand has a value to put before the next one. */
static bool round_end(struct plan *plan)
{
    switch ((enum plan_phase)plan->phase) {
    case PLAN_LOCK:
        round_lock_end(plan);
        return false;
    case PLAN_CHECK:
        return round_check_end(plan);
    case PLAN_PUT:
        round_put_end(plan);
        return false;
    default:
        must(false);
        return false;
    }
}

static void transaction_next(struct plan *plan)
{
    if (round_end(plan)) {
        plan->phase = PLAN_PUT;
        round_put_begin(plan);
        return;
    }
    if (plan->eager) {
        round_settle_begin(plan);
        return;
    }
    while (!plan_is_over(plan) && plan->next_checked < plan->step_count &&
           !plan->steps[plan->next_checked].checked)
        plan->next_checked++;
    if (plan_is_over(plan) || plan->next_checked == plan->step_count) {
        round_run_begin(plan);
    } else {
        plan->phase = PLAN_CHECK;
        round_check_begin(plan);
    }
}

static void plan_next(struct plan *plan)
{
    if (plan->phase == PLAN_RUN && plan->settles)
        round_settle_begin(plan);
    else if (plan->phase == PLAN_RUN || plan->phase == PLAN_SETTLE)
        plan_end(plan);
    else
        transaction_next(plan);
}

/* ---- the sequencer ------------------------------------------------------- */

/* On the sequencer: every shard's part goes out before the next transaction's. */
static void sequence_run(struct reactor *here, struct message *message)
{
    struct plan *plan = container_of(message, struct plan, sequence);
    for (uint32_t i = 0; i < here->count; i++) {
        if (plan->part[i] == NULL)
            continue;
        if (i == here->id)
            part_run(here, &plan->part[i]->message);
        else
            mesh_forward(here->port, &plan->part[i]->message);
    }
    call_answer(here, message);
}

static void sequence_done(struct reactor *home, struct message *message)
{
    (void)home;
    message_back(container_of(message, struct plan, sequence));
}

/* What a command of the part may still do when others have changed something: need memory. */
static bool part_can_fail(const struct part *part)
{
    for (uint32_t i = 0; i < part->op_count; i++) {
        const struct command *command = part->ops[i].command;
        if (command != NULL && command->flags & CMD_WRITE && command->route != ROUTE_EACH_SUM &&
            command->route != ROUTE_ALL_ATOMIC)
            return true;
    }
    return false;
}

static bool part_writes(const struct part *part)
{
    for (uint32_t i = 0; i < part->op_count; i++)
        if (part->ops[i].command != NULL && part->ops[i].command->flags & CMD_WRITE)
            return true;
    return false;
}

/* When something can fail (of an EXEC at least its reply, which is made as it runs), whatever else has changed by then is undone. Also where there is one key:
 * its change may be followed by another, or by a reply for which there is no memory. */
static void prepare_undo(struct plan *plan)
{
    bool can_fail = false;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        if (plan->part[i] == NULL)
            continue;
        can_fail |= plan->multi ? part_writes(plan->part[i]) : part_can_fail(plan->part[i]);
    }
    for (uint32_t i = 0; i < plan->home->count; i++)
        if (plan->part[i] != NULL)
            plan->part[i]->undoable = can_fail && part_writes(plan->part[i]);
    plan->settles = can_fail && plan->part_count > 1;
    plan->eager = plan->settles;
    for (uint32_t i = 0; i < plan->step_count; i++)
        plan->eager &= !plan->steps[i].checked;
}

static void transaction_start(struct plan *plan)
{
    plan->phase = PLAN_LOCK;
    plan->transaction = true;
    plan->home->router->transactions++;
    plan->outstanding = plan->part_count + 1;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL)
            continue;
        part->phase = PART_LOCK;
        part->last = plan->eager;
        part->message.urgent = true;
        part->message.from = (uint16_t)plan->home->id;
    }
    plan->sequence = (struct message){
        .run = sequence_run,
        .done = sequence_done,
        .kind = MESSAGE_CALL,
        .magic = MESSAGE_MAGIC,
        .to = SEQUENCER,
    };
    call_send(plan->home, &plan->sequence);
}

void plan_start(struct plan *plan)
{
    struct reactor *home = plan->home;
    for (uint32_t i = 0; i < home->count; i++) {
        if (plan->part[i] == NULL)
            continue;
        plan->part[i]->message.done = part_done;
        plan->part[i]->op_until = plan->part[i]->op_count;
    }
    must(plan->phase == PLAN_BUILD);
    if (plan->atomic)
        prepare_undo(plan);
    if (plan->failed || plan->part_count == 0) {
        plan->phase = PLAN_RUN;
        plan->outstanding = 1;
        message_back(plan);
    } else if (!plan->atomic || plan->part_count == 1) {
        plan->phase = PLAN_RUN;
        parts_send(plan, NULL);
    } else if (home->router->transactions == TRANSACTIONS_MAX) {
        list_add(&home->router->wait, plan, next_waiting);
    } else {
        transaction_start(plan);
    }
}
