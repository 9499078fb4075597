/*
 * transport.h - what stands between the ring and the parser: what a client sends and what it means.
 *
 *   ring  ── bytes of the wire ──►  received()  ── input_given() ──►  requests
 *   ring  ◄── bytes of the wire ──  send()      ◄── out ────────────  replies, pushes
 *
 * A connection without one is plain: its bytes are parsed where the ring has put them, and sent from
 * where the replies are. That way is not asked whether there is a transport: the ring calls the
 * transport's own function (io_op.done), and CONN_TRANSPORT is one of the flags that conn_flush()
 * looks at in any case.
 *
 * conn_use_transport() gives a connection one. A transport owns the received bytes until it has made sense of them, so nothing is received
 * straight into a request (CONN_BULKY). It sends by conn->out.op, one send at a time, and says by
 * conn_sent() how much of `out` has gone. Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_TRANSPORT_H
#define SHOAL_CONN_TRANSPORT_H

#include <stddef.h>

struct conn;
struct io_event;
struct transport;

struct transport_kind {
    /* Bytes of the wire; they are the ring's afterwards. */
    void (*received)(struct conn *conn, struct transport *transport, const char *data, size_t size);
    /* `out` has something to send. A send of this connection may be in flight. */
    void (*send)(struct conn *conn, struct transport *transport);
    /* The send that it had started has ended: bytes of the wire that have gone, or -errno. */
    void (*sent)(struct conn *conn, struct transport *transport, int result);
    /* The connection is freed; no operation is in flight. */
    void (*close)(struct conn *conn, struct transport *transport);
};

/* At the head of a struct of the transport's own. */
struct transport {
    const struct transport_kind *kind;
};

#endif
