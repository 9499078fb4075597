/*
 * commands.c - the families of all rooms: those of cmd, and those about connection and server.
 */
#include "shoal/commands.h"

#include "shoal/admin/commands.h"
#include "shoal/base/must.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/registry.h"
#include "shoal/pubsub/pubsub.h"
#include "shoal/route/multi.h"

enum { FAMILIES_MAX = 64 };

static const struct command *const other_families[] = {
    multi_commands,  connection_commands, hello_commands,   client_commands,  config_commands,
    info_commands,   server_commands,     command_commands, debug_commands,   function_commands,
    memory_commands, slowlog_commands,    latency_commands, cluster_commands, pubsub_commands,
};

void commands_register(void)
{
    const struct command *all[FAMILIES_MAX];
    uint32_t count = 0, others = sizeof(other_families) / sizeof(other_families[0]);
    const struct command *const *families = cmd_families(&count);
    must(count + others < FAMILIES_MAX);
    for (uint32_t i = 0; i < count; i++)
        all[i] = families[i];
    for (uint32_t i = 0; i < others; i++)
        all[count + i] = other_families[i];
    if (DCHECK_ON)
        all[count + others++] = debug_park_commands;
    registry_init(all, count + others);
}
