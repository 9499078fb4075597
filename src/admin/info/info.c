/*
 * info.c - INFO: which sections are asked for, and their text one after the other.
 */
#include "shoal/admin/commands.h"
#include "shoal/cmd/errors.h"
#include "shoal/route/plan.h"
#include "shoal/server/due.h"

#include "sections.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INFO_LINE_MAX = 4096, INFO_CAPACITY_MIN = 8192 };

enum asked { BY_DEFAULT = 1, IN_ALL = 2, IN_EVERYTHING = 4 };

struct section {
    const char *name, *title;
    void (*write)(struct info *info);
    uint8_t asked; /* enum asked */
};

static void nothing(struct info *info)
{
    (void)info; /* there are no modules */
}

/* In the order in which they are shown. */
static const struct section sections[] = {
    { "server", "Server", info_server, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "clients", "Clients", info_clients, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "memory", "Memory", info_memory, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "persistence", "Persistence", info_persistence, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "stats", "Stats", info_stats, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "replication", "Replication", info_replication, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "cpu", "CPU", info_cpu, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "modules", "Modules", nothing, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "commandstats", "Commandstats", info_commandstats, IN_ALL | IN_EVERYTHING },
    { "errorstats", "Errorstats", info_errorstats, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "latencystats", "Latencystats", info_latencystats, IN_ALL | IN_EVERYTHING },
    { "cluster", "Cluster", info_cluster, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "keyspace", "Keyspace", info_keyspace, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "shoal", "Shoal", info_shoal, BY_DEFAULT | IN_ALL | IN_EVERYTHING },
    { "shards", "Shards", info_shards, IN_EVERYTHING },
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

/* ---- the text ------------------------------------------------------------ */

static bool make_room(struct info *info, size_t size)
{
    if (info->capacity - info->size >= size)
        return true;
    size_t larger = info->capacity > 0 ? info->capacity * 2 : INFO_CAPACITY_MIN;
    char *text = realloc(info->text, larger);
    if (text == NULL) {
        info->no_memory = true;
        return false;
    }
    info->text = text;
    info->capacity = larger;
    return true;
}

void info_add(struct info *info, const char *format, ...)
{
    if (!make_room(info, INFO_LINE_MAX))
        return;
    va_list values;
    va_start(values, format);
    int size = vsnprintf(info->text + info->size, INFO_LINE_MAX, format, values);
    va_end(values);
    info->size += size < INFO_LINE_MAX ? (size_t)size : INFO_LINE_MAX - 1;
}

void info_add_bytes(struct info *info, const char *name, uint64_t bytes)
{
    static const char units[] = "BKMGTP";
    double scaled = (double)bytes;
    int unit = 0;
    for (; scaled >= 1024 && units[unit + 1] != '\0'; unit++)
        scaled /= 1024;
    info_add(info, "%s:%lu\r\n", name, (unsigned long)bytes);
    info_add(info, "%s_human:%.*f%c\r\n", name, unit > 0 ? 2 : 0, scaled, units[unit]);
}

/* ---- counters ------------------------------------------------------------ */

/* Takes the section's next row; NULL when there is none left. */
static const struct counter_row *row_take(struct info *info)
{
    while (info->row < counters_count()) {
        const struct counter_row *row = counters_at(info->row++);
        if (strcmp(row->section, info->section) == 0)
            return row;
    }
    return NULL;
}

static void add_sum(struct info *info, const struct counter_row *row)
{
    info_add(info, "%s:%lu\r\n", row->name, (unsigned long)stats_sum(info->here, row->offset));
}

void info_counters_to(struct info *info, size_t offset)
{
    const struct counter_row *row;
    do {
        row = row_take(info);
        must(row != NULL);
        add_sum(info, row);
    } while (row->offset != offset);
}

static void add_other_counters(struct info *info)
{
    const struct counter_row *row;
    while ((row = row_take(info)) != NULL)
        add_sum(info, row);
}

/* ---- the command --------------------------------------------------------- */

static unsigned group_of(struct bytes name)
{
    if (bytes_is(name, "default"))
        return BY_DEFAULT;
    if (bytes_is(name, "all"))
        return IN_ALL;
    return bytes_is(name, "everything") ? IN_EVERYTHING : 0;
}

static bool is_asked(const struct section *section, const struct args *args)
{
    if (args->count == 1)
        return section->asked & BY_DEFAULT;
    for (uint32_t i = 1; i < args->count; i++) {
        struct bytes name = args_at(args, i);
        if (bytes_is(name, section->name) || section->asked & group_of(name))
            return true;
    }
    return false;
}

/* A reactor publishes its figures now and then; here each one does, so that what the client has done
 * before counts. */
static void info_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    (void)reply;
    due_publish(here);
}

static void section_write(struct info *info, const struct section *section)
{
    info->section = section->title;
    info->row = 0;
    info_add(info, "%s# %s\r\n", info->size > 0 ? "\r\n" : "", section->title);
    section->write(info);
    add_other_counters(info);
}

static void info_merge(struct plan *plan, void *context, struct reply *reply)
{
    const struct args *args = context;
    struct info info = {
        .here = plan->home,
        .server = plan->home->server,
        .settings = plan->home->settings,
    };
    for (int i = 0; i < SECTIONS; i++)
        if (is_asked(&sections[i], args))
            section_write(&info, &sections[i]);
    if (info.no_memory)
        reply_error(reply, ERR_NO_MEMORY);
    else
        reply_verbatim(reply, bytes_of(info.text, info.size), "txt");
    free(info.text);
}

static void info_command(struct plan *plan, const struct args *args)
{
    struct args *kept = malloc(sizeof(*kept));
    if (kept == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    *kept = *args; /* the words that it points at stay until the plan ends */
    plan_add_control(plan, info_control, info_merge, kept);
}

/* clang-format off */
const struct command info_commands[] = {
    { .name = "info", .arity = -1, .flags = CMD_LOADING | CMD_STALE,
      .route = ROUTE_GATHER, .gather = info_command,
      .group = "server", .since = "1.0.0", .complexity = "O(1)", .syntax = "[section [section ...]]",
      .summary = "Returns information and statistics about the server." },
    { 0 },
};
/* clang-format on */
