/*
 * families.h - the families of shard commands, one table a file.
 *
 * A new family is one file in src/cmd, one line here, one in src/cmd/families.c, one in its test.
 */
#ifndef SHOAL_CMD_FAMILIES_H
#define SHOAL_CMD_FAMILIES_H

#include "shoal/cmd/command.h"

extern const struct command strings_commands[];
extern const struct command string_parts_commands[];
extern const struct command strings_multi_commands[];
extern const struct command bits_commands[];
extern const struct command bitfield_commands[];
extern const struct command bitop_commands[];
extern const struct command lcs_commands[];
extern const struct command counters_commands[];
extern const struct command keys_commands[];
extern const struct command object_commands[];
extern const struct command move_commands[];
extern const struct command keyspace_commands[];
extern const struct command scan_commands[];
extern const struct command ttl_commands[];

/* All of the above; src/commands.c adds those of the other rooms. Thread: any. */
const struct command *const *cmd_families(uint32_t *count);

#endif
