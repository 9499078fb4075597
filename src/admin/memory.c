/*
 * memory.c - MEMORY: where the memory goes.
 */
#include "shoal/admin/info/memory.h"
#include "shoal/admin/commands.h"
#include "shoal/base/mem.h"
#include "shoal/cmd/generic/memory_usage.h"
#include "shoal/cmd/help.h"
#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"

#include <stdio.h>

enum {
    SMALL_BYTES = 64 * 1024 * 1024, /* below it fragmentation figures say nothing */
    REPORT_BYTES = 2048,
    STATE_NAME_MAX = 64,
};

static void add_bytes(struct reply *reply, const char *name, uint64_t value)
{
    reply_cstr(reply, name);
    reply_int(reply, (int64_t)value);
}

static void add_ratio(struct reply *reply, const char *name, double value)
{
    reply_cstr(reply, name);
    reply_double(reply, value);
}

static void add_allocator(struct reply *reply, const struct memory_figures *figures)
{
    const struct mem_stats *allocator = &figures->allocator;
    add_bytes(reply, "allocator.allocated", allocator->allocated);
    add_bytes(reply, "allocator.active", allocator->active);
    add_bytes(reply, "allocator.resident", allocator->resident);
    add_ratio(reply, "allocator-fragmentation.ratio",
              ratio_of(allocator->active, allocator->allocated));
    add_bytes(reply, "allocator-fragmentation.bytes", allocator->active - allocator->allocated);
    add_ratio(reply, "allocator-rss.ratio", ratio_of(allocator->resident, allocator->active));
    add_bytes(reply, "allocator-rss.bytes", allocator->resident - allocator->active);
    add_ratio(reply, "rss-overhead.ratio", ratio_of(figures->resident, allocator->resident));
    add_bytes(reply, "rss-overhead.bytes", figures->resident - allocator->resident);
    add_ratio(reply, "fragmentation", ratio_of(figures->resident, figures->used));
    add_bytes(reply, "fragmentation.bytes", figures->resident - figures->used);
}

/* Redis's fields, without those about replicas, scripts and hash tables apart from the data. */
static void memory_stats(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct memory_figures figures;
    (void)args;
    memory_figures_read(conn->reactor, &figures);
    uint64_t growth = figures.used - figures.startup;
    reply_map(reply, 21 + STATE_KINDS);
    add_bytes(reply, "peak.allocated", figures.peak);
    add_bytes(reply, "total.allocated", figures.used);
    add_bytes(reply, "startup.allocated", figures.startup);
    add_bytes(reply, "clients.normal", figures.buffers);
    for (int kind = 0; kind < STATE_KINDS; kind++) {
        char name[STATE_NAME_MAX];
        snprintf(name, sizeof(name), "state.%s", state_rows[kind].name + strlen("mem_state_"));
        add_bytes(reply, name, state_sum(conn->reactor, kind));
    }
    add_bytes(reply, "overhead.total", figures.startup + figures.buffers + figures.state);
    add_bytes(reply, "keys.count", figures.keys);
    add_bytes(reply, "keys.bytes-per-key", figures.keys > 0 ? growth / figures.keys : 0);
    add_bytes(reply, "dataset.bytes", figures.data);
    add_ratio(reply, "dataset.percentage", ratio_of(figures.data, growth) * 100);
    add_ratio(reply, "peak.percentage", ratio_of(figures.used, figures.peak) * 100);
    add_allocator(reply, &figures);
}

static void memory_purge(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    mem_purge();
    reply_ok(reply);
}

static void memory_doctor(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct memory_figures figures;
    char text[REPORT_BYTES];
    size_t size = 0;
    (void)args;
    memory_figures_read(conn->reactor, &figures);
    const struct settings *settings = conn->reactor->settings;
    if (settings->maxmemory > 0 && figures.data > settings->maxmemory / 100 * 95)
        size += (size_t)snprintf(text + size, sizeof(text) - size,
                                 "* %.0f %% of maxmemory is in use.\n",
                                 ratio_of(figures.data, settings->maxmemory) * 100);
    if (figures.used > SMALL_BYTES && ratio_of(figures.resident, figures.used) > 1.4)
        size += (size_t)snprintf(
            text + size, sizeof(text) - size,
            "* The process takes %.2f times the memory that is in use: MEMORY PURGE gives back "
            "what the allocator keeps.\n",
            ratio_of(figures.resident, figures.used));
    if (figures.used > SMALL_BYTES && !settings->activedefrag &&
        figures.allocator.active > figures.allocator.allocated / 4 * 5)
        size += (size_t)snprintf(
            text + size, sizeof(text) - size,
            "* %.0f MB lie idle in pages that are partly used: CONFIG SET activedefrag yes gives "
            "most of them back.\n",
            (double)(figures.allocator.active - figures.allocator.allocated) / (1024 * 1024));
    if (figures.buffers > SMALL_BYTES && figures.buffers > figures.data / 4)
        size += (size_t)snprintf(
            text + size, sizeof(text) - size,
            "* Buffers of connections take %.0f MB: clients send faster than they read.\n",
            (double)figures.buffers / (1024 * 1024));
    if (size == 0)
        size = (size_t)snprintf(text, sizeof(text), "Nothing stands out.\n");
    reply_verbatim(reply, bytes_of(text, size), "txt");
}

static void memory_malloc_stats(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct mem_stats stats = mem_stats_read();
    char text[REPORT_BYTES];
    (void)conn;
    (void)args;
    int size = snprintf(
        text, sizeof(text), "%s\nallocated: %lu\nactive: %lu\nresident: %lu\nretained: %lu\n",
        mem_allocator_name(), (unsigned long)stats.allocated, (unsigned long)stats.active,
        (unsigned long)stats.resident, (unsigned long)stats.retained);
    reply_verbatim(reply, bytes_of(text, (size_t)size), "txt");
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "doctor", .arity = 2, .home = memory_doctor,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Says what stands out about memory." },
    { .name = "malloc-stats", .arity = 2, .home = memory_malloc_stats,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the allocator's totals." },
    { .name = "purge", .arity = 2, .home = memory_purge,
      .group = "server", .since = "4.0.0", .complexity = "Depends on how much memory is free", .syntax = "",
      .summary = "Gives freed memory back to the system." },
    { .name = "stats", .arity = 2, .home = memory_stats,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns where the memory goes." },
    { .name = "usage", .arity = -3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = memory_usage,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "key [SAMPLES count]",
      .summary = "Returns what a key and its value take." },
    HELP_ROW("server", "4.0.0", CMD_ANYTIME),
    { 0 },
};

const struct command memory_commands[] = {
    { .name = "memory", .arity = -2, .subs = subs,
      .group = "server", .since = "4.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about memory." },
    { 0 },
};
/* clang-format on */
