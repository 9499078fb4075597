/*
 * options.c - what follows from several settings at once.
 */
#include "shoal/options/options.h"

uint64_t settings_state_limit(const struct settings *settings)
{
    uint64_t whole = settings->maxmemory > 0 ? settings->maxmemory : settings->host_memory;
    return whole / 16 > SETTINGS_STATE_MIN ? whole / 16 : SETTINGS_STATE_MIN;
}

uint64_t settings_buffers_limit(const struct settings *settings)
{
    uint64_t percent = (uint64_t)settings->maxmemory_clients_percent;
    uint64_t whole = settings->maxmemory > 0 ? settings->maxmemory : settings->host_memory;
    uint64_t part = whole / 100 * percent;
    if (percent == 0)
        return settings->maxmemory_clients;
    return part > SETTINGS_BUFFERS_MIN ? part : SETTINGS_BUFFERS_MIN;
}
