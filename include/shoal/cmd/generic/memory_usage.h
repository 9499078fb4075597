/*
 * memory_usage.h - MEMORY USAGE: runs on a shard, although the other sub-commands of MEMORY run at
 * home (src/admin/memory.c).
 */
#ifndef SHOAL_CMD_GENERIC_MEMORY_USAGE_H
#define SHOAL_CMD_GENERIC_MEMORY_USAGE_H

#include "shoal/cmd/command.h"

/* MEMORY USAGE key [SAMPLES count]: arity -3, ROUTE_KEY, the key is argument 2. Thread: owner. */
void memory_usage(struct exec *exec);

#endif
