/*
 * auth.h - checks passwords. There is one user, "default", whose password is --requirepass.
 */
#ifndef SHOAL_ADMIN_AUTH_H
#define SHOAL_ADMIN_AUTH_H

#include "shoal/base/bytes.h"

struct conn;

enum { PASSWORD_SIZE = 512 }; /* of settings->requirepass, its zero included */

/*
 * Compares in a time that depends on neither text.
 *
 *   secret   ends at its first zero; what is behind that is ignored
 *   thread   any
 */
bool password_equals(const char secret[PASSWORD_SIZE], struct bytes given);

/*
 * Checks a user's password; a refusal is counted. Without a password set, any is right, as in
 * Redis.
 *
 *   returns  NULL, or the error to reply
 *   thread   owner of the connection
 */
const char *auth_refusal(const struct conn *conn, struct bytes user, struct bytes password);

#endif
