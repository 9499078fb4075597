/*
 * model.h - what the server promises, as a machine that runs one action at a time.
 */
#ifndef SHOAL_TESTS_SIM_MODEL_H
#define SHOAL_TESTS_SIM_MODEL_H

#include "sim.h"

enum { MODEL_CLIENTS = SIM_CLIENTS_MAX + 1, MODEL_OPS_MAX = SIM_OPS_MAX };

/* All keys and all watches. Values are numbers of interned strings, 0: there is no key. */
struct state {
    uint32_t value[SIM_KEYS_MAX];
    int64_t dies_low_ms[SIM_KEYS_MAX], dies_high_ms[SIM_KEYS_MAX]; /* in between; 0: it does not */
    uint8_t died[SIM_KEYS_MAX]; /* by itself, and it may still lie there */
    uint8_t life[MODEL_CLIENTS];
    uint8_t watched[MODEL_CLIENTS]; /* a bit for each key */
    uint8_t changed[MODEL_CLIENTS]; /* since: 0 nothing, 1 one of them, 2 perhaps */
};

enum action_kind {
    ACTION_OP,    /* one command, or those of its keys that `keys` names */
    ACTION_EXEC,  /* all that was queued, at once */
    ACTION_WATCH, /* of one key */
    ACTION_FORGET /* the watches of the client */
};

/* What happens at one moment between the request and the reply. */
struct action {
    enum action_kind kind;
    uint32_t call;
    uint32_t keys;    /* of ACTION_OP that is split: a bit for each argument; all others: all */
    uint32_t shards;  /* a bit for each */
    uint32_t touches; /* a bit for each key by which it may matter to others when it happens */
    int64_t from_ns, until_ns; /* INT64_MAX: it may never happen */
    const struct op **queued;  /* of ACTION_EXEC */
    uint32_t queued_count;
};

/* Runs it; false: the reply cannot come from this state. `lost` says which of its keys have
 * died by themselves before: a bit for each key of model_mortal(). */
bool model_run(struct state *state, const struct action *action, uint32_t lost);

/* Among those bits: it was refused for lack of memory, and has happened all the same, as a whole. (A
 * reply for which there is no memory when the change has been made becomes such an error.) */
enum { MODEL_HAPPENED = 1 << SIM_KEYS_MAX };
bool model_may_have_happened(const struct action *action);
/* The keys that the action looks at and that may have died by themselves. */
uint32_t model_mortal(const struct state *state, const struct action *action);
/* ... and those that must have, die. */
void model_expire(struct state *state, const struct action *action);
/* The keys that it looks at or changes. */
uint32_t model_keys(const struct action *action);
/* Can it be that the action changes nothing, whatever the state? */
bool model_only_reads(const struct action *action);
uint64_t model_hash(const struct state *state);

#endif
