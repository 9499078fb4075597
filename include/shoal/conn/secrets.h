/*
 * secrets.h - which arguments of a command may be passwords: no log shows them.
 *
 * Thread: any.
 */
#ifndef SHOAL_CONN_SECRETS_H
#define SHOAL_CONN_SECRETS_H

#include "shoal/cmd/command.h"

enum { SECRETS_ARGS_MAX = 64 }; /* the slow log shows fewer */

/* Bit i: argument i may be one, of the first SECRETS_ARGS_MAX. Commands that take a whole command as
 * their arguments (COMMAND GETKEYS) hide what that one would. */
uint64_t secrets_of(const struct command *command, const struct args *args);

#endif
