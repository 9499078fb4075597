/*
 * group.h - commands gathered over a turn and run in groups, so that their cache misses overlap.
 *
 * Own and forwarded commands join the same group in order of arrival. First pass, as each joins:
 * its bucket's line is fetched; second, when the group is full: its item's; third, when the next
 * group is full or nothing more comes: it runs.
 */
#ifndef SHOAL_SHARD_GROUP_H
#define SHOAL_SHARD_GROUP_H

#include "shoal/base/bound.h"
#include "shoal/base/list.h"
#include "shoal/conn/request.h"

#include <stdbool.h>
#include <stdint.h>

struct reactor;

enum {
    GROUP_MAX = BOUND(32, 2),
    GROUP_SCRATCH_BYTES = ANSWER_COPY_MAX + 1024, /* of struct shard's scratch */
};

struct lot {
    uint32_t count;
    uint32_t deep; /* bit i: the item of request[i] is behind a second bucket */
    struct request *request[GROUP_MAX];
};

struct group {
    /* one is filling: its buckets are being fetched; the other is ready or runs: it is older, its
     * items are */
    struct lot lot[2];
    uint32_t filling; /* which */
    /* a lot runs: no other begins until it has ended, or a connection's commands could change
     * places */
    bool running;
    LIST_OF(struct message) later; /* commands that came meanwhile */
};

/* Anything that group_run() would run? */
static inline bool group_waits(const struct group *group)
{
    return group->lot[0].count + group->lot[1].count > 0;
}

/* Adds a command whose keys are on this shard; runs the group when it is full. Thread: owner. */
void group_add(struct reactor *reactor, struct request *request);

/* Runs what has been gathered: before anything that must come after it. Does nothing while a lot
 * runs. Thread: owner. */
void group_run(struct reactor *reactor);

/* Runs one command now, as group_run() would. For commands that had to wait for a transaction. */
void group_run_one(struct reactor *reactor, struct request *request);

/* Answers one that could not be kept until it may run. Thread: owner. */
void group_refuse(struct reactor *reactor, struct request *request, const char *error);

#endif
