/*
 * assign.c - gives one option its value while loading, and settles what depends on several.
 */
#include "shoal/options/assign.h"

#include "shoal/base/must.h"
#include "shoal/options/compat.h"
#include "shoal/options/file.h"
#include "shoal/options/find.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX = 64 }; /* bytes of a wrong value or name that an error shows */

void options_defaults(struct settings *settings, const struct host_limits *host)
{
    memset(settings, 0, sizeof(*settings));
    settings->host_memory = host->memory;
    struct option_error error;
    for (int i = 0; i < option_row_count; i++) {
        const struct option *row = &option_rows[i];
        bool ok = option_parse(row, settings, bytes_str(row->default_text), &error);
        must(ok || (row->flags & OPTION_MAY_LACK));
    }
}

/* The name as the user wrote it there: --port, SHOAL_PORT, port. */
static void show_name(char out[2 * SHOWN_MAX], struct bytes name, enum option_source source)
{
    const char *prefix = source == SOURCE_ARGUMENT      ? "--"
                         : source == SOURCE_ENVIRONMENT ? "SHOAL_"
                                                        : "";
    int size = name.size > SHOWN_MAX ? SHOWN_MAX : (int)name.size;
    int start = snprintf(out, 2 * SHOWN_MAX, "%s%.*s", prefix, size, name.data) - size;
    for (char *p = out + start; source == SOURCE_ENVIRONMENT && *p != '\0'; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static bool unknown(struct bytes name, enum option_source source, struct option_error *error)
{
    char shown[2 * SHOWN_MAX], near_shown[2 * SHOWN_MAX];
    show_name(shown, name, source);
    const char *nearest = option_nearest(name);
    if (nearest == NULL)
        return option_error_set(error, "%s: unknown option", shown);
    show_name(near_shown, bytes_str(nearest), source);
    return option_error_set(error, "%s: unknown option (did you mean %s?)", shown, near_shown);
}

static bool wrong_count(const struct option_line *line, const char *shown,
                        struct option_error *error)
{
    if (line->words == 0)
        return option_error_set(error, "%s: needs a value", shown);
    bool comment = memchr(line->value.data, '#', line->value.size) != NULL;
    return option_error_set(error, "%s: takes one value, not %d%s", shown, line->words,
                            comment ? " (a comment needs a line of its own)" : "");
}

static bool wrong_value(const struct option *row, const struct option_line *line, const char *shown,
                        struct option_error *error)
{
    struct option_error reason = *error;
    if (row->flags & OPTION_SECRET)
        return option_error_set(error, "%s: %.300s", shown, reason.text);
    int size = line->value.size > SHOWN_MAX ? SHOWN_MAX : (int)line->value.size;
    return option_error_set(error, "%s: %.300s, not \"%.*s\"", shown, reason.text, size,
                            line->value.data);
}

bool options_assign(struct settings *settings, const struct option_line *line,
                    enum option_source source, struct option_error *error)
{
    const struct option *row = option_find(line->name);
    int directive = row == NULL ? compat_find(line->name) : -1;
    if (row == NULL && directive < 0)
        return unknown(line->name, source, error);
    if (row == NULL) {
        options_note_ignored(compat_name(directive));
        compat_load(settings, directive, line->value);
        return true;
    }
    char shown[2 * SHOWN_MAX];
    show_name(shown, line->name, source);
    if (line->words == 0 || (line->words > 1 && !(row->flags & OPTION_MULTI)))
        return wrong_count(line, shown, error);
    if (!option_parse(row, settings, line->value, error))
        return wrong_value(row, line, shown, error);
    if (row->flags & OPTION_NO_EFFECT)
        options_note_ignored(row->name);
    settings->_source[row - option_rows] = (uint8_t)source;
    return true;
}

static int cpus_for_shards(const struct settings *settings, const struct host_limits *host)
{
    bool listed = settings->cpu_count > 0 && settings->cpu_count < host->cpus;
    return listed ? settings->cpu_count : host->cpus;
}

static void settle_shards(struct settings *settings, const struct host_limits *host)
{
    int count = cpus_for_shards(settings, host);
    if (settings->shards_auto) {
        settings->shards = count > SETTINGS_SHARDS_MAX ? SETTINGS_SHARDS_MAX : count;
        return;
    }
    if (settings->shards > host->cpus)
        options_warn(
            "shards %d: more than the %d CPUs this process may use (affinity %d, cgroup quota %d); "
            "threads will wait for each other",
            settings->shards, host->cpus, host->cpus_affinity, host->cpus_quota);
    if (settings->cpu_count > 0 && settings->cpu_count < settings->shards)
        options_warn("cpu-list: %d CPUs for %d shards; some will share one", settings->cpu_count,
                     settings->shards);
}

static void check_maxmemory(const struct settings *settings)
{
    const uint64_t mb = 1024 * 1024;
    bool percent = strchr(settings->maxmemory_text, '%') != NULL;
    if (percent && settings->host_memory == 0)
        options_warn("maxmemory %s: the size of the memory is unknown, so there is no limit",
                     settings->maxmemory_text);
    else if (!percent && settings->host_memory > 0 && settings->maxmemory > settings->host_memory)
        options_warn("maxmemory %s: more than the %" PRIu64 " MB of this machine or cgroup",
                     settings->maxmemory_text, settings->host_memory / mb);
}

/* Worker threads that share CPUs with each other or with their clients do better if none preempts a
 * running thread: four on two CPUs spend a quarter less CPU on a request (bench/peers/shards.sh).
 * A single thread, or one with CPUs to choose from, answers sooner if it does. */
static void settle_sched_policy(struct settings *settings, const struct host_limits *host)
{
    bool crowded = settings->shards > 1 && settings->shards >= cpus_for_shards(settings, host);
    settings->batch = settings->sched_policy == SCHED_POLICY_BATCH ||
                      (settings->sched_policy == SCHED_POLICY_AUTO && crowded);
}

void options_resolve(struct settings *settings, const struct host_limits *host)
{
    settle_shards(settings, host);
    settle_sched_policy(settings, host);
    check_maxmemory(settings);
}
