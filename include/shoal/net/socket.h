/*
 * socket.h - making listening sockets and naming their ends. Thread: startup, except where said.
 */
#ifndef SHOAL_NET_SOCKET_H
#define SHOAL_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESS_TEXT_MAX = 128 };

/*
 * Listens on a numeric address or a name. Retries EADDRINUSE for about a second, since a killed
 * predecessor's sockets take some milliseconds to go.
 *
 *   returns  the descriptor, or -errno
 */
int socket_listen_tcp(const char *host, int port, int backlog);

/* Whether the listening socket `fd` already has this address, by itself or as part of all. */
bool socket_covers(int fd, const char *host, int port);

/* Listens on a Unix socket: takes a dead one's place, refuses that of a live one and of all else
 * that has the path (-EADDRINUSE). `mode` 0: as umask says. */
int socket_listen_unix(const char *path, int mode, int backlog);

/* What has the path after -EADDRINUSE, and what to do about it. */
const char *socket_unix_explain(const char *path);

/*
 * Has the kernel take no more than a few hundred KB ahead of us. By itself it lets a connection
 * that is not read pile up megabytes; a thousand of them exhaust its memory for TCP, and then it
 * drops what arrives, for all. Thread: any.
 */
void socket_receive_little(int fd);

/* Copies at most `size` bytes of what has arrived and was not received yet, which stay there.
 * Returns how many. Thread: any. */
size_t socket_peek(int fd, void *data, size_t size);

/* TCP_NODELAY, keepalive. Thread: any. */
void socket_tune(int fd, int keepalive_s);

/* What the peer's kernel has taken of all that was ever sent. False: not TCP. Thread: any. */
bool socket_acked_bytes(int fd, uint64_t *bytes);

/* "127.0.0.1:50312", "[::1]:50312", or "/path:0" for a Unix socket. Thread: any. */
void socket_peer_text(int fd, char out[ADDRESS_TEXT_MAX]);
void socket_local_text(int fd, char out[ADDRESS_TEXT_MAX]);

/* True when the peer has reset the connection. Thread: any. */
bool socket_peer_is_gone(int fd);

/* True when the peer is this machine; false when that cannot be told any more. Thread: any. */
bool socket_peer_is_local(int fd);

#endif
