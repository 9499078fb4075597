/*
 * shard.c - made and unmade with its reactor.
 */
#include "shoal/shard/shard.h"

#include "shoal/base/mem.h"
#include "shoal/shard/locks.h"

#include <stdlib.h>

void shard_init(struct shard *shard)
{
    shard->locks = locks_new();
    shard->scratch = mem_must_alloc(GROUP_SCRATCH_BYTES);
}

void shard_fini(struct shard *shard)
{
    if (shard->locks != NULL)
        locks_free(&shard->locks);
    free(shard->scratch);
    shard->scratch = NULL;
}
