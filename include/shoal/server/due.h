/*
 * due.h - what a reactor does by the clock. Thread: owner, for all of it.
 */
#ifndef SHOAL_SERVER_DUE_H
#define SHOAL_SERVER_DUE_H

#include <stdbool.h>
#include <stdint.h>

struct reactor;

/* Before any turn: the timers are there, and nothing is due. */
void due_init(struct reactor *reactor);

/* Takes over what the settings say of idle connections. */
void due_use_settings(struct reactor *reactor);

/* Does what is due now. Once a turn. */
void due_run(struct reactor *reactor);

/* Has background work done at `ms` at the latest; INT64_MAX: no earlier than it is to be. */
void due_work_by(struct reactor *reactor, int64_t ms);

/* Nanoseconds until something is due; -1: nothing is. */
int64_t due_wait_ns(const struct reactor *reactor);

/* Copies the shard's and buffers' figures to where other threads read them. */
void due_publish(struct reactor *reactor);

/*
 * After a turn: figures are published once a millisecond and before it goes quiet; and a key with a
 * TTL may have come since the sweep last found none, so it will look again.
 */
void due_note_activity(struct reactor *reactor, bool quiet);

#endif
