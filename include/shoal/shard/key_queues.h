/*
 * key_queues.h - which keys of a shard a transaction holds, and what waits for them.
 *
 * Not locks between threads: one shard's own book-keeping. Transactions over several shards reach
 * all of them in one order (the sequencer's), each takes its place in the queue of each of its
 * keys, and holds a key while it is at the head. All queues being in one order, there is no
 * deadlock. Other commands look here only while something is held, and wait behind the holder of
 * their key; so do later commands of a connection that has one waiting, since a pipeline's commands
 * on one shard run in order.
 *
 * A transaction over the whole shard (FLUSHALL) is a gate: it waits until no key is held, and
 * everything that arrives meanwhile waits behind it.
 */
#ifndef SHOAL_SHARD_KEY_QUEUES_H
#define SHOAL_SHARD_KEY_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

struct reactor;
struct message;
struct part;
struct request;
struct key_queues;

struct key_queues *key_queues_new(void);
void key_queues_free(struct key_queues **queues);

/* True while anything is held or waits. */
bool key_queues_active(const struct key_queues *queues);

/*
 * May this command run now? If not it is kept and run when it may, or, when memory is out, answered
 * with an error. Thread: owner, as all below.
 *   key_queues_admit_request   runs through batcher_run_one() later; refused through batcher_refuse()
 *   key_queues_admit_part      runs through part_execute() later; refused through part_lost()
 */
bool key_queues_admit_request(struct reactor *reactor, struct request *request);
bool key_queues_admit_part(struct reactor *reactor, struct part *part);

/* Takes the part's keys (or the whole shard) in queue; calls part_granted(), at once or later, when
 * it has them all, or part_lost() when memory is out. */
void key_queues_acquire(struct reactor *reactor, struct part *part);
/* Gives back the keys that it has, and runs the commands and parts that waited for them. */
void key_queues_release(struct reactor *reactor, struct part *part);

/* For keyspace.is_held: a transaction of `queues` holds the item's key, or the whole shard. */
struct item;
bool key_queues_hold(const void *queues, const struct item *item);

/* Keys' names here. The same key in two databases is one name: rare, harmless, and COPY ... DB
 * needs no care. */
static inline uint64_t key_queues_name(uint64_t hash)
{
    return hash;
}

#endif
