/*
 * kill.c - CLIENT KILL: every reactor ends those of its connections that match.
 */
#include "handlers.h"

#include "shoal/admin/client/filter.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/conn/request.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"

/* The caller still gets its reply: it is closed after that, and the requests behind in its pipeline
 * are not run. */
static void kill_control(struct reactor *here, void *context, struct reply *reply)
{
    const struct client_filter *filter = context;
    uint32_t count = 0;
    for (struct conn *conn = here->conns->first; conn != NULL; conn = conn->next) {
        if (!client_filter_matches(filter, conn))
            continue;
        count++;
        if (conn->id == filter->caller)
            conn_close_later(conn);
        else
            conn_kill(conn);
    }
    reply_raw(reply, bytes_of(&count, sizeof(count)));
    reply_mark(reply);
}

static void kill_merge(struct plan *plan, void *context, struct reply *reply)
{
    const struct client_filter *filter = context;
    uint32_t count = 0, of_one;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        memcpy(&of_one, plan_element(plan, i).data, sizeof(of_one));
        count += of_one;
    }
    if (!filter->by_address)
        reply_int(reply, count);
    else if (count > 0)
        reply_ok(reply);
    else
        reply_error(reply, "ERR No such client");
}

void client_kill(struct plan *plan, const struct args *args)
{
    char error[CLIENT_ERROR_MAX];
    struct client_filter *filter = client_filter_kill(plan->request->conn->id, args, error);
    if (filter != NULL)
        plan_add_control(plan, kill_control, kill_merge, filter);
    else
        plan_add_error(plan, error);
}
