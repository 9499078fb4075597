/*
 * memory.c - INFO: memory, as counted by the shards, the allocator and the kernel.
 */
#include "sections.h"

#include "shoal/store/evict/evict.h"

#include <stdio.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
    unsigned long size, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t highest_peak(const struct server *server)
{
    uint64_t peak = 0;
    for (uint32_t i = 0; i < server->count; i++) {
        uint64_t seen = counter_get(&server->reactor[i]->stats->used_peak);
        peak = seen > peak ? seen : peak;
    }
    return peak;
}

void memory_figures_read(struct reactor *here, struct memory_figures *figures)
{
    const struct server *server = here->server;
    *figures = (struct memory_figures){
        .startup = server->startup_bytes,
        .data = STATS_SUM(here, keyspace.used_bytes),
        .buffers = STATS_SUM(here, buffer_bytes),
        .state = state_total(here),
        .resident = resident_bytes(),
        .allocator = mem_stats_read(),
    };
    for (int db = 0; db < DATABASES_MAX; db++)
        figures->keys += STATS_SUM(here, keyspace.keys[db]);
    figures->used = figures->startup + figures->data + figures->buffers + figures->state;
    memory_note_peak(here->stats, figures->used);
    figures->peak = highest_peak(server);
}

static void add_allocator(struct info *info, const struct memory_figures *figures)
{
    const struct mem_stats *allocator = &figures->allocator;
    info_add(info, "allocator_allocated:%lu\r\n", (unsigned long)allocator->allocated);
    info_add(info, "allocator_active:%lu\r\n", (unsigned long)allocator->active);
    info_add(info, "allocator_resident:%lu\r\n", (unsigned long)allocator->resident);
    info_add(info, "allocator_frag_ratio:%.2f\r\n",
             ratio_of(allocator->active, allocator->allocated));
    info_add(info, "allocator_frag_bytes:%lu\r\n",
             (unsigned long)(allocator->active - allocator->allocated));
    info_add(info, "allocator_rss_ratio:%.2f\r\n",
             ratio_of(allocator->resident, allocator->active));
    info_add(info, "allocator_rss_bytes:%ld\r\n", (long)(allocator->resident - allocator->active));
    info_add(info, "rss_overhead_ratio:%.2f\r\n", ratio_of(figures->resident, allocator->resident));
    info_add(info, "rss_overhead_bytes:%ld\r\n", (long)(figures->resident - allocator->resident));
}

static void add_used(struct info *info, const struct memory_figures *figures)
{
    uint64_t growth = figures->used - figures->startup;
    info_add_bytes(info, "used_memory", figures->used);
    info_add_bytes(info, "used_memory_rss", figures->resident);
    info_add_bytes(info, "used_memory_peak", figures->peak);
    info_add(info, "used_memory_peak_perc:%.2f%%\r\n",
             ratio_of(figures->used, figures->peak) * 100);
    info_add(info, "used_memory_overhead:%lu\r\n",
             (unsigned long)(figures->startup + figures->buffers + figures->state));
    info_add(info, "used_memory_startup:%lu\r\n", (unsigned long)figures->startup);
    info_add(info, "used_memory_dataset:%lu\r\n", (unsigned long)figures->data);
    info_add(info, "used_memory_dataset_perc:%.2f%%\r\n", ratio_of(figures->data, growth) * 100);
}

/* As in Redis, the share of a CPU in % that defragmentation may take, and 0 while no shard runs
 * it. */
static void add_defrag(struct info *info)
{
    bool running = STATS_SUM(info->here, keyspace.defrag_running) > 0;
    info_add(info, "active_defrag_running:%d\r\n", running ? info->settings->defrag_cycle_max : 0);
}

/* The two halves of what maxmemory-clients limits. */
static void add_buffers(struct info *info)
{
    info_add_bytes(info, "maxmemory_clients", settings_buffers_limit(info->settings));
    info_add_bytes(info, "mem_clients_requests", STATS_SUM(info->here, request_bytes));
    info_add_bytes(info, "mem_clients_replies", STATS_SUM(info->here, reply_bytes));
}

/* What clients leave to be told, woken or checked later. */
static void add_state(struct info *info)
{
    info_add_bytes(info, "mem_state_limit", settings_state_limit(info->settings));
    info_add(info, "mem_state:%lu\r\n", (unsigned long)state_total(info->here));
    for (int kind = 0; kind < STATE_KINDS; kind++)
        info_add(info, "%s:%lu\r\n", state_rows[kind].name,
                 (unsigned long)state_sum(info->here, kind));
}

void info_memory(struct info *info)
{
    struct memory_figures figures;
    memory_figures_read(info->here, &figures);
    add_used(info, &figures);
    info_add_bytes(info, "total_system_memory", info->settings->host_memory);
    info_add_bytes(info, "used_memory_lua", 0);
    info_add(info, "used_memory_vm_total:0\r\nused_memory_functions:0\r\n");
    info_add_bytes(info, "used_memory_scripts", 0);
    info_add(info, "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\n");
    info_add_bytes(info, "maxmemory", info->settings->maxmemory);
    info_add(info, "maxmemory_policy:%s\r\n",
             evict_policies[info->settings->maxmemory_policy].name);
    add_buffers(info);
    add_state(info);
    add_allocator(info, &figures);
    info_add(info, "mem_fragmentation_ratio:%.2f\r\n", ratio_of(figures.resident, figures.used));
    info_add(info, "mem_fragmentation_bytes:%ld\r\n", (long)(figures.resident - figures.used));
    info_add(info, "mem_not_counted_for_evict:0\r\nmem_replication_backlog:0\r\n");
    info_add(info, "mem_clients_slaves:0\r\n");
    info_add(info, "mem_clients_normal:%lu\r\n", (unsigned long)figures.buffers);
    info_add(info, "mem_cluster_links:0\r\nmem_aof_buffer:0\r\n");
    info_add(info, "mem_allocator:%s\r\n", mem_allocator_name());
    add_defrag(info);
    COUNTERS_TO(info, keyspace.lazyfree_pending);
    info_add(info, "lazyfreed_objects:0\r\n");
}
