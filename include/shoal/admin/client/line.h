/*
 * line.h - one connection as CLIENT LIST and CLIENT INFO show it.
 */
#ifndef SHOAL_ADMIN_CLIENT_LINE_H
#define SHOAL_ADMIN_CLIENT_LINE_H

#include "shoal/conn/conn.h"

enum { CLIENT_LINE_MAX = 2048 }; /* three texts of CONN_NAME_MAX, two addresses, 40 short fields */

/*
 * Redis's fields in Redis's order, then shard=<reactor>, and a newline. A field of something that
 * shoal does not have shows the value of a client that does not use it (sub=0, redir=-1).
 *
 *   returns  the size, without the terminating zero
 *   thread   owner
 */
size_t client_line(const struct conn *conn, char out[CLIENT_LINE_MAX]);

/* 2 or 3; 0 for the native protocol. Thread: owner. */
int client_resp_version(const struct conn *conn);

#endif
