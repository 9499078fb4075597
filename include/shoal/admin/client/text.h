/*
 * text.h - what clients say about themselves: a name, their library and its version.
 */
#ifndef SHOAL_ADMIN_CLIENT_TEXT_H
#define SHOAL_ADMIN_CLIENT_TEXT_H

#include "shoal/proto/reply.h"

/*
 * True for printable ASCII of at most CONN_NAME_MAX bytes without spaces, because spaces separate
 * the fields of CLIENT LIST. False: the error is replied.
 *
 *   what     how the error begins: "Client names", "lib-name"
 *   thread   any
 */
bool client_text_ok(struct bytes text, const char *what, struct reply *reply);

/* Puts a copy in *place, NULL for the empty text. False: memory is out, nothing has changed.
 * Thread: owner. */
bool client_text_set(char **place, struct bytes text);

#endif
