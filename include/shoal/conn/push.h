/*
 * push.h - values for a client that no request of its connection has asked for.
 *
 * A push stands between two values that the client receives, never inside one:
 *
 *   reply A | reply B | push | reply C ...         `out`, as it is sent
 *
 *   at once        it goes behind what the connection has to send
 *   kept           ... unless a home command of this connection is writing its reply into the send
 *                  buffer, or an older push waits: then it waits in `conn->pushes`, which goes on
 *                  behind that reply, and before the turn's send
 *   PUSH_BEHIND    it waits there for every answer that has arrived before it, also for those that
 *                  are kept for the answers before them: the client cannot take an old value for a
 *                  new one because the push that says so came first
 *
 * Pushes keep their order. One that does not fit in memory costs its connection. Bytes of pushes
 * are limited by the class pubsub of client-output-buffer-limit, and do not count where replies
 * throttle a connection.
 *
 * Not to be called while a command runs on the shard, whose reply may be on its way into the send
 * buffer: what a command sets off is done after it. Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_PUSH_H
#define SHOAL_CONN_PUSH_H

#include "shoal/base/bytes.h"

struct conn;
struct reply_ref;
struct request;

/* A shared push is copied up to this size: less work than a chunk of its own. */
enum { PUSH_COPY_MAX = 1024 };

enum push_order { PUSH_AT_ONCE, PUSH_BEHIND };

/* Sends `encoded`, whole values in the connection's protocol. Copies. A connection that is closing
 * gets none. */
void conn_push(struct conn *conn, struct bytes encoded, enum push_order order);

/* The same for bytes that several connections share: takes a use of its own of the reference, which
 * has no pins. */
void conn_push_ref(struct conn *conn, struct reply_ref *ref, enum push_order order);

/* Moves on to the send buffer what need not wait any more. */
void pushes_go_on(struct conn *conn);

/* The answer of a request that pushes waited for (REQUEST_PUSHES) has been sent. */
void pushes_passed(struct conn *conn, const struct request *request);

/* Drops what waits. */
void pushes_clear(struct conn *conn);

#endif
