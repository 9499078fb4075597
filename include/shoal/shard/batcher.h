/*
 * batcher.h - commands gathered over a turn and run in groups, so that their cache misses overlap.
 *
 * Own and forwarded commands join the same batch in order of arrival. First pass, as each joins:
 * its bucket's line is fetched; second, when the batch is full: its item's; third, when the next
 * batch is full or nothing more comes: it runs.
 */
#ifndef SHOAL_SHARD_BATCHER_H
#define SHOAL_SHARD_BATCHER_H

#include "shoal/base/bound.h"
#include "shoal/base/list.h"
#include "shoal/conn/request.h"

#include <stdbool.h>
#include <stdint.h>

struct reactor;

enum {
    BATCH_MAX = BOUND(32, 2),
    BATCHER_SCRATCH_BYTES = ANSWER_COPY_MAX + 1024, /* of struct shard's scratch */
};

struct batch {
    uint32_t count;
    uint32_t deep; /* bit i: the item of request[i] is behind a second bucket */
    struct request *request[BATCH_MAX];
};

struct batcher {
    /* one is filling: its buckets are being fetched; the other is ready or runs: it is older, its
     * items are */
    struct batch batch[2];
    uint32_t filling; /* which */
    /* a batch runs: no other begins until it has ended, or a connection's commands could change
     * places */
    bool running;
    LIST_OF(struct message) later; /* commands that came meanwhile */
};

/* Anything that batcher_run() would run? */
static inline bool batcher_waits(const struct batcher *batcher)
{
    return batcher->batch[0].count + batcher->batch[1].count > 0;
}

/* Adds a command whose keys are on this shard; runs a batch when it is full. Thread: owner. */
void batcher_add(struct reactor *reactor, struct request *request);

/* Runs what has been gathered: before anything that must come after it. Does nothing while a batch
 * runs. Thread: owner. */
void batcher_run(struct reactor *reactor);

/* Runs one command now, as batcher_run() would. For commands that had to wait for a transaction. */
void batcher_run_one(struct reactor *reactor, struct request *request);

/* Answers one that could not be kept until it may run. Thread: owner. */
void batcher_refuse(struct reactor *reactor, struct request *request, const char *error);

#endif
