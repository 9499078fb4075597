/*
 * answer.h - replies in the order of the requests, from wherever they were written.
 *
 * A reply is written straight into the connection's send buffer when its request is the first in
 * line. Any other is kept with its request until those before it have been answered. Thread: owner
 * of the connection.
 */
#ifndef SHOAL_CONN_ANSWER_H
#define SHOAL_CONN_ANSWER_H

#include "shoal/proto/reply.h"

struct conn;
struct request;

/* Where the reply of `request` is to be written: to the connection if it is the first in line. */
void answer_begin(struct request *request, struct reply *reply);

/* Takes the finished reply, and sends on what it held up. The request may be gone afterwards. */
void answer_end(struct request *request, struct reply *reply);

/* The response of another reactor to a forwarded request has arrived. */
void answer_arrived(struct request *request);

/* Sends what is answered, in order; then goes on with what waited for that. */
void answer_advance(struct conn *conn);

#endif
