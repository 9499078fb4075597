/*
 * shard.h - what a reactor has beside its keyspace to run commands on it.
 */
#ifndef SHOAL_SHARD_SHARD_H
#define SHOAL_SHARD_SHARD_H

#include "shoal/shard/batcher.h"
#include "shoal/shard/memory_share.h"
#include "shoal/shard/parking.h"

struct key_queues;

struct shard {
    struct batcher batcher; /* commands gathered for one pass over the table */
    struct key_queues *queues;
    struct memory_share share; /* its part of maxmemory */
    struct parking parking;    /* commands that wait for something */
    char *scratch;             /* second buffer of replies to other reactors */
};

/* Thread: owner, pinned and with its arena bound: what this allocates is near. Aborts when memory is
 * out. */
void shard_init(struct shard *shard);

/* Thread: startup, after the owner has ended. A shard that was never initialised but is all zero is
 * accepted. */
void shard_fini(struct shard *shard);

#endif
