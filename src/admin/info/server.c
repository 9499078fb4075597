/*
 * server.c - INFO: the process and its clients.
 */
#include "shoal/admin/version.h"
#include "shoal/base/clock.h"

#include "sections.h"
#include "shoal/base/minmax.h"

#include <sys/utsname.h>
#include <unistd.h>

enum { SECONDS_A_DAY = 24 * 60 * 60, PATH_BYTES = 512 };

static void add_executable(struct info *info)
{
    char path[PATH_BYTES];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
    info_add(info, "executable:%.*s\r\n", size > 0 ? (int)size : 0, path);
}

void info_server(struct info *info)
{
    struct utsname name = { .sysname = "Linux" };
    uint64_t up_s = (clock_mono_ns() - info->server->started_mono_ns) / 1000000000;
    uname(&name);
    info_add(info, "redis_version:%s\r\n", REDIS_VERSION);
    info_add(info, "redis_git_sha1:00000000\r\nredis_git_dirty:0\r\n");
    info_add(info, "redis_build_id:%s\r\n", SHOAL_BUILD_ID);
    info_add(info, "redis_mode:standalone\r\n");
    info_add(info, "server_name:shoal\r\n");
    info_add(info, "shoal_version:%s\r\n", SHOAL_VERSION);
    info_add(info, "os:%s %s %s\r\n", name.sysname, name.release, name.machine);
    info_add(info, "arch_bits:%d\r\n", (int)sizeof(void *) * 8);
    info_add(info, "multiplexing_api:%s\r\n", info->here->ring->engine->name);
    info_add(info, "gcc_version:%d.%d.%d\r\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
    info_add(info, "process_id:%d\r\n", (int)getpid());
    info_add(info, "process_supervised:no\r\n");
    info_add(info, "run_id:%s\r\n", info->server->run_id);
    info_add(info, "tcp_port:%d\r\n", info->settings->port);
    info_add(info, "server_time_usec:%ld\r\n", (long)clock_wall_us());
    info_add(info, "uptime_in_seconds:%lu\r\n", (unsigned long)up_s);
    info_add(info, "uptime_in_days:%lu\r\n", (unsigned long)(up_s / SECONDS_A_DAY));
    info_add(info, "hz:%d\r\nconfigured_hz:%d\r\n", info->settings->hz, info->settings->hz);
    info_add(info, "io_threads_active:0\r\n");
    add_executable(info);
    info_add(info, "config_file:%s\r\n", info->settings->config_file);
}

/* The largest buffers of clients are always 0: a connection keeps none between requests, so the
 * server does not look for them. */
void info_clients(struct info *info)
{
    int max = info->settings->maxclients;
    max = min(max, (int)counter_get(&info->server->clients_max));
    COUNTERS_TO(info, clients);
    info_add(info, "cluster_connections:0\r\n");
    info_add(info, "maxclients:%d\r\n", max);
    info_add(info, "client_recent_max_input_buffer:0\r\n");
    info_add(info, "client_recent_max_output_buffer:0\r\n");
    COUNTERS_TO(info, blocked);
    info_add(info, "tracking_clients:0\r\n");
    COUNTERS_TO(info, pubsub_clients);
    info_add(info, "clients_in_timeout_table:0\r\n");
    info_add(info, "total_blocking_keys:0\r\n");
}
