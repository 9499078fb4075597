/*
 * conn_ops.h - what a connection asks of the rooms above it.
 *
 * The rooms that read and write know requests and replies, but not what commands do. These five
 * functions are declared here and defined where requests are routed (route/conn_ops.c): the linker
 * binds them, so that link-time optimisation can inline them and a test can bring its own. A table
 * of pointers instead costs a GET 22 instructions more. Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_CONN_OPS_H
#define SHOAL_CONN_CONN_OPS_H

struct conn;
struct plan;
struct reply;
struct request;

/* A request has been parsed: its arguments and its command (NULL: unknown) are set. */
void conn_ops_request(struct conn *conn, struct request *request);

/* Something that the held request (CONN_HELD) may have waited for has happened. */
void conn_ops_resume(struct conn *conn);

/* Writes the reply of a request that a plan answers, and afterwards lets go of the plan. */
void conn_ops_compose(struct plan *plan, struct reply *reply);
void conn_ops_finish(struct plan **plan);

/* The connection is about to be freed and nothing of it is under way. */
void conn_ops_closed(struct conn *conn);

#endif
