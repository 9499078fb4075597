/*
 * families.c - the list of the families of shard commands.
 */
#include "shoal/cmd/families.h"

static const struct command *const families[] = {
    strings_commands,  string_parts_commands, strings_multi_commands, bits_commands,
    bitfield_commands, bitop_commands,        lcs_commands,           counters_commands,
    keys_commands,     object_commands,       keyspace_commands,      scan_commands,
    ttl_commands,      move_commands,
};

const struct command *const *cmd_families(uint32_t *count)
{
    *count = sizeof(families) / sizeof(families[0]);
    return families;
}
