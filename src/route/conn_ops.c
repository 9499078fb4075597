/*
 * conn_ops.c - where requests go once they are parsed.
 */
#include "shoal/conn/conn_ops.h"

#include "shoal/route/dispatch.h"
#include "shoal/route/multi.h"
#include "shoal/route/plan.h"

void conn_ops_request(struct conn *conn, struct request *request)
{
    dispatch(conn, request);
}

void conn_ops_resume(struct conn *conn)
{
    dispatch_held(conn);
}

void conn_ops_compose(struct plan *plan, struct reply *reply)
{
    plan_compose(plan, reply);
}

void conn_ops_finish(struct plan **plan)
{
    plan_free(plan);
}

void conn_ops_closed(struct conn *conn)
{
    transaction_drop(conn);
}
