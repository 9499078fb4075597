/*
 * attachment.c - the list of a connection's attachments: there are few kinds.
 */
#include "shoal/conn/attachment.h"

#include "shoal/base/must.h"
#include "shoal/conn/conn.h"

void conn_attach(struct conn *conn, struct attachment *attachment)
{
    must(conn_attached(conn, attachment->kind) == NULL);
    attachment->next = conn->attached;
    conn->attached = attachment;
}

struct attachment *conn_attached(const struct conn *conn, const struct attachment_kind *kind)
{
    struct attachment *at = conn->attached;
    while (at != NULL && at->kind != kind)
        at = at->next;
    return at;
}

void conn_detach_all(struct conn *conn)
{
    while (conn->attached != NULL) {
        struct attachment *first = conn->attached;
        conn->attached = first->next;
        first->kind->drop(conn, first);
    }
}
