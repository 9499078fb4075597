/*
 * plan_build.c - a command's keys to shards: the steps and ops of a plan.
 */
#include "shoal/route/plan.h"

#include "shoal/base/hash.h"
#include "shoal/cmd/generic/cursor.h"
#include "shoal/cmd/registry.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/request.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/key_queues.h"

#include <stdlib.h>

static uint32_t key_shard(const struct reactor *reactor, struct bytes key)
{
    return reactor->count == 1 ? 0 : reactor_of_slot(reactor, hash_slot(key));
}

int command_shard(const struct reactor *reactor, const struct command *command,
                  const struct args *args, uint64_t *hash)
{
    uint32_t i = command_key_first(command, args);
    if (i == 0)
        return (int)reactor->id;
    *hash = hash_key(args_at(args, i));
    uint32_t shard = key_shard(reactor, args_at(args, i));
    while (reactor->count > 1 && (i = command_key_next(command, args, i)) != 0)
        if (key_shard(reactor, args_at(args, i)) != shard)
            return -1;
    return (int)shard;
}

bool command_is_global(const struct reactor *reactor, const struct command *command,
                       const struct args *args)
{
    uint64_t hash;
    if (reactor->count == 1)
        return false;
    switch (command->route) {
    case ROUTE_ALL_ATOMIC:
        return true;
    case ROUTE_ATOMIC:
    case ROUTE_COMBINE:
        return command_shard(reactor, command, args, &hash) < 0;
    case ROUTE_EACH_SUM:
    case ROUTE_EACH_ARRAY:
        return reactor->settings->strict_mget && command_shard(reactor, command, args, &hash) < 0;
    default:
        return false;
    }
}

struct plan *plan_new(struct request *request)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return NULL;
    plan->request = request;
    plan->home = request->conn->reactor;
    plan->part = calloc(plan->home->count, sizeof(*plan->part));
    if (plan->part == NULL) {
        free(plan);
        return NULL;
    }
    return plan;
}

/* Makes room for one more element of `size` bytes behind `count`; NULL, and the plan has failed,
 * when memory is out. */
static void *grow(struct plan *plan, void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    uint32_t larger = *capacity > 0 ? *capacity * 2 : 4;
    void *grown = realloc(array, larger * size);
    if (grown == NULL)
        plan->failed = true;
    else
        *capacity = larger;
    return grown;
}

static struct part *part_at(struct plan *plan, uint32_t shard)
{
    if (plan->part[shard] != NULL)
        return plan->part[shard];
    struct part *part = calloc(1, sizeof(*part));
    if (part == NULL) {
        plan->failed = true;
        return NULL;
    }
    part->message = (struct message){
        .run = part_run, .kind = MESSAGE_CALL, .magic = MESSAGE_MAGIC, .to = (uint16_t)shard
    };
    part->magic = PART_MAGIC;
    part->plan = plan;
    part->caller = plan->request->conn;
    part->proto = plan->request->proto;
    plan->part[shard] = part;
    plan->part_count++;
    return part;
}

static struct step *step_add(struct plan *plan, enum step_rule rule, const struct command *command,
                             const struct args *args, uint8_t db)
{
    struct step *steps =
        grow(plan, plan->steps, plan->step_count, &plan->step_capacity, sizeof(*steps));
    if (steps == NULL)
        return NULL;
    plan->steps = steps;
    struct step *step = &steps[plan->step_count++];
    *step = (struct step){ .command = command, .rule = (uint8_t)rule, .db = db };
    if (args != NULL)
        step->args = *args;
    return step;
}

/* A new op of the last step on `shard`; NULL when memory is out. */
static struct op *op_add(struct plan *plan, uint32_t shard)
{
    struct part *part = part_at(plan, shard);
    if (part == NULL)
        return NULL;
    struct op *ops = grow(plan, part->ops, part->op_count, &part->op_capacity, sizeof(*ops));
    if (ops == NULL)
        return NULL;
    part->ops = ops;
    const struct step *step = &plan->steps[plan->step_count - 1];
    struct op *op = &ops[part->op_count++];
    *op = (struct op){
        .command = step->command,
        .args = step->args,
        .db = step->db,
        .step = plan->step_count - 1,
        .native = step->rule == STEP_SUM || step->rule == STEP_MIN || step->rule == STEP_OK ||
                  step->rule == STEP_PICK,
    };
    return op;
}

/* The op that the last step already has on this shard, or a new one. */
static struct op *op_of(struct plan *plan, uint32_t shard)
{
    struct part *part = plan->part[shard];
    if (part != NULL && part->op_count > 0 &&
        part->ops[part->op_count - 1].step == plan->step_count - 1)
        return &part->ops[part->op_count - 1];
    return op_add(plan, shard);
}

static void name_add(struct plan *plan, uint32_t shard, uint64_t hash)
{
    struct part *part = plan->part[shard];
    uint64_t *names =
        grow(plan, part->names, part->name_count, &part->name_capacity, sizeof(*names));
    if (names == NULL)
        return;
    part->names = names;
    names[part->name_count++] = key_queues_name(hash);
}

static void names_add_all(struct plan *plan, uint32_t shard, const struct step *step)
{
    for (uint32_t i = command_key_first(step->command, &step->args); i != 0;
         i = command_key_next(step->command, &step->args, i))
        name_add(plan, shard, hash_key(args_at(&step->args, i)));
}

static void add_whole(struct plan *plan, uint32_t shard, uint64_t hash, bool lock_all)
{
    struct op *op = op_add(plan, shard);
    if (op == NULL)
        return;
    op->hash = hash;
    plan->part[shard]->lock_all |= lock_all;
    names_add_all(plan, shard, &plan->steps[plan->step_count - 1]);
}

static void add_everywhere(struct plan *plan, bool lock_all)
{
    for (uint32_t shard = 0; shard < plan->home->count; shard++)
        add_whole(plan, shard, 0, lock_all);
}

/* DEL, MGET: each shard gets the list of its keys' arguments. */
static void add_each(struct plan *plan, struct step *step)
{
    uint32_t count = step->args.count;
    step->key_parts = calloc(count, sizeof(*step->key_parts));
    plan->failed |= step->key_parts == NULL;
    for (uint32_t i = command_key_first(step->command, &step->args); i != 0 && !plan->failed;
         i = command_key_next(step->command, &step->args, i)) {
        struct bytes key = args_at(&step->args, i);
        uint32_t shard = key_shard(plan->home, key);
        struct op *op = op_of(plan, shard);
        if (op == NULL)
            return;
        if (op->keys == NULL)
            op->keys = malloc(count * sizeof(*op->keys));
        if (op->keys == NULL) {
            plan->failed = true;
            return;
        }
        op->keys[op->key_count++] = i;
        step->key_parts[step->key_count++] = shard;
        name_add(plan, shard, hash_key(key));
    }
}

/* MSET over several shards: each gets an argument list of its own, the name and its keys with what
 * follows them. */
static void add_split(struct plan *plan, struct step *step)
{
    const struct command *command = step->command;
    uint32_t count = step->args.count;
    for (uint32_t i = command_key_first(command, &step->args); i != 0 && !plan->failed;
         i = command_key_next(command, &step->args, i)) {
        struct bytes key = args_at(&step->args, i);
        uint32_t shard = key_shard(plan->home, key);
        struct op *op = op_of(plan, shard);
        if (op == NULL)
            return;
        if (op->spans == NULL) {
            op->spans = malloc(count * sizeof(*op->spans));
            if (op->spans == NULL) {
                plan->failed = true;
                return;
            }
            op->spans[0] = step->args.v[0];
            op->args.v = op->spans;
            op->args.count = 1;
            op->hash = hash_key(key);
            op->checked = step->checked;
        }
        for (uint32_t k = i; k < i + (uint32_t)command->step && k < count; k++)
            op->spans[op->args.count++] = step->args.v[k];
        name_add(plan, shard, hash_key(key));
    }
}

/* The destination's op; false when memory is out. */
static bool add_store(struct plan *plan, const struct step *step)
{
    const struct combine *combine = step->command->combine;
    struct op *op = op_add(plan, step->destination);
    if (op == NULL)
        return false;
    op->half = HALF_STORE;
    op->checked = true;
    op->hash = hash_key(args_at(&step->args, (uint32_t)step->command->first_key));
    op->operand_count = combine_count(combine, &step->args);
    op->operands = calloc(op->operand_count, sizeof(*op->operands));
    name_add(plan, step->destination, hash_key(args_at(&step->args, combine->destination)));
    return op->operands != NULL;
}

/* A source: its shard fetches it, unless it is the destination's own. */
static bool add_source(struct plan *plan, const struct step *step, uint32_t index)
{
    struct bytes key = args_at(&step->args, index);
    uint32_t shard = key_shard(plan->home, key);
    if (shard == step->destination) {
        name_add(plan, shard, hash_key(key));
        return true;
    }
    struct op *op = op_of(plan, shard);
    if (op != NULL && op->keys == NULL)
        op->keys = malloc(step->args.count * sizeof(*op->keys));
    if (op == NULL || op->keys == NULL)
        return false;
    op->half = HALF_FETCH;
    op->checked = true;
    op->keys[op->key_count++] = index;
    name_add(plan, shard, hash_key(key));
    return true;
}

/* BITOP over several shards; bad arguments are refused by the handler, on the first key's. */
static void add_combine(struct plan *plan, const struct command *command, const struct args *args,
                        uint8_t db)
{
    const struct combine *combine = command->combine;
    struct bytes first = args_at(args, (uint32_t)command->first_key);
    bool good =
        combine->good == NULL || combine->good(command, args, db, &plan->home->keyspace->limits);
    struct step *step = step_add(plan, good ? STEP_COMBINE : STEP_ONE, command, args, db);
    if (step == NULL)
        return;
    if (!good) {
        add_whole(plan, key_shard(plan->home, first), hash_key(first), false);
        return;
    }
    step->checked = true;
    step->destination = key_shard(plan->home, args_at(args, combine->destination));
    bool added = add_store(plan, step);
    uint32_t from = (uint32_t)combine->first_source, count = combine_count(combine, args);
    for (uint32_t i = 0; i < count && added; i++)
        added = add_source(plan, step, from + i);
    plan->failed |= !added;
}

static void add_atomic(struct plan *plan, const struct command *command, const struct args *args,
                       uint8_t db)
{
    uint64_t hash = 0;
    int shard = command_shard(plan->home, command, args, &hash);
    if (shard < 0 && command->combine != NULL) {
        add_combine(plan, command, args, db);
        return;
    }
    bool checked = shard < 0 && command->check != NULL;
    enum step_rule rule = shard >= 0 ? STEP_ONE : checked ? STEP_MIN : STEP_OK;
    struct step *step = step_add(plan, rule, command, args, db);
    if (step == NULL)
        return;
    step->checked = checked;
    if (shard >= 0)
        add_whole(plan, (uint32_t)shard, hash, false);
    else
        add_split(plan, step);
}

static void add_keyed(struct plan *plan, const struct command *command, const struct args *args,
                      uint8_t db)
{
    uint64_t hash = 0;
    int shard = command_shard(plan->home, command, args, &hash);
    if (step_add(plan, shard >= 0 ? STEP_ONE : STEP_CROSS, command, args, db) != NULL && shard >= 0)
        add_whole(plan, (uint32_t)shard, hash, false);
}

static void add_cursor(struct plan *plan, const struct command *command, const struct args *args,
                       uint8_t db)
{
    uint64_t cursor = 0;
    cursor_parse(args_at(args, 1), &cursor); /* a bad one is the handler's to refuse */
    if (step_add(plan, STEP_ONE, command, args, db) != NULL)
        add_whole(plan, cursor_shard(cursor, plan->home->count), 0, plan->atomic);
}

static void add_gather(struct plan *plan, const struct command *command, const struct args *args)
{
    uint32_t first = plan->step_count;
    command->gather(plan, args);
    for (uint32_t i = first; i < plan->step_count; i++) { /* to be counted by */
        plan->steps[i].command = command;
        plan->steps[i].args = *args;
    }
}

void plan_add(struct plan *plan, const struct command *command, const struct args *args, uint8_t db)
{
    struct step *step;
    switch (command->route) {
    case ROUTE_HOME:
        step_add(plan, STEP_HOME, command, args, db);
        break;
    case ROUTE_EACH_SUM:
    case ROUTE_EACH_ARRAY:
        step = step_add(plan, command->route == ROUTE_EACH_SUM ? STEP_SUM : STEP_KEYS, command,
                        args, db);
        if (step != NULL)
            add_each(plan, step);
        break;
    case ROUTE_ATOMIC:
    case ROUTE_COMBINE:
        add_atomic(plan, command, args, db);
        break;
    case ROUTE_ALL_SUM:
        if (step_add(plan, STEP_SUM, command, args, db) != NULL)
            add_everywhere(plan, plan->atomic);
        break;
    case ROUTE_ALL_ARRAY:
        if (step_add(plan, STEP_CONCAT, command, args, db) != NULL)
            add_everywhere(plan, plan->atomic);
        break;
    case ROUTE_ALL_ATOMIC:
        if (step_add(plan, STEP_OK, command, args, db) != NULL)
            add_everywhere(plan, true);
        break;
    case ROUTE_ANY:
        if (step_add(plan, STEP_PICK, command, args, db) != NULL)
            add_everywhere(plan, plan->atomic);
        break;
    case ROUTE_GATHER:
        add_gather(plan, command, args);
        break;
    case ROUTE_CURSOR:
        add_cursor(plan, command, args, db);
        break;
    default:
        add_keyed(plan, command, args, db);
    }
}

void plan_add_control(struct plan *plan, control_fn control, merge_fn merge, void *context)
{
    struct step *step = step_add(plan, STEP_CUSTOM, NULL, NULL, 0);
    if (step == NULL) {
        free(context);
        return;
    }
    step->merge = merge;
    step->context = context;
    for (uint32_t shard = 0; shard < plan->home->count; shard++) {
        struct op *op = op_add(plan, shard);
        if (op == NULL)
            return;
        op->control = control;
        op->context = context;
    }
}

void plan_add_error(struct plan *plan, const char *text)
{
    struct step *step = step_add(plan, STEP_ERROR, NULL, NULL, 0);
    if (step != NULL)
        step->context = strdup(text);
}

void plan_add_watch(struct plan *plan, struct watched_key *key)
{
    struct part *part = part_at(plan, key->shard);
    if (part == NULL)
        return;
    struct watched_key **watched =
        realloc(part->watched, (part->watched_count + 1) * sizeof(*watched));
    if (watched == NULL) {
        plan->failed = true;
        return;
    }
    part->watched = watched;
    watched[part->watched_count++] = key;
    name_add(plan, key->shard, key->hash);
}
