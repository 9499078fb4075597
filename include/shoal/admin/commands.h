/*
 * commands.h - the families of home commands, one table a file.
 *
 * A new family is one file in src/admin, one line here and one in src/commands.c.
 */
#ifndef SHOAL_ADMIN_COMMANDS_H
#define SHOAL_ADMIN_COMMANDS_H

#include "shoal/cmd/command.h"

extern const struct command connection_commands[];
extern const struct command hello_commands[];
extern const struct command client_commands[];
extern const struct command config_commands[];
extern const struct command info_commands[];
extern const struct command server_commands[];
extern const struct command command_commands[];
extern const struct command debug_commands[];
extern const struct command debug_park_commands[]; /* in builds with assertions */
extern const struct command function_commands[];
extern const struct command memory_commands[];
extern const struct command slowlog_commands[];
extern const struct command latency_commands[];
extern const struct command cluster_commands[];

#endif
