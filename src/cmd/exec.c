/*
 * exec.c - a command in progress on one shard: its keys, and running it.
 */
#include "shoal/base/hash.h"
#include "shoal/cmd/command.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/registry.h"

struct key exec_key(const struct exec *exec)
{
    struct bytes name = exec_arg(exec, (uint32_t)exec->command->first_key);
    return (struct key){ .name = name, .hash = exec->hash, .db = exec->db };
}

struct key exec_key_at(const struct exec *exec, uint32_t i)
{
    struct bytes name = exec_arg(exec, i);
    return (struct key){ .name = name, .hash = hash_key(name), .db = exec->db };
}

static uint32_t key_count(const struct exec *exec)
{
    uint32_t count = 0;
    for (uint32_t i = command_key_first(exec->command, &exec->args); i != 0;
         i = command_key_next(exec->command, &exec->args, i))
        count++;
    return count;
}

/* Not inlined: the registers that its loop saves would cost every other command 17 instructions. */
static __attribute__((noinline)) void run_each(struct exec *exec)
{
    const struct command *command = exec->command;
    bool array = command->route == ROUTE_EACH_ARRAY;
    int64_t sum = 0;
    if (array)
        reply_array(exec->reply, key_count(exec));
    for (uint32_t i = command_key_first(command, &exec->args); i != 0;
         i = command_key_next(command, &exec->args, i)) {
        exec->hash = hash_key(exec_arg(exec, i));
        sum += command->each(exec, i);
    }
    if (!array)
        reply_int(exec->reply, sum);
}

bool exec_refuse_type(struct exec *exec)
{
    reply_error(exec->reply, ERR_WRONG_TYPE);
    return false;
}

bool exec_reserve(struct exec *exec, uint64_t bytes, uint64_t whole)
{
    struct keyspace *keyspace = exec->keyspace;
    if (likely(keyspace_may_hold(keyspace, whole) && keyspace_make_room(keyspace, bytes)))
        return true;
    reply_error(exec->reply, ERR_OOM);
    return false;
}

uint64_t exec_cost(const struct args *args)
{
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < args->count; i++)
        bytes += args->v[i].size;
    bytes += bytes / 4; /* size classes are up to 25 % apart */
    return bytes + args->count / 2 * keyspace_cost(0, 0);
}

void exec_run_reserved(struct exec *exec)
{
    if (exec->command->each != NULL)
        run_each(exec);
    else
        exec->command->shard(exec);
}

void exec_run(struct exec *exec)
{
    if (exec->command->flags & CMD_DENYOOM &&
        unlikely(!keyspace_make_room(exec->keyspace, exec_cost(&exec->args))))
        reply_error(exec->reply, ERR_OOM);
    else
        exec_run_reserved(exec);
}
