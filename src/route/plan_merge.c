/*
 * plan_merge.c - the values of several shards become the client's reply, in the command's order.
 */
#include "shoal/route/plan.h"

#include "shoal/base/clock.h"
#include "shoal/base/minmax.h"
#include "shoal/base/must.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/account.h"
#include "shoal/conn/request.h"
#include "shoal/proto/value_read.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <stdlib.h>

static const char *part_base(const struct part *part)
{
    return part->ref != NULL ? part->ref->base : part->bytes;
}

static const uint32_t *part_marks(const struct part *part)
{
    return part->ref != NULL ? part->ref->marks : part->marks_inline;
}

/* The op of the step in hand on this shard, NULL if the step does not concern it. */
static const struct op *op_in_hand(const struct plan *plan, uint32_t shard)
{
    const struct part *part = plan->part[shard];
    if (part == NULL || part->op_cursor == part->op_count)
        return NULL;
    const struct op *op = &part->ops[part->op_cursor];
    return op->step == plan->merging ? op : NULL;
}

uint32_t plan_elements(const struct plan *plan, uint32_t shard)
{
    const struct op *op = op_in_hand(plan, shard);
    return op != NULL ? op->marks - plan->part[shard]->cursor : 0;
}

struct bytes plan_element(struct plan *plan, uint32_t shard)
{
    struct part *part = plan->part[shard];
    const uint32_t *marks = part_marks(part);
    must(plan_elements(plan, shard) > 0);
    uint32_t from = part->cursor > 0 ? marks[part->cursor - 1] : 0;
    uint32_t to = marks[part->cursor++];
    return bytes_of(part_base(part) + from, to - from);
}

static void copy_with_pins(struct reactor *here, struct reply *reply, struct reply_ref *ref,
                           uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < ref->pin_count; i++) {
        const struct reply_pin *pin = &ref->pins[i];
        if (pin->offset <= from || pin->offset > to)
            continue; /* a pin stands behind its header, so never at the beginning of an element */
        reply_raw(reply, bytes_of(ref->base + from, pin->offset - from));
        reply_ref_use(ref);
        if (!reply_raw_pinned(reply, pin->text, ref))
            reply_ref_unuse(here, ref);
        from = pin->offset;
    }
    reply_raw(reply, bytes_of(ref->base + from, to - from));
}

/* Takes the next element and writes it as it is, pins included. */
static void plan_copy_element(struct plan *plan, uint32_t shard, struct reply *reply)
{
    struct reply_ref *ref = plan->part[shard]->ref;
    struct bytes element = plan_element(plan, shard);
    if (ref == NULL || ref->pin_count == 0) {
        reply_raw(reply, element);
    } else {
        uint32_t from = (uint32_t)(element.data - ref->base);
        copy_with_pins(plan->home, reply, ref, from, from + (uint32_t)element.size);
    }
}

void plan_answer_ok(struct plan *plan, void *context, struct reply *reply)
{
    (void)plan;
    (void)context;
    reply_ok(reply);
}

static void write_error(struct reply *reply, struct bytes text)
{
    reply_errorf(reply, "%.*s", (int)text.size, text.data);
}

static void merge_numbers(struct plan *plan, const struct step *step, struct reply *reply)
{
    struct bytes error = { 0 };
    int64_t sum = 0, least = INT64_MAX;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        if (plan_elements(plan, shard) == 0)
            continue;
        struct native_value value = native_read_bytes(plan_element(plan, shard));
        if (value.type == NATIVE_ERROR) {
            error = value.text;
            continue;
        }
        sum += value.integer;
        least = min(value.integer, least);
    }
    if (step->refused)
        reply_int(reply, 0);
    else if (error.size > 0)
        write_error(reply, error);
    else
        reply_int(reply, step->rule == STEP_SUM ? sum : least);
}

static void merge_ok(struct plan *plan, struct reply *reply)
{
    struct bytes error = { 0 };
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        if (plan_elements(plan, shard) == 0)
            continue;
        struct native_value value = native_read_bytes(plan_element(plan, shard));
        if (value.type == NATIVE_ERROR)
            error = value.text;
    }
    if (error.size > 0)
        write_error(reply, error);
    else
        reply_ok(reply);
}

/* RANDOMKEY: shards weigh as much as they hold. */
static void merge_pick(struct plan *plan, const struct step *step, struct reply *reply)
{
    struct bytes chosen = { 0 };
    uint64_t weight = 0;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        if (plan_elements(plan, shard) == 0)
            continue;
        struct native_value value = native_read_bytes(plan_element(plan, shard));
        if (value.type != NATIVE_TEXT)
            continue;
        uint64_t keys = stats_shard_keys(plan->home, shard, step->db) + 1;
        weight += keys;
        if (chosen.data == NULL || random_next(&plan->home->random) % weight < keys)
            chosen = value.text;
    }
    if (chosen.data == NULL)
        reply_nil(reply);
    else
        reply_str(reply, chosen);
}

static void merge_concat(struct plan *plan, struct reply *reply)
{
    uint32_t count = 0;
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        count += plan_elements(plan, shard);
    reply_array(reply, count);
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        while (plan_elements(plan, shard) > 0)
            plan_copy_element(plan, shard, reply);
}

static void merge_one(struct plan *plan, struct reply *reply)
{
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        if (plan_elements(plan, shard) > 0)
            plan_copy_element(plan, shard, reply);
}

static void merge_home(struct plan *plan, struct step *step, struct reply *reply)
{
    uint64_t start = clock_ticks();
    step->command->home(plan->request->conn, &step->args, reply);
    account_command(plan->request->conn, step->command, &step->args, ticks_since(start));
}

/* What its shards took for a step, together. A MULTI's commands are counted one by one. */
static void account_step(struct plan *plan, const struct step *step)
{
    uint64_t ticks = 0;
    if (step->command == NULL || step->rule == STEP_HOME)
        return;
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        if (op_in_hand(plan, shard) != NULL)
            ticks += op_in_hand(plan, shard)->ticks;
    if (plan->multi)
        account_command(plan->request->conn, step->command, &step->args, ticks);
    else
        account_request(plan->request, ticks);
}

static void merge_step(struct plan *plan, struct step *step, struct reply *reply)
{
    switch ((enum step_rule)step->rule) {
    case STEP_ONE:
        merge_one(plan, reply);
        break;
    case STEP_SUM:
    case STEP_MIN:
        merge_numbers(plan, step, reply);
        break;
    case STEP_KEYS:
        reply_array(reply, step->key_count);
        for (uint32_t i = 0; i < step->key_count; i++)
            plan_copy_element(plan, step->key_parts[i], reply);
        break;
    case STEP_CONCAT:
        merge_concat(plan, reply);
        break;
    case STEP_OK:
        merge_ok(plan, reply);
        break;
    case STEP_PICK:
        merge_pick(plan, step, reply);
        break;
    case STEP_HOME:
        merge_home(plan, step, reply);
        break;
    case STEP_COMBINE:
        plan_copy_element(plan, step->destination, reply);
        break;
    case STEP_CROSS:
        reply_error(reply, ERR_CROSS_SLOT);
        break;
    case STEP_ERROR:
        reply_error(reply, step->context != NULL ? step->context : ERR_NO_MEMORY);
        break;
    case STEP_CUSTOM:
        step->merge(plan, step->context, reply);
        break;
    }
}

/* The code of the error that a step is answered with, written here or by a shard; NULL: none. */
static const char *step_error(const struct plan *plan, const struct reply *reply, uint32_t before)
{
    if (reply->errors > before)
        return reply->error_code;
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        if (op_in_hand(plan, shard) != NULL && op_in_hand(plan, shard)->error_code[0] != '\0')
            return op_in_hand(plan, shard)->error_code;
    return NULL;
}

/* An error of a command that MULTI had queued is that command's, and none of EXEC. */
static void account_error(struct plan *plan, const struct step *step, struct reply *reply,
                          uint32_t before)
{
    const char *code = step_error(plan, reply, before);
    if (likely(code == NULL))
        return;
    if (plan->multi)
        account_command_failure(plan->request->conn, step->command, code);
    else
        account_failure(plan->request, code);
    reply->errors = before;
}

void plan_compose(struct plan *plan, struct reply *reply)
{
    must(plan->phase == PLAN_END);
    if (plan->failed || plan->refused) {
        reply_errorf(reply, "%s%s", plan->multi ? ERR_EXEC_ABORTED : "",
                     plan->refused ? ERR_OOM : ERR_NO_MEMORY);
        return;
    }
    if (plan->aborted) {
        reply_nil_array(reply);
        return;
    }
    if (plan->multi)
        reply_array(reply, plan->step_count);
    for (plan->merging = 0; plan->merging < plan->step_count; plan->merging++) {
        struct step *step = &plan->steps[plan->merging];
        uint32_t errors = reply->errors;
        account_step(plan, step);
        merge_step(plan, step, reply);
        account_error(plan, step, reply, errors);
        for (uint32_t shard = 0; shard < plan->home->count; shard++) {
            struct part *part = plan->part[shard];
            if (op_in_hand(plan, shard) != NULL)
                part->cursor = part->ops[part->op_cursor++].marks;
        }
    }
}
