/*
 * attachment.h - what rooms above keep of a connection: its subscriptions, its waiting for a key.
 *
 * A room puts the attachment at the head of a struct of its own, gives it to the connection, and
 * finds it again by its kind. What it keeps goes when the connection is reset (RESET), and at the
 * latest before it is freed, when no request of it is under way any more. Thread: owner of the
 * connection.
 */
#ifndef SHOAL_CONN_ATTACHMENT_H
#define SHOAL_CONN_ATTACHMENT_H

struct attachment;
struct conn;

struct attachment_kind {
    /* Lets go of everything and frees it. It is no longer found. */
    void (*drop)(struct conn *conn, struct attachment *attachment);
};

struct attachment {
    const struct attachment_kind *kind;
    struct attachment *next; /* the connection's */
};

/* Gives it to the connection, which has none of its kind yet. */
void conn_attach(struct conn *conn, struct attachment *attachment);

/* NULL: it has none of this kind. */
struct attachment *conn_attached(const struct conn *conn, const struct attachment_kind *kind);

/* Drops all. */
void conn_detach_all(struct conn *conn);

#endif
