/*
 * shard.c - made and unmade with its reactor.
 */
#include "shoal/shard/shard.h"

#include "shoal/base/mem.h"
#include "shoal/shard/key_queues.h"

#include <stdlib.h>

void shard_init(struct shard *shard)
{
    shard->queues = key_queues_new();
    shard->scratch = mem_must_alloc(BATCHER_SCRATCH_BYTES);
}

void shard_fini(struct shard *shard)
{
    if (shard->queues != NULL)
        key_queues_free(&shard->queues);
    parking_fini(&shard->parking);
    free(shard->scratch);
    shard->scratch = NULL;
}
