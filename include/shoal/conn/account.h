/*
 * account.h - what a command has cost: counted, and looked at more closely if it was slow.
 *
 * Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_ACCOUNT_H
#define SHOAL_CONN_ACCOUNT_H

#include "shoal/cmd/command.h"

struct conn;
struct request;

/* Counts a command that took `ticks` cycles, and notes it in the slow log and among the latency
 * events if that is long. */
void account_request(struct request *request, uint64_t ticks);

/* The same for a command that MULTI had queued, which has no request of its own. */
void account_command(struct conn *conn, const struct command *command, const struct args *args,
                     uint64_t ticks);

/* Counts an error reply of a request, by its first word `code`. */
void account_failure(struct request *request, const char *code);

/* The same of a command that MULTI had queued; NULL: one without a row. */
void account_command_failure(struct conn *conn, const struct command *command, const char *code);

#endif
