/*
 * multi.h - MULTI, EXEC, DISCARD, WATCH: what a connection has queued and which keys it watches.
 *
 * WATCH asks the key's shard for a mark, as a plan of its own; EXEC becomes one plan of all queued
 * commands and all marks. Every watch is given back to its shard, at the latest when the connection
 * goes.
 */
#ifndef SHOAL_ROUTE_MULTI_H
#define SHOAL_ROUTE_MULTI_H

#include "shoal/base/list.h"
#include "shoal/cmd/command.h"
#include "shoal/conn/request.h"
#include "shoal/route/plan.h"

/* One queued command with its own copy of the arguments. */
struct queued {
    struct queued *next;
    const struct command *command;
    struct args args;
    size_t size;   /* of all of this */
    char memory[]; /* spans, then bytes */
};

struct transaction {
    LIST_OF(struct queued) queue;
    uint32_t count;
    struct watched_key *watched;
};

/* Queues a request that is in the connection's queue and answers it: QUEUED. Thread: owner, as
 * below. */
void transaction_queue(struct conn *conn, struct request *request);

/* True when something queued writes. */
bool transaction_writes(const struct conn *conn);

/* An EXEC with arguments ends the transaction, if there is one: it replies the error. */
void transaction_refuse(struct conn *conn, const struct command *command, struct reply *reply);

/* Forgets what is queued, gives the watches back to their shards, and frees it. */
void transaction_drop(struct conn *conn);

extern const struct command multi_commands[];

#endif
