/*
 * conn_ops.c - where requests go once they are parsed.
 */
#include "shoal/conn/conn_ops.h"

#include "shoal/route/dispatch.h"
#include "shoal/route/multi.h"
#include "shoal/route/plan.h"

const struct conn_ops conn_ops = {
    .request = dispatch,
    .resume = dispatch_held,
    .compose = plan_compose,
    .finish = plan_free,
    .closed = transaction_drop,
};
