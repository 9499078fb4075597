/*
 * defrag.h - items move out of slabs that are mostly empty, so that the pages go back.
 *
 * When sizes shift, the allocator's slabs of the old ones stay behind with a few items each: a
 * third to two thirds more memory than the items take. Since an item is referenced from one bucket
 * word alone it can be copied elsewhere at any time between two commands. A pass goes over the
 * buckets of all databases, asks the allocator where each item lies, and moves those whose slab has
 * more free places than the average of its class; chained buckets move likewise, and the blocks of
 * objects. Values above 14 KB have pages of their own and never move.
 *
 * Nothing runs, and no timer is armed, while pages and data are close. Runs on the owner only.
 *
 * source  the idea of comparing a slab with its class: Redis's active defragmentation
 */
#ifndef SHOAL_STORE_KEYSPACE_DEFRAG_H
#define SHOAL_STORE_KEYSPACE_DEFRAG_H

#include "shoal/base/slab.h"

struct keyspace;

/* As in CONFIG. Zeros: off. */
struct defrag_limits {
    bool on;
    uint32_t lower_percent; /* begins when idle bytes are this part of the data's ... */
    uint64_t ignore_bytes;  /* ... and at least this many, in this shard */
    uint32_t cycle_percent; /* of a CPU, at most */
};

/* What has been done, until keyspace_reset_stats(). */
struct defrag_figures {
    uint64_t moved, left; /* blocks: items and chained buckets */
    uint64_t items_moved, items_left;
    uint64_t ns; /* spent */
};

struct defrag {
    struct defrag_limits limits;
    struct defrag_figures figures;
    bool running;
    struct slabs *_slabs;  /* NULL: the allocator cannot tell; nothing ever runs */
    int64_t _next_ms;      /* of the next slice, or of the next exact look at the allocator */
    uint32_t _retry_ms;    /* how long it waits after a pass in vain; 0: the last one was not */
    uint64_t _looked_idle; /* at the last exact look */
    uint64_t _run_ns;      /* spent since it began to run */
    int64_t _rest_ns;      /* still to be waited for the last slices: below a millisecond */
    uint64_t _wasted;      /* at the beginning of the pass */
    uint64_t _moved_bytes; /* since then */
    uint64_t _bucket;      /* where the pass is ... */
    uint32_t _db;          /* ... and in which database */
    uint32_t _batch;       /* the number of the last one */
    struct slab_class _class[SLAB_CLASSES_MAX];
    uint32_t _class_batch[SLAB_CLASSES_MAX]; /* the batch in which it was looked at */
};

void defrag_init(struct defrag *defrag, const struct arena *arena);
void defrag_fini(struct defrag *defrag);

/* For value_ops.move: one block of an object, where it is better off; where it is from now on. The
 * block has been allocated whole from the keyspace's arena. */
void *defrag_block(struct defrag *defrag, void *block);

/*
 * One slice, if it is time.
 *   returns  milliseconds until it wants to be called again; -1: when something has changed
 */
int64_t defrag_work(struct keyspace *keyspace);

/* Goes on with the pass, or a new one, for `buckets` buckets, whatever the limits say. True at the
 * end of a pass. */
bool defrag_run(struct keyspace *keyspace, uint64_t buckets);

#endif
