/*
 * describe.h - rows of the registry as clients and readers of the documentation see them.
 */
#ifndef SHOAL_CMD_DESCRIBE_H
#define SHOAL_CMD_DESCRIBE_H

#include <stdio.h>

#include "shoal/cmd/command.h"

/* One entry of COMMAND INFO; nil for NULL. Thread: any. */
void describe_info(struct reply *reply, const struct command *command);

/* The flags of a key of COMMAND INFO and GETKEYSANDFLAGS: what is done to it. Thread: any. */
void describe_key_flags(struct reply *reply, bool written);

/* The command's name and its map in COMMAND DOCS. Thread: any. */
void describe_docs(struct reply *reply, const struct command *command);

/* True when the command is in this ACL category ("string", without the @). Thread: any. */
bool describe_in_category(const struct command *command, struct bytes category);

/* The table of docs/commands.md: group, command, syntax, summary. Thread: startup. */
void describe_markdown(FILE *out);

#endif
