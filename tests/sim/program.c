/*
 * program.c - what a seed makes likely, and what its clients do.
 */
#include "sim.h"

#include "shoal/base/hash.h"
#include "shoal/base/minmax.h"
#include "shoal/reactor/reactor.h"
#include "shoal/server/server.h"

#include <stdio.h>
#include <string.h>

struct program programs[SIM_CLIENTS_MAX + 1];

enum { CONCURRENT_MAX = 16 }; /* requests of all clients */

/* How likely each is, and what has to be in the profile for it. */
enum need { ALWAYS, EXPIRY, CONTROL, RESETS, SHUTDOWN, EVICTS };

static const struct kind {
    const char *name;
    uint8_t weight, keys_min, keys_max;
    uint8_t need;
} kinds[OP_KINDS] = {
    [OP_GET] = { "GET", 20, 1, 1, ALWAYS },
    [OP_SET] = { "SET", 20, 1, 1, ALWAYS },
    [OP_SETNX] = { "SETNX", 4, 1, 1, ALWAYS },
    [OP_SETXX] = { "SETXX", 3, 1, 1, ALWAYS },
    [OP_GETSET] = { "GETSET", 3, 1, 1, ALWAYS },
    [OP_GETDEL] = { "GETDEL", 3, 1, 1, ALWAYS },
    [OP_DEL] = { "DEL", 8, 1, 1, ALWAYS },
    [OP_EXISTS] = { "EXISTS", 3, 1, 1, ALWAYS },
    [OP_INCR] = { "INCR", 8, 1, 1, ALWAYS },
    [OP_APPEND] = { "APPEND", 4, 1, 1, ALWAYS },
    [OP_STRLEN] = { "STRLEN", 2, 1, 1, ALWAYS },
    [OP_PEXPIRE] = { "PEXPIRE", 4, 1, 1, EXPIRY },
    [OP_PERSIST] = { "PERSIST", 2, 1, 1, EXPIRY },
    [OP_SETPX] = { "SETPX", 6, 1, 1, EXPIRY },
    [OP_MSET] = { "MSET", 8, 2, 3, ALWAYS },
    [OP_MSETNX] = { "MSETNX", 4, 2, 3, ALWAYS },
    [OP_MGET] = { "MGET", 8, 2, 3, ALWAYS },
    [OP_DELS] = { "DELS", 3, 2, 3, ALWAYS },
    [OP_RENAME] = { "RENAME", 5, 2, 2, ALWAYS },
    [OP_RENAMENX] = { "RENAMENX", 3, 2, 2, ALWAYS },
    [OP_COPY] = { "COPY", 4, 2, 2, ALWAYS },
    [OP_FLUSHALL] = { "FLUSHALL", 1, 0, 0, ALWAYS },
    [OP_FILL] = { "FILL", 60, 0, 0, EVICTS },
    [OP_WATCH] = { "WATCH", 0, 1, 2, ALWAYS },
    [OP_UNWATCH] = { "UNWATCH", 1, 0, 0, ALWAYS },
    [OP_MULTI] = { "MULTI", 22, 0, 0, ALWAYS },
    [OP_EXEC] = { "EXEC", 0, 0, 0, ALWAYS },
    [OP_DISCARD] = { "DISCARD", 0, 0, 0, ALWAYS },
    [OP_PING] = { "PING", 2, 0, 0, ALWAYS },
    [OP_ECHO] = { "ECHO", 5, 0, 0, ALWAYS },
    [OP_KILL] = { "KILL", 2, 0, 0, CONTROL },
    [OP_PAUSE] = { "PAUSE", 2, 0, 0, CONTROL },
    [OP_UNPAUSE] = { "UNPAUSE", 2, 0, 0, CONTROL },
    [OP_CONFIG] = { "CONFIG", 3, 0, 0, CONTROL },
    [OP_HALF_CLOSE] = { "HALF-CLOSE", 1, 0, 0, ALWAYS },
    [OP_RESET] = { "RESET", 2, 0, 0, RESETS },
    [OP_SHUTDOWN] = { "SHUTDOWN", 1, 0, 0, SHUTDOWN },
    [OP_SLEEP] = { "SLEEP", 4, 0, 0, ALWAYS },
};

const char *op_name(enum op_kind kind)
{
    return kinds[kind].name;
}

/* ---- profile ------------------------------------------------------------- */

static uint32_t between(struct random *random, uint32_t low, uint32_t high)
{
    return low + (uint32_t)random_below(random, high - low + 1);
}

static bool chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

void profile_make(uint64_t seed)
{
    struct random random;
    random_seed_stream(&random, seed, 1);
    sim.profile = (struct profile){
        .reactors = chance(&random, 15) ? 1 : between(&random, 2, SIM_REACTORS_MAX),
        .clients = between(&random, 2, SIM_CLIENTS_MAX),
        .keys = between(&random, 2, chance(&random, 50) ? 3 : SIM_KEYS_MAX),
        .ops = between(&random, 8, SIM_OPS_MAX),
        .depth = chance(&random, 30) ? 1 : between(&random, 2, 12),
        .yields = chance(&random, 60) ? between(&random, 2, 20) : 0,
        .jumps = chance(&random, 20) ? 200 : 0,
        .cuts = chance(&random, 50) ? between(&random, 2, 10) : 0,
        .no_buffers = chance(&random, 40) ? between(&random, 3, 20) : 0,
        .resets = chance(&random, 30) ? between(&random, 20, 200) : 0,
        .no_memory = chance(&random, 15) ? between(&random, 10, 150) : 0,
        .slow = chance(&random, 30) ? between(&random, 2, 10) : 0,
        .late = chance(&random, 30),
        .strict = chance(&random, 50),
        .expiry = chance(&random, 50),
        .evicts = chance(&random, 8),
        .control = chance(&random, 30),
        .shutdown = chance(&random, 15),
    };
    /* more at once leave more orders than can be tried */
    uint32_t depth = max(CONCURRENT_MAX / sim.profile.clients, 1);
    sim.profile.depth = min(sim.profile.depth, depth);
    const struct profile *p = &sim.profile;
    sim_note("%u reactors, %u clients, %u keys, %u requests, depth %u%s%s%s%s%s%s%s", p->reactors,
             p->clients, p->keys, p->ops, p->depth, p->strict ? ", strict" : "",
             p->expiry ? ", expiry" : "", p->evicts ? ", eviction" : "",
             p->resets > 0 ? ", resets" : "", p->no_memory > 0 ? ", no memory" : "",
             p->control ? ", control" : "", p->shutdown ? ", shutdown" : "");
}

/* ---- programs ------------------------------------------------------------ */

static bool is_possible(const struct kind *kind)
{
    switch (kind->need) {
    case EXPIRY:
        return sim.profile.expiry;
    case CONTROL:
        return sim.profile.control;
    case RESETS:
        return sim.profile.resets > 0;
    case SHUTDOWN:
        return sim.profile.shutdown;
    case EVICTS:
        return sim.profile.evicts;
    default:
        return true;
    }
}

static enum op_kind some_kind(struct random *random, enum op_kind limit)
{
    uint32_t all = 0;
    for (int i = 0; i < (int)limit; i++)
        all += is_possible(&kinds[i]) ? kinds[i].weight : 0;
    uint64_t at = random_below(random, all);
    for (int i = 0; i < (int)limit; i++) {
        uint32_t weight = is_possible(&kinds[i]) ? kinds[i].weight : 0;
        if (at < weight)
            return (enum op_kind)i;
        at -= weight;
    }
    return OP_GET;
}

static void keys_choose(struct random *random, struct op *op)
{
    const struct kind *kind = &kinds[op->kind];
    uint32_t wanted = between(random, kind->keys_min, kind->keys_max);
    while (op->keys < wanted && op->keys < sim.profile.keys) {
        uint8_t key = (uint8_t)random_below(random, sim.profile.keys);
        bool again = false;
        for (uint32_t i = 0; i < op->keys; i++)
            again |= op->key[i] == key;
        if (!again)
            op->key[op->keys++] = key;
    }
}

static uint32_t some_size(struct random *random)
{
    if (chance(random, 85))
        return between(random, 0, 40);
    return chance(random, 80) ? between(random, 41, 4000) : between(random, 4001, 40000);
}

static uint32_t number; /* of the last op */

static struct op *op_add(struct random *random, struct program *program, enum op_kind kind)
{
    struct op *op = &program->op[program->count++];
    *op = (struct op){
        .kind = (uint8_t)kind,
        .number = ++number,
        .size = kind == OP_FILL ? 40000 : some_size(random),
        .ms = kind == OP_SLEEP ? between(random, 1, 20) : between(random, 1, 60),
        .client = (uint32_t)random_below(random, sim.profile.clients),
    };
    keys_choose(random, op);
    return op;
}

/* Watches sometimes, queues a few commands, and mostly runs them. */
static void transaction_add(struct random *random, struct program *program)
{
    if (chance(random, 60))
        op_add(random, program, OP_WATCH);
    if (chance(random, 40))
        op_add(random, program, some_kind(random, OP_MULTI));
    if (chance(random, 30))
        op_add(random, program, OP_SLEEP)->ms = between(random, 1, 3);
    op_add(random, program, OP_MULTI);
    for (uint32_t n = between(random, 1, 4); n > 0; n--)
        op_add(random, program, some_kind(random, OP_FLUSHALL));
    op_add(random, program, chance(random, 90) ? OP_EXEC : OP_DISCARD);
}

enum { TRANSACTION_OPS = 9 };

static void program_make(struct random *random, struct program *program)
{
    while (program->count + TRANSACTION_OPS < sim.profile.ops) {
        enum op_kind kind = some_kind(random, OP_KINDS);
        if (kind == OP_MULTI)
            transaction_add(random, program);
        else
            op_add(random, program, kind);
    }
}

void programs_make(uint64_t seed)
{
    struct random random;
    random_seed_stream(&random, seed, 2);
    memset(programs, 0, sizeof(programs));
    number = 0;
    for (uint32_t i = 0; i < sim.profile.clients; i++)
        program_make(&random, &programs[i]);
    struct program *last = &programs[SIM_CLIENTS_MAX]; /* reads what is left of all */
    for (uint32_t key = 0; key < sim.profile.keys; key++) {
        struct op *op = op_add(&random, last, OP_GET);
        op->key[0] = (uint8_t)key;
        op->keys = 1;
    }
}

/* ---- keys and values ----------------------------------------------------- */

const char *key_name(uint32_t key)
{
    static char names[SIM_KEYS_MAX][16];
    snprintf(names[key], sizeof(names[key]), "key-%u", key);
    return names[key];
}

uint32_t key_shard(uint32_t key)
{
    const char *name = key_name(key);
    return reactor_of_slot(sim.server->reactor[0], hash_slot(bytes_of(name, strlen(name))));
}

size_t op_value(const struct op *op, uint32_t i, char *out)
{
    size_t size = (size_t)snprintf(out, 64, "%u", op->number * 10 + i);
    if (op->number % 3 == 0)
        return size; /* a number: to be incremented */
    out[size++] = ':';
    while (size < op->size) {
        out[size] = (char)('a' + (size * 7 + op->number) % 26);
        size++;
    }
    return size;
}
