/*
 * exec.c - the keys of a command in progress.
 */
#include "shoal/base/hash.h"
#include "shoal/cmd/command.h"

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
