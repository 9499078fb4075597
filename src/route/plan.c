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

static void part_free(struct plan *plan, struct part *part)
{
    for (uint32_t i = 0; i < part->op_count; i++) {
        free(part->ops[i].keys);
        free(part->ops[i].spans);
        free(part->ops[i].value_copy);
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
    must(plan->phase == PLAN_RUN);
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
    part->plan->failed |= part->lost;
    if (!part->ok && part->plan->phase == PLAN_RUN) {
        /* PART_RUN_ALONE checks watches and runs in one message; in a transaction the checks were a
         * round of their own. */
        if (part->abandon)
            part->plan->aborted = true;
        else
            part->plan->failed = true;
    }
    message_back(part->plan);
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
    return part->op_from < part->op_until && op->step == plan->next_checked && op->half == HALF_PUT;
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

/* The half of the step in hand, and whose it is. */
static struct op *find_half(struct plan *plan, enum op_half half, struct part **of)
{
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL || !part_has_checked(plan, part) || part->ops[part->op_until].half != half)
            continue;
        *of = part;
        return &part->ops[part->op_until];
    }
    must(false);
    return NULL;
}

/* From where the source has left the value to the op that puts it. A large one stays where it is,
 * pinned. */
static void value_carry(struct plan *plan, struct step *step)
{
    struct part *source, *destination;
    const struct op *take = find_half(plan, HALF_TAKE, &source);
    struct op *put = find_half(plan, HALF_PUT, &destination);
    step->found = source->ok;
    if (step->refused)
        return;
    /* as move_take() has written it: type and expiry, type and size, and the text unless it is
     * pinned */
    const struct reply *reply = &source->reply;
    if (reply->no_memory) {
        step->refused = step->lost = true;
        return;
    }
    const char *at = reply->base + take->value_at;
    uint32_t size;
    memcpy(&put->expire_ms, at + 1, sizeof(put->expire_ms));
    memcpy(&size, at + 10, sizeof(size));
    if (reply->pin_count > 0 && reply->pins[reply->pin_count - 1].offset > take->value_at) {
        put->value = reply->pins[reply->pin_count - 1].text;
        return;
    }
    put->value_copy = malloc(size > 0 ? size : 1);
    if (put->value_copy == NULL) {
        step->refused = step->lost = true;
        return;
    }
    memcpy(put->value_copy, at + 14, size);
    put->value = bytes_of(put->value_copy, size);
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
    struct part *part;
    find_half(plan, HALF_PUT, &part);
    part->op_from = part->op_until++;
    part->skip_first = part->check = false;
    parts_send(plan, part_puts);
}

static void round_put_end(struct plan *plan)
{
    struct step *step = &plan->steps[plan->next_checked];
    for (uint32_t i = 0; i < plan->home->count; i++)
        if (plan->part[i] != NULL && part_puts(plan, plan->part[i]))
            step->refused = step->lost = !plan->part[i]->ok;
    checked_end(plan);
}

/* What the parts said of the step. True: there is a value to put before it ends. */
static bool round_check_end(struct plan *plan)
{
    struct step *step = &plan->steps[plan->next_checked];
    for (uint32_t i = 0; i < plan->home->count; i++)
        if (plan->part[i] != NULL && part_has_checked(plan, plan->part[i]))
            step->refused |= !plan->part[i]->ok;
    if (step->rule == STEP_MOVE) {
        value_carry(plan, step);
        if (!step->refused)
            return true;
    }
    checked_end(plan);
    return false;
}

static void round_last_begin(struct plan *plan)
{
    plan->phase = PLAN_RUN;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        struct part *part = plan->part[i];
        if (part == NULL)
            continue;
        part->phase = PART_RUN;
        part->op_until = part->op_count;
        part->release = true;
        part->abandon = plan->aborted;
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
    while (!plan->aborted && plan->next_checked < plan->step_count &&
           !plan->steps[plan->next_checked].checked)
        plan->next_checked++;
    if (plan->aborted || plan->next_checked == plan->step_count) {
        round_last_begin(plan);
    } else {
        plan->phase = PLAN_CHECK;
        round_check_begin(plan);
    }
}

static void plan_next(struct plan *plan)
{
    if (plan->phase == PLAN_RUN)
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
