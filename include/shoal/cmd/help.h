/*
 * help.h - the HELP of a container, made of the rows of its sub-commands.
 */
#ifndef SHOAL_CMD_HELP_H
#define SHOAL_CMD_HELP_H

#include "shoal/cmd/command.h"

/*
 * The handler of HELP_ROW: an array whose first line is Redis's, then two lines a sub-command: its
 * name with its syntax, and its summary. Thread: any.
 */
void help_command(struct conn *conn, const struct args *args, struct reply *reply);

/* The row of HELP, for the end of a container's sub-commands. */
#define HELP_ROW(in_group, in_version, with_flags)                                                 \
    {                                                                                              \
        .name = "help", .arity = 2, .flags = (with_flags), .home = help_command,                   \
        .group = (in_group), .since = (in_version), .complexity = "O(1)", .syntax = "",            \
        .summary = "Describes the sub-commands."                                                   \
    }

#endif
