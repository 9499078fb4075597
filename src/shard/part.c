/*
 * part.c - what one shard does for a plan: take its keys, check, run its commands in order, answer.
 */
#include "shoal/shard/part.h"

#include "shoal/base/clock.h"
#include "shoal/cmd/errors.h"
#include "shoal/mesh/call.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/batcher.h"
#include "shoal/shard/key_queues.h"
#include "shoal/shard/shard.h"
#include "shoal/store/keyspace/undo.h"

#include <stdlib.h>

/* One that could not be registered may have changed unseen. */
static bool watches_hold(struct reactor *here, struct part *part)
{
    for (uint32_t i = 0; i < part->watched_count; i++) {
        struct watched_key *watched = part->watched[i];
        struct key key = { bytes_of(watched->name, watched->size), watched->hash, watched->db };
        if (!watched->registered || keyspace_watch_changed(here->keyspace, key, watched->mark))
            return false;
    }
    return true;
}

static void exec_init(struct exec *exec, struct reactor *here, const struct op *op,
                      struct reply *reply)
{
    *exec = (struct exec){
        .keyspace = here->keyspace,
        .reply = reply,
        .command = op->command,
        .args = op->args,
        .hash = op->hash,
        .db = op->db,
    };
}

/* The values stay in the part's reply until the shard of the destination has used them. */
static void fetch(struct exec *exec, struct op *op)
{
    op->fetched_at = exec->reply->size;
    for (uint32_t i = 0; i < op->key_count; i++)
        combine_fetch(exec, op->keys[i]);
    reply_mark(exec->reply);
}

/* The first op's check, when the round before ended at it. */
static bool check_passes(struct reactor *here, struct part *part, struct op *op)
{
    struct exec exec;
    exec_init(&exec, here, op, &part->reply);
    if (op->half == HALF_NONE)
        return op->command->check(&exec);
    if (op->half == HALF_FETCH)
        fetch(&exec, op);
    return true;
}

static void run_keys(struct reactor *here, const struct op *op, struct reply *reply)
{
    struct exec exec;
    exec_init(&exec, here, op, reply);
    int64_t sum = 0;
    for (uint32_t i = 0; i < op->key_count; i++) {
        exec.hash = exec_key_at(&exec, op->keys[i]).hash;
        sum += op->command->each(&exec, op->keys[i]);
        if (op->command->route == ROUTE_EACH_ARRAY)
            reply_mark(reply);
    }
    if (op->command->route == ROUTE_EACH_SUM) {
        reply_int(reply, sum);
        reply_mark(reply);
    }
}

/* A command has met the end of memory, or of the shard's room. */
static void fail(struct reactor *here, struct part *part)
{
    part->ok = false;
    part->refused = here->keyspace->over_limit;
    part->lost = !part->refused;
}

static void half_run(struct reactor *here, struct part *part, struct op *op)
{
    struct exec exec;
    exec_init(&exec, here, op, &part->reply);
    if (op->half == HALF_STORE) {
        op->stored = combine_store(&exec, op->operands, op->operand_count);
        reply_mark(&part->reply);
        return;
    }
    for (uint32_t i = 0; i < op->key_count; i++)
        combine_drop(&exec, op->keys[i]);
}

static void op_run(struct reactor *here, struct part *part, struct op *op)
{
    struct reply *reply = &part->reply;
    uint8_t proto = reply->proto;
    uint32_t errors = reply->errors;
    uint64_t start = clock_ticks();
    if (op->native)
        reply->proto = PROTO_NATIVE; /* type byte and eight bytes: easy to add up */
    if (op->half != HALF_NONE) {
        half_run(here, part, op);
    } else if (op->control != NULL) {
        op->control(here, op->context, reply);
    } else if (op->keys != NULL) {
        run_keys(here, op, reply);
    } else {
        struct exec exec;
        exec_init(&exec, here, op, reply);
        exec_run_reserved(&exec);
        if (op->command->route != ROUTE_ALL_ARRAY)
            reply_mark(reply);
    }
    reply->proto = proto;
    op->marks = reply->mark_count;
    op->ticks = ticks_since(start);
    if (unlikely(reply->errors > errors))
        memcpy(op->error_code, reply->error_code, sizeof(op->error_code));
    bool no_room = reply->errors > errors && strcmp(reply->error_code, "OOM") == 0;
    if (part->undoable && (no_room || reply->no_memory))
        fail(here, part);
}

/* Small values go home inside the part; others, and any pin, as a reply reference. */
static void answer_pack(struct reactor *here, struct part *part)
{
    struct reply *reply = &part->reply;
    if (reply->no_memory || reply->heap || reply->pin_count > 0 ||
        reply->mark_count > PART_MARKS_INLINE) {
        bool lost = reply->no_memory;
        part->ref = reply_ref_new(here, reply, false);
        part->lost |= lost || part->ref == NULL;
        part->ok = part->ok && !part->lost;
        return;
    }
    part->size = (uint32_t)reply->size;
    part->mark_count = reply->mark_count;
    if (reply->mark_count > 0) /* else there is no array of marks */
        memcpy(part->marks_inline, reply->marks, reply->mark_count * sizeof(uint32_t));
    reply_fini(reply);
}

static void answer_init(struct part *part)
{
    reply_init(&part->reply, part->proto, part->bytes, PART_BYTES_INLINE, NULL, 0);
    part->reply.marking = true;
}

/* Room for everything that its commands may add. */
static bool part_has_room(struct reactor *here, struct part *part)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < part->op_count; i++) {
        const struct op *op = &part->ops[i];
        if (op->command != NULL && op->command->flags & CMD_DENYOOM && op->half == HALF_NONE)
            bytes += exec_cost(&op->args);
    }
    if (bytes == 0)
        return true;
    if (part->phase == PART_RUN_ALONE)
        return keyspace_make_room(here->keyspace, bytes);
    if (!keyspace_reserve(here->keyspace, bytes))
        return false;
    part->reserved = bytes;
    return true;
}

/* Its keys are its own: may it begin? */
static void part_begin(struct reactor *here, struct part *part)
{
    answer_init(part);
    part->now_ms = here->keyspace->now_ms;
    part->refused = !part_has_room(here, part); /* which may evict a watched key */
    part->ok = !part->refused && watches_hold(here, part);
}

/* False: there is no memory to be able to undo what would be run. */
static bool undo_begin(struct reactor *here, struct part *part)
{
    if (part->undo == NULL)
        part->undo = undo_new(here->keyspace);
    if (part->undo != NULL)
        undo_open(here->keyspace, part->undo);
    return part->undo != NULL;
}

static void ops_run(struct reactor *here, struct part *part)
{
    for (uint32_t i = part->op_from; i < part->op_until && part->ok; i++) {
        struct op *op = &part->ops[i];
        if (i == part->op_from && part->skip_first) {
            op->marks = part->reply.mark_count;
            continue;
        }
        op_run(here, part, op);
    }
}

/* What has been stored takes up what was reserved for it. */
static void reserve_rest(struct keyspace *keyspace, struct part *part, uint64_t used_before)
{
    uint64_t used = keyspace_used(keyspace), grown = used > used_before ? used - used_before : 0;
    part->reserved = part->last || grown > part->reserved ? 0 : part->reserved - grown;
    keyspace_reserve_again(keyspace, part->reserved);
}

/* The commands of this round, at the time of the first one. */
static void round_run(struct reactor *here, struct part *part)
{
    struct keyspace *keyspace = here->keyspace;
    int64_t now_ms = keyspace->now_ms;
    if (part->op_from == part->op_until && !part->check)
        return;
    if (part->undoable && !undo_begin(here, part)) {
        part->ok = false;
        part->lost = true;
        return;
    }
    keyspace->now_ms = part->now_ms;
    uint64_t used = keyspace_used(keyspace);
    keyspace_unreserve(keyspace, part->reserved);
    ops_run(here, part);
    reserve_rest(keyspace, part, used);
    if (part->ok && part->check)
        part->ok = check_passes(here, part, &part->ops[part->op_until]);
    keyspace->now_ms = now_ms;
    if (!part->undoable)
        return;
    undo_close(keyspace);
    if (undo_failed(part->undo)) {
        part->ok = false;
        part->lost = true;
    }
}

/* Gives back what the part has of the shard; what it has changed stands, or is undone. */
static void part_end(struct reactor *here, struct part *part, bool stands)
{
    keyspace_unreserve(here->keyspace, part->reserved);
    part->reserved = 0;
    if (part->undo == NULL)
        return;
    if (stands)
        undo_commit(here->keyspace, &part->undo);
    else
        undo_revert(here->keyspace, &part->undo);
}

void part_execute(struct reactor *here, struct part *part)
{
    bool alone = part->phase == PART_RUN_ALONE;
    if (alone)
        part_begin(here, part);
    else
        part->ok = part->phase == PART_RUN ? !part->abandon : !part->undo_all;
    part->abandon = !part->ok;
    if (part->phase != PART_SETTLE && part->ok)
        round_run(here, part);
    if (alone || part->last)
        answer_pack(here, part);
    if (alone || part->release)
        part_end(here, part, part->ok);
    if (part->release)
        key_queues_release(here, part);
    call_answer(here, &part->message);
}

void part_granted(struct reactor *here, struct part *part)
{
    if (part->phase == PART_RUN_ALONE) {
        part_execute(here, part);
        if (part->lock_all) /* it had waited as a gate */
            key_queues_release(here, part);
        return;
    }
    part_begin(here, part);
    if (part->ok && part->last)
        round_run(here, part);
    if (part->last)
        answer_pack(here, part);
    call_answer(here, &part->message);
}

void part_lost(struct reactor *here, struct part *part)
{
    answer_init(part); /* the last round of a transaction comes all the same */
    part->ok = false;
    part->lost = true;
    if (part->last)
        answer_pack(here, part);
    call_answer(here, &part->message);
}

void part_run(struct reactor *here, struct message *message)
{
    struct part *part = part_of(message);
    batcher_run(here); /* what came before it runs before it */
    if (part->phase == PART_LOCK)
        key_queues_acquire(here, part);
    else if (part->phase != PART_RUN_ALONE || !key_queues_active(here->shard->queues) ||
             key_queues_admit_part(here, part))
        part_execute(here, part);
}
