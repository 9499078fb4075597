/*
 * exec.h - one command at work on one shard: what its handler is given.
 */
#ifndef SHOAL_CMD_EXEC_H
#define SHOAL_CMD_EXEC_H

#include "shoal/base/bytes.h"
#include "shoal/proto/reply.h"
#include "shoal/store/keyspace/keyspace.h"

struct command;

/* Arguments of one request: argument i is base[v[i].offset .. +v[i].size). Borrowed for the
 * command's run. */
struct args {
    const char *base;
    const struct span *v;
    uint32_t count;
};

static inline struct bytes args_at(const struct args *args, uint32_t i)
{
    return bytes_of(args->base + args->v[i].offset, args->v[i].size);
}

/* One shard command in progress. Thread: owner of the keyspace. */
struct exec {
    struct keyspace *keyspace;
    struct reply *reply;
    const struct command *command;
    struct args args; /* [0] is the name as the client wrote it */
    uint64_t hash;    /* hash_key() of the first key, if it has one */
    uint8_t db;
};

static inline struct bytes exec_arg(const struct exec *exec, uint32_t i)
{
    return args_at(&exec->args, i);
}

/* The command's first key. */
struct key exec_key(const struct exec *exec);
/* Any other argument as a key (computes its hash). */
struct key exec_key_at(const struct exec *exec, uint32_t i);

/* Replies WRONGTYPE; false. */
bool exec_refuse_type(struct exec *exec);

/*
 * The item of the command's first key, which is to be of one type.
 *
 *   *item    NULL when there is none
 *   returns  false: it is another type's, and WRONGTYPE has been replied
 *
 * exec_read() counts a hit or a miss, exec_find() does not. A handler that takes any type, or
 * overwrites it, looks the key up in the keyspace itself.
 */
static inline bool exec_read(struct exec *exec, enum value_type type, struct item **item)
{
    *item = keyspace_read(exec->keyspace, exec_key(exec));
    return likely(*item == NULL || item_type(*item) == type) || exec_refuse_type(exec);
}
static inline bool exec_find(struct exec *exec, enum value_type type, struct item **item)
{
    *item = keyspace_find(exec->keyspace, exec_key(exec));
    return likely(*item == NULL || item_type(*item) == type) || exec_refuse_type(exec);
}

static inline const struct limits *exec_limits(const struct exec *exec)
{
    return &exec->keyspace->limits;
}

static inline struct random *exec_random(const struct exec *exec)
{
    return &exec->keyspace->random;
}

/*
 * Makes room for a result that is larger than the request, which exec_run() has made room for. To
 * be called before anything is changed; items found before are no longer valid.
 *
 *   bytes    that the result adds
 *   whole    what its key will take in all: when that can never fit nothing is evicted for it
 *   returns  false: refused, and the error is replied
 *   thread   owner of the keyspace
 */
bool exec_reserve(struct exec *exec, uint64_t bytes, uint64_t whole);

/*
 * Runs a shard command and writes its one value: the handler, or `each` for every key of the
 * command. ROUTE_ALL_ARRAY writes bare elements. Refuses CMD_DENYOOM commands while the keyspace is
 * over its limit. Thread: owner of the keyspace.
 */
void exec_run(struct exec *exec);
/* The same where room has been made: of a transaction before its first command runs. */
void exec_run_reserved(struct exec *exec);

/*
 * The most that the arguments of a command can add to the shard's memory: each may become a value,
 * and every other one a key. A result that is larger (APPEND, SETRANGE) is its handler's to
 * reserve. Thread: any.
 */
uint64_t exec_cost(const struct args *args);

#endif
