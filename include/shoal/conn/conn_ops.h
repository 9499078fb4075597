/*
 * conn_ops.h - what a connection asks of the rooms above it.
 *
 * The rooms that read and write know requests and replies, but not what commands do. There is one
 * table, filled where requests are routed (conn_ops.c); it is bound by the linker, so that the
 * calls cost nothing and a test can bring a table of its own. Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_CONN_OPS_H
#define SHOAL_CONN_CONN_OPS_H

struct conn;
struct plan;
struct reply;
struct request;

struct conn_ops {
    /* A request has been parsed: its arguments and its command (NULL: unknown) are set. */
    void (*request)(struct conn *conn, struct request *request);
    /* Something that the held request (CONN_HELD) may have waited for has happened. */
    void (*resume)(struct conn *conn);
    /* Writes the reply of a request that a plan answers, and afterwards lets go of the plan. */
    void (*compose)(struct plan *plan, struct reply *reply);
    void (*finish)(struct plan **plan);
    /* The connection is about to be freed and nothing of it is under way. */
    void (*closed)(struct conn *conn);
};

extern const struct conn_ops conn_ops;

#endif
