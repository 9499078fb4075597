/*
 * dispatch.h - from a parsed request to where it runs.
 */
#ifndef SHOAL_ROUTE_DISPATCH_H
#define SHOAL_ROUTE_DISPATCH_H

#include "shoal/conn/request.h"

/*
 * Takes a request with its arguments and its command (NULL: unknown) set, not yet in the
 * connection's queue: queues it and runs it, gathers it for the group, forwards it, plans it, or
 * refuses it with an error. Thread: owner of the connection.
 */
void dispatch(struct conn *conn, struct request *request);

/* Starts the request that was held back at the head of the queue, if it may run now. */
void dispatch_held(struct conn *conn);

#endif
