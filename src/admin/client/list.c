/*
 * list.c - CLIENT LIST over all reactors, CLIENT INFO at home.
 */
#include "handlers.h"

#include "shoal/admin/client/filter.h"
#include "shoal/admin/client/line.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conns.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"

#include <stdlib.h>

/* One element a reactor: the lines as they are. */
static void list_control(struct reactor *here, void *context, struct reply *reply)
{
    char line[CLIENT_LINE_MAX];
    for (const struct conn *conn = here->conns->first; conn != NULL; conn = conn->next)
        if (client_filter_matches(context, conn))
            reply_raw(reply, bytes_of(line, client_line(conn, line)));
    reply_mark(reply);
}

static void list_merge(struct plan *plan, void *context, struct reply *reply)
{
    (void)context;
    struct bytes lines[MESH_REACTORS_MAX];
    size_t size = 0, at = 0;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        lines[i] = plan_element(plan, i);
        size += lines[i].size;
    }
    char *text = malloc(size + 1);
    if (text == NULL) {
        reply_error(reply, ERR_NO_MEMORY);
        return;
    }
    for (uint32_t i = 0; i < plan->home->count; i++) {
        memcpy(text + at, lines[i].data, lines[i].size);
        at += lines[i].size;
    }
    reply_verbatim(reply, bytes_of(text, size), "txt");
    free(text);
}

void client_list(struct plan *plan, const struct args *args)
{
    char error[CLIENT_ERROR_MAX];
    struct client_filter *filter = client_filter_list(plan->request->conn->id, args, error);
    if (filter != NULL)
        plan_add_control(plan, list_control, list_merge, filter);
    else
        plan_add_error(plan, error);
}

void client_info(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    char line[CLIENT_LINE_MAX];
    reply_verbatim(reply, bytes_of(line, client_line(conn, line)), "txt");
}
