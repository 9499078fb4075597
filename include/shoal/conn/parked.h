/*
 * parked.h - a request that waits on a shard for something to happen.
 *
 *   home of the connection                               the shard
 *
 *   a command with CMD_MAY_PARK is first in line,   ──►  it cannot answer now: it keeps what it needs
 *   and holds what is behind it (REQUEST_ALONE)          (shard/parking.h) and answers at once:
 *   request_park(): credit and receive buffer are   ◄──  ANSWER_PARKED
 *   free again, the connection stands on no list
 *   parked_answer(): it goes on                     ◄──  an ordered push: the answer, for (client,
 *                                                        number) and nobody else
 *   parked_cancel(): the client has gone; the       ──►  it forgets the waiter, if it is still there
 *   connection may be freed before that is heard    ◄──  the request is freed
 *
 * The answer is ordered (mesh/message.h): it could pass ANSWER_PARKED otherwise, and be lost.
 * Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_PARKED_H
#define SHOAL_CONN_PARKED_H

#include "shoal/conn/request.h"

/* The shard has kept it: its answer comes later, or never. answer.cancel is set. */
void request_park(struct request *request);

/* The answer of a parked request: takes over a use of it (NULL: there was no memory, and the
 * connection is closed). False: nobody waits for it any more, and it stays the caller's. */
bool parked_answer(struct reactor *here, struct caller caller, struct reply_ref *ref);

/* The connection ends without an answer. */
void parked_cancel(struct conn *conn);

/* Of a message that the shard runs to cancel one. Thread: the shard. */
struct caller parked_cancelled(const struct message *message);

#endif
