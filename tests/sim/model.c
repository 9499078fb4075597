/*
 * model.c - every command on keys as one step of a machine that does one thing at a time.
 */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 8192 };

/* ---- values -------------------------------------------------------------- */

struct text {
    const char *data;
    size_t size;
};

static struct text values[VALUES_MAX];
static uint32_t value_count = 1;

static uint32_t intern(const char *data, size_t size)
{
    for (uint32_t i = 1; i < value_count; i++)
        if (values[i].size == size && memcmp(values[i].data, data, size) == 0)
            return i;
    if (value_count == VALUES_MAX)
        sim_fail("the model has no room for more values");
    char *copy = sim_alloc(size + 1);
    memcpy(copy, data, size);
    values[value_count] = (struct text){ copy, size };
    return value_count++;
}

static uint32_t written(const struct op *op, uint32_t i)
{
    static char text[OP_VALUE_MAX];
    return intern(text, op_value(op, i, text));
}

/* A number as INCR takes it. */
static bool is_number(uint32_t value, int64_t *number)
{
    const struct text *text = &values[value];
    char *end;
    if (text->size == 0 || text->size > 18 || strspn(text->data, "0123456789") != text->size)
        return false;
    *number = strtoll(text->data, &end, 10);
    return *end == '\0' && (text->data[0] != '0' || text->size == 1);
}

/* ---- replies ------------------------------------------------------------- */

/* Without a reply, whatever it would have been is right. */
static bool is_number_reply(const struct reply_value *reply, int64_t number)
{
    return reply == NULL || (reply->type == ':' && reply->number == number);
}

static bool is_text_reply(const struct reply_value *reply, char type, const char *text)
{
    return reply == NULL || (reply->type == type && strcmp(reply->text, text) == 0);
}

static bool is_error_reply(const struct reply_value *reply, const char *text)
{
    return reply == NULL || (reply->type == '-' && strncmp(reply->text, text, strlen(text)) == 0);
}

static bool is_value_reply(const struct reply_value *reply, uint32_t value)
{
    if (reply == NULL)
        return true;
    if (value == 0)
        return reply->type == '_';
    return reply->type == '$' && reply->size == values[value].size &&
           memcmp(reply->text, values[value].data, reply->size) == 0;
}

static bool is_ok(const struct reply_value *reply)
{
    return is_text_reply(reply, '+', "OK");
}

/* Refused for lack of memory: nothing has happened. */
static bool is_refused(const struct reply_value *reply)
{
    return reply != NULL && reply->type == '-' &&
           (strncmp(reply->text, "OOM", 3) == 0 || strncmp(reply->text, "EXECABORT", 9) == 0);
}

/* ---- changes ------------------------------------------------------------- */

static void note_change(struct state *state, uint32_t key, uint8_t how)
{
    for (uint32_t i = 0; i < MODEL_CLIENTS; i++)
        if (state->watched[i] & 1u << key && state->changed[i] != 1)
            state->changed[i] = how;
}

static void change(struct state *state, uint32_t key, uint32_t value)
{
    state->value[key] = value;
    state->died[key] = 0;
    if (value == 0)
        state->dies_low_ms[key] = state->dies_high_ms[key] = 0;
    note_change(state, key, 1);
}

/* ... and it lives for ever. */
static void replace(struct state *state, uint32_t key, uint32_t value)
{
    state->dies_low_ms[key] = state->dies_high_ms[key] = 0;
    change(state, key, value);
}

static void dies(struct state *state, uint32_t key)
{
    state->value[key] = 0;
    state->died[key] = 1;
    state->dies_low_ms[key] = state->dies_high_ms[key] = 0;
    note_change(state, key, 2);
}

static void live_for(struct state *state, uint32_t key, const struct call *call, uint32_t ms)
{
    state->dies_low_ms[key] = call->low_ms + ms;
    state->dies_high_ms[key] = call->high_ms == INT64_MAX ? INT64_MAX : call->high_ms + ms;
    note_change(state, key, 1);
}

/* ---- commands ------------------------------------------------------------ */

static bool run_incr(struct state *state, uint32_t key, const struct reply_value *reply)
{
    int64_t number = 0;
    char text[32];
    if (state->value[key] != 0 && !is_number(state->value[key], &number))
        return is_error_reply(reply, "ERR value is not an integer");
    int size = snprintf(text, sizeof(text), "%ld", (long)++number);
    change(state, key, intern(text, (size_t)size));
    return is_number_reply(reply, number);
}

static bool run_append(struct state *state, const struct op *op, const struct reply_value *reply)
{
    static char text[4 * OP_VALUE_MAX];
    uint32_t key = op->key[0];
    const struct text *old = &values[state->value[key]];
    if (old->size > sizeof(text) - OP_VALUE_MAX)
        sim_fail("a value grows beyond what the model holds");
    if (old->size > 0)
        memcpy(text, old->data, old->size);
    size_t size = old->size + op_value(op, 0, text + old->size);
    change(state, key, intern(text, size));
    return is_number_reply(reply, (int64_t)size);
}

static bool run_set_if(struct state *state, const struct op *op, bool wanted,
                       const struct reply_value *reply)
{
    if (!wanted)
        return is_value_reply(reply, 0);
    replace(state, op->key[0], written(op, 0));
    return is_ok(reply);
}

static bool run_mset(struct state *state, const struct op *op)
{
    for (uint32_t i = 0; i < op->keys; i++)
        replace(state, op->key[i], written(op, i));
    return true;
}

static bool run_msetnx(struct state *state, const struct op *op, const struct reply_value *reply)
{
    for (uint32_t i = 0; i < op->keys; i++)
        if (state->value[op->key[i]] != 0)
            return is_number_reply(reply, 0);
    return run_mset(state, op) && is_number_reply(reply, 1);
}

static bool run_mget(const struct state *state, const struct op *op, uint32_t keys,
                     const struct reply_value *reply)
{
    if (reply != NULL && (reply->type != '*' || reply->count != op->keys))
        return false;
    for (uint32_t i = 0; i < op->keys && reply != NULL; i++)
        if (keys & 1u << i && !is_value_reply(&reply->items[i], state->value[op->key[i]]))
            return false;
    return true;
}

/* Of a part, how many there were cannot be told from the sum that is the reply. */
static bool run_del(struct state *state, const struct op *op, uint32_t keys,
                    const struct reply_value *reply)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < op->keys; i++) {
        if (!(keys & 1u << i))
            continue;
        count += state->value[op->key[i]] != 0;
        if (state->value[op->key[i]] != 0)
            change(state, op->key[i], 0);
    }
    return is_number_reply(keys == ~0u ? reply : NULL, count);
}

static void move(struct state *state, uint32_t from, uint32_t to)
{
    change(state, to, state->value[from]);
    state->dies_low_ms[to] = state->dies_low_ms[from];
    state->dies_high_ms[to] = state->dies_high_ms[from];
}

static bool run_move(struct state *state, const struct op *op, const struct reply_value *reply)
{
    uint32_t from = op->key[0], to = op->key[1];
    bool copies = op->kind == OP_COPY;
    if (op->keys < 2)
        return true;
    if (state->value[from] == 0)
        return copies ? is_number_reply(reply, 0) : is_error_reply(reply, "ERR no such key");
    if (op->kind != OP_RENAME && state->value[to] != 0)
        return is_number_reply(reply, 0);
    move(state, from, to);
    if (!copies)
        change(state, from, 0);
    return op->kind == OP_RENAME ? is_ok(reply) : is_number_reply(reply, 1);
}

static bool run_flush(struct state *state)
{
    for (uint32_t key = 0; key < SIM_KEYS_MAX; key++)
        if (state->value[key] != 0)
            change(state, key, 0);
    return true;
}

static bool run_expire(struct state *state, const struct op *op, const struct call *call,
                       const struct reply_value *reply)
{
    uint32_t key = op->key[0];
    if (state->value[key] == 0)
        return is_number_reply(reply, 0);
    if (op->kind == OP_PEXPIRE) {
        live_for(state, key, call, op->ms);
        return is_number_reply(reply, 1);
    }
    bool mortal = state->dies_high_ms[key] != 0;
    if (mortal) {
        state->dies_low_ms[key] = state->dies_high_ms[key] = 0;
        note_change(state, key, 1);
    }
    return is_number_reply(reply, mortal);
}

static bool run_echo(const struct op *op, const struct reply_value *reply)
{
    return is_value_reply(reply, written(op, 0));
}

/* Commands that write one key. */
static bool run_write(struct state *state, const struct op *op, const struct call *call,
                      const struct reply_value *reply)
{
    uint32_t key = op->key[0], value = state->value[key];
    switch (op->kind) {
    case OP_SET:
    case OP_SETPX:
        replace(state, key, written(op, 0));
        if (op->kind == OP_SETPX)
            live_for(state, key, call, op->ms);
        return is_ok(reply);
    case OP_SETNX:
        return run_set_if(state, op, value == 0, reply);
    case OP_SETXX:
        return run_set_if(state, op, value != 0, reply);
    case OP_GETSET:
        replace(state, key, written(op, 0));
        return is_value_reply(reply, value);
    case OP_GETDEL:
        if (value != 0)
            change(state, key, 0);
        return is_value_reply(reply, value);
    case OP_INCR:
        return run_incr(state, key, reply);
    default:
        return run_append(state, op, reply);
    }
}

static bool run_op(struct state *state, const struct op *op, uint32_t keys, const struct call *call,
                   const struct reply_value *reply)
{
    uint32_t value = state->value[op->key[0]];
    if (is_refused(reply)) /* one of a transaction */
        return true;
    switch (op->kind) {
    case OP_GET:
        return is_value_reply(reply, value);
    case OP_EXISTS:
        return is_number_reply(reply, value != 0);
    case OP_STRLEN:
        return is_number_reply(reply, value != 0 ? (int64_t)values[value].size : 0);
    case OP_MGET:
        return run_mget(state, op, keys, reply);
    case OP_MSET:
        return run_mset(state, op) && is_ok(reply);
    case OP_MSETNX:
        return run_msetnx(state, op, reply);
    case OP_DEL:
    case OP_DELS:
        return run_del(state, op, keys, reply);
    case OP_RENAME:
    case OP_RENAMENX:
    case OP_COPY:
        return run_move(state, op, reply);
    case OP_FLUSHALL:
        return run_flush(state) && is_ok(reply);
    case OP_PEXPIRE:
    case OP_PERSIST:
        return run_expire(state, op, call, reply);
    case OP_ECHO:
        return run_echo(op, reply);
    case OP_PING:
        return is_text_reply(reply, '+', "PONG");
    case OP_FILL:
    case OP_UNWATCH:
    case OP_PAUSE:
    case OP_UNPAUSE:
    case OP_CONFIG:
        return is_ok(reply);
    case OP_KILL:
        return true;
    default:
        return run_write(state, op, call, reply);
    }
}

/* ---- transactions -------------------------------------------------------- */

static void forget(struct state *state, uint32_t client)
{
    state->watched[client] = state->changed[client] = 0;
}

/* A transaction that is given up is undone, and whoever watches its keys may have been told. */
static void note_undone(struct state *state, const struct action *action)
{
    for (uint32_t i = 0; i < action->queued_count; i++)
        for (uint32_t k = 0; k < action->queued[i]->keys; k++)
            note_change(state, action->queued[i]->key[k], 2);
}

static bool run_exec(struct state *state, const struct action *action, const struct call *call,
                     const struct reply_value *reply)
{
    uint8_t changed = state->changed[call->client];
    forget(state, call->client);
    if (reply == NULL || reply->type == '_')
        note_undone(state, action);
    if (reply != NULL && reply->type == '_')
        return changed != 0 || sim.profile.no_memory > 0; /* it says no rather than guess */
    if (changed == 1)
        return reply == NULL; /* then it was refused without a word */
    if (reply != NULL && (reply->type != '*' || reply->count != action->queued_count))
        return false;
    for (uint32_t i = 0; i < action->queued_count; i++)
        if (!run_op(state, action->queued[i], ~0u, call, reply != NULL ? &reply->items[i] : NULL))
            return false;
    return true;
}

static void run_watch(struct state *state, const struct action *action, const struct call *call)
{
    uint32_t key = call->op->key[action->keys];
    if (call->heard_ns < INT64_MAX && call->reply.type == '+')
        state->watched[call->client] |= (uint8_t)(1u << key);
    else if (state->changed[call->client] == 0)
        state->changed[call->client] = 2; /* perhaps it is watched, and perhaps not */
    /* A key that has died may still lie there: when it is freed, whoever watches it is told. */
    if (state->died[key] && state->changed[call->client] == 0)
        state->changed[call->client] = 2;
}

/* ---- actions ------------------------------------------------------------- */

/* A client's new connection knows nothing of what the one before it has watched. */
static void renew_life(struct state *state, const struct call *call)
{
    if (state->life[call->client] == call->life)
        return;
    state->life[call->client] = (uint8_t)call->life;
    forget(state, call->client);
}

static uint32_t keys_of_op(const struct op *op, uint32_t keys)
{
    uint32_t mask = 0;
    if (op->kind == OP_FLUSHALL)
        return (1u << SIM_KEYS_MAX) - 1;
    for (uint32_t i = 0; i < op->keys; i++)
        mask |= keys & 1u << i ? 1u << op->key[i] : 0;
    return mask;
}

uint32_t model_keys(const struct action *action)
{
    const struct op *op = calls[action->call].op;
    uint32_t mask = 0;
    switch (action->kind) {
    case ACTION_OP:
        return keys_of_op(op, action->keys);
    case ACTION_WATCH:
        return 1u << op->key[action->keys];
    case ACTION_EXEC:
        for (uint32_t i = 0; i < action->queued_count; i++)
            mask |= keys_of_op(action->queued[i], ~0u);
        return mask;
    default:
        return 0;
    }
}

/* EXEC looks at what is watched, too. */
static uint32_t looked_at(const struct state *state, const struct action *action)
{
    uint32_t client = calls[action->call].client;
    return model_keys(action) | (action->kind == ACTION_EXEC ? state->watched[client] : 0);
}

uint32_t model_mortal(const struct state *state, const struct action *action)
{
    const struct call *call = &calls[action->call];
    uint32_t mask = looked_at(state, action), mortal = 0;
    for (uint32_t key = 0; key < SIM_KEYS_MAX; key++)
        if (mask & 1u << key && state->value[key] != 0 &&
            (sim.profile.evicts ||
             (state->dies_high_ms[key] != 0 && state->dies_low_ms[key] <= call->high_ms)))
            mortal |= 1u << key;
    return mortal;
}

void model_expire(struct state *state, const struct action *action)
{
    const struct call *call = &calls[action->call];
    uint32_t mask = looked_at(state, action); /* another reactor's time may be behind */
    for (uint32_t key = 0; key < SIM_KEYS_MAX; key++)
        if (mask & 1u << key && state->dies_high_ms[key] != 0 &&
            call->low_ms > state->dies_high_ms[key])
            dies(state, key);
}

bool model_run(struct state *state, const struct action *action, uint32_t lost)
{
    const struct call *call = &calls[action->call];
    const struct reply_value *reply = call->heard_ns < INT64_MAX ? &call->reply : NULL;
    renew_life(state, call);
    if (is_refused(reply) && action->kind != ACTION_WATCH) {
        if (action->kind == ACTION_EXEC)
            note_undone(state, action);
        if (action->kind == ACTION_EXEC && !(lost & MODEL_HAPPENED))
            forget(state, call->client);
        if (!(lost & MODEL_HAPPENED))
            return true;
        reply = NULL;
    }
    for (uint32_t key = 0; key < SIM_KEYS_MAX; key++)
        if (lost & 1u << key)
            dies(state, key);
    switch (action->kind) {
    case ACTION_WATCH:
        run_watch(state, action, call);
        return true;
    case ACTION_FORGET:
        forget(state, call->client);
        return true;
    case ACTION_EXEC:
        return run_exec(state, action, call, reply);
    default:
        return run_op(state, call->op, action->keys, call, reply);
    }
}

bool model_may_have_happened(const struct action *action)
{
    const struct call *call = &calls[action->call];
    return sim.profile.no_memory > 0 && call->heard_ns < INT64_MAX && is_refused(&call->reply) &&
           (action->kind == ACTION_OP || action->kind == ACTION_EXEC) && !model_only_reads(action);
}

bool model_only_reads(const struct action *action)
{
    if (action->kind != ACTION_OP)
        return false;
    switch (calls[action->call].op->kind) {
    case OP_GET:
    case OP_EXISTS:
    case OP_STRLEN:
    case OP_MGET:
    case OP_ECHO:
    case OP_PING:
        return true;
    default:
        return false;
    }
}

uint64_t model_hash(const struct state *state)
{
    const unsigned char *bytes = (const unsigned char *)state;
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof(*state); i += 8) {
        uint64_t word = 0;
        size_t size = sizeof(*state) - i < 8 ? sizeof(*state) - i : 8;
        memcpy(&word, bytes + i, size);
        hash = random_mix(hash ^ word) + i;
    }
    return hash;
}
