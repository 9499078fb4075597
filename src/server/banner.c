/*
 * banner.c - the start-up lines, each of which can be found with grep.
 */
#include "shoal/server/banner.h"

#include "shoal/base/clock.h"
#include "shoal/base/log.h"
#include "shoal/base/mem.h"
#include "shoal/base/minmax.h"
#include "shoal/net/socket.h"
#include "shoal/options/notes.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/store/evict/evict.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void print_version(void)
{
    log_write(LOG_NOTICE, "version: shoal %s build %s, %s, pid %d", SHOAL_VERSION, SHOAL_BUILD_ID,
              mem_allocator_name(), (int)getpid());
}

static void print_io(const struct server *server)
{
    const struct ring *ring = server->reactor[0]->ring;
    char why[ENGINE_WHY_TEXT];
    engine_why(&server->engine, why);
    log_write(LOG_NOTICE, "io: %s, %s; %s", ring->engine->name, ring->features, why);
}

/* How it came out, not what was asked for. */
static void pinned_text(const struct server *server, char *out, size_t size)
{
    uint32_t pinned = 0;
    for (uint32_t i = 0; i < server->count; i++)
        pinned += server_worker(server, i)->pinned;
    if (pinned == 0)
        snprintf(out, size, "not pinned");
    else if (pinned < server->count)
        snprintf(out, size, "%u of them pinned", pinned);
    else
        snprintf(out, size, "pinned to %u CPUs",
                 min((uint32_t)server->settings->cpu_count, server->count));
}

static void print_size(const struct server *server)
{
    const struct settings *settings = server->settings;
    char cpus[48];
    pinned_text(server, cpus, sizeof(cpus));
    log_write(LOG_NOTICE, "size: %d shards (%s), %s, maxmemory %lu bytes, policy %s, maxclients %d",
              settings->shards, settings->shards_auto ? "auto" : "as asked", cpus,
              (unsigned long)settings->maxmemory, evict_policies[settings->maxmemory_policy].name,
              (int)counter_get(&server->clients_max));
}

static long read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    long value = -1;
    if (file == NULL)
        return -1;
    if (fscanf(file, "%ld", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

static bool file_says(const char *path, const char *word)
{
    char line[128] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fgets(line, sizeof(line), file) != NULL && strstr(line, word) != NULL;
    fclose(file);
    return found;
}

static void print_warnings(const struct server *server)
{
    long somaxconn = read_number("/proc/sys/net/core/somaxconn");
    int count = 0;
    for (const char *const *warning = options_warnings(); *warning != NULL; warning++, count++)
        log_write(LOG_WARNING, "warning: %s", *warning);
    if (*options_ignored() != '\0')
        log_write(LOG_NOTICE, "ignored: %s", options_ignored());
    if (somaxconn > 0 && somaxconn < server->settings->tcp_backlog && ++count)
        log_write(LOG_WARNING, "warning: tcp-backlog is %d but net.core.somaxconn allows %ld",
                  server->settings->tcp_backlog, somaxconn);
    if (file_says("/sys/kernel/mm/transparent_hugepage/enabled", "[always]") && ++count)
        log_write(LOG_WARNING, "warning: transparent huge pages are on for everything: memory may "
                               "grow more than the data (echo madvise > "
                               "/sys/kernel/mm/transparent_hugepage/enabled)");
    if (count == 0)
        log_write(LOG_NOTICE, "warnings: none");
}

void banner_print(const struct server *server)
{
    print_version();
    print_io(server);
    print_size(server);
    print_warnings(server);
}

void banner_print_listeners(const struct server *server)
{
    char text[LISTENERS_MAX * ADDRESS_TEXT_MAX] = "";
    size_t at = 0;
    for (int i = 0; i < server->acceptor.count; i++) {
        char one[ADDRESS_TEXT_MAX];
        socket_local_text(server->acceptor.listener[i].fd, one);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i > 0 ? ", " : "", one);
    }
    log_write(LOG_NOTICE, "listening: %s", text);
}

/* "21265:M 22 Nov 2026 08:31:05.931 * Ready to accept connections": what Redis writes, in local time. */
void banner_print_ready(void)
{
    int64_t now_us = clock_wall_us();
    time_t now_s = (time_t)(now_us / 1000000);
    struct tm local;
    char date[32] = "";
    localtime_r(&now_s, &local);
    strftime(date, sizeof(date), "%d %b %Y %H:%M:%S", &local);
    log_write(LOG_NOTICE, "%d:M %s.%03d * Ready to accept connections", (int)getpid(), date,
              (int)(now_us / 1000 % 1000));
}
