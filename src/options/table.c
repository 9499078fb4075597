/*
 * table.c - the rows: every option that does something, in the order of --help.
 *
 * A new option is a field in struct settings and a row here. Names, ranges and defaults are Redis's
 * wherever Redis has the option.
 */
#include "shoal/options/table.h"

#include "shoal/base/log.h"
#include "shoal/base/must.h"
#include "shoal/options/special.h"
#include "shoal/store/evict/evict.h"
#include "shoal/store/keyspace/lifetime.h"

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#define FIELD(name) .offset = offsetof(struct settings, name)
#define TEXT(name) .type = OPTION_STRING, FIELD(name), .size = sizeof(((struct settings *)0)->name)
#define INT(name, low, high) .type = OPTION_INT, FIELD(name), .min = (low), .max = (high)
#define INT64(name, low, high) .type = OPTION_INT64, FIELD(name), .min = (low), .max = (high)
#define MEMORY(name, low, high) .type = OPTION_MEMORY, FIELD(name), .min = (low), .max = (high)
#define DURATION(name, high) .type = OPTION_DURATION, FIELD(name), .max = (high)
#define BOOL(name) .type = OPTION_BOOL, FIELD(name)
#define ENUM(name, list) .type = OPTION_ENUM, FIELD(name), .word = word_of_##list
#define SPECIAL(name)                                                                              \
    .type = OPTION_SPECIAL, .parse = option_parse_##name, .print = option_print_##name

/* in the order of enum log_level */
static const char *const log_levels[] = {
    "debug", "verbose", "notice", "warning", "nothing", NULL
};
static_assert(sizeof(log_levels) / sizeof(*log_levels) == LOG_NOTHING + 2, "a name a level");

/* in the order of enum sched_policy */
static const char *const sched_policies[] = { "auto", "normal", "batch", NULL };
static_assert(sizeof(sched_policies) / sizeof(*sched_policies) == SCHED_POLICY_BATCH + 2,
              "a name a policy");

/* in the order of enum io_engine */
static const char *const io_engines[] = { "auto", "uring", "epoll", NULL };
static_assert(sizeof(io_engines) / sizeof(*io_engines) == IO_ENGINE_EPOLL + 2, "a name an engine");

/* in the order of enum option_access */
static const char *const access_levels[] = { "no", "yes", "local", NULL };

static const char *word_of_log_levels(int value)
{
    return log_levels[value];
}

static const char *word_of_sched_policies(int value)
{
    return sched_policies[value];
}

static const char *word_of_io_engines(int value)
{
    return io_engines[value];
}

static const char *word_of_access_levels(int value)
{
    return access_levels[value];
}

static const char *word_of_policies(int value)
{
    return evict_policies[value].name;
}

static const char network[] = "Network";
static const char threads[] = "Shards and CPUs";
static const char memory[] = "Memory";
static const char clients[] = "Clients and requests";
static const char security[] = "Security";
static const char monitoring[] = "Logs and monitoring";
static const char process[] = "Process";

/* clang-format off */
const struct option option_rows[] = {
    { "port", .letter = 'p', INT(port, 0, 65535), .flags = OPTION_AT_START,
      .default_text = "6379", .group = network, .meta = "N",
      .help = "TCP port of RESP2, RESP3 and the native protocol; 0 = no TCP" },
    { "bind", .letter = 'l', SPECIAL(bind), .flags = OPTION_AT_START | OPTION_MULTI,
      .default_text = "127.0.0.1 -::1", .group = network, .meta = "ADDRESS...",
      .help = "addresses to listen on, * for all; one with a '-' before it may be "
              "missing" },
    { "unixsocket", TEXT(unixsocket), .flags = OPTION_AT_START,
      .default_text = "", .group = network, .meta = "PATH",
      .help = "path of a Unix socket to listen on as well" },
    { "unixsocketperm", .type = OPTION_OCTAL, FIELD(unixsocketperm), .flags = OPTION_AT_START,
      .default_text = "0", .group = network, .meta = "MODE",
      .help = "permissions of the Unix socket in octal, such as 770; 0 = the umask decides" },
    { "tcp-backlog", INT(tcp_backlog, 1, 65535), .flags = OPTION_AT_START,
      .default_text = "511", .group = network, .meta = "N",
      .help = "connections that the kernel may queue until the server accepts them" },
    { "tcp-keepalive", INT(tcp_keepalive_s, 0, INT_MAX),
      .default_text = "300", .group = network, .meta = "SECONDS",
      .help = "idle time after which the kernel probes a connection; 0 = never" },
    { "timeout", INT(timeout_s, 0, INT_MAX),
      .default_text = "0", .group = network, .meta = "SECONDS",
      .help = "close a connection that has been idle for this long; 0 = never" },

    { "shards", .alias = "threads", .letter = 't', SPECIAL(shards), .flags = OPTION_AT_START,
      .default_text = "auto", .group = threads, .meta = "N|auto",
      .help = "number of worker threads, each with a shard of its own; auto = as many as "
              "the CPUs that this process may use" },
    { "cpu-list", SPECIAL(cpus), .flags = OPTION_AT_START,
      .default_text = "", .group = threads, .meta = "LIST",
      .help = "CPUs to pin the worker threads to, in turn, such as 0-3,6" },
    { "sched-policy", ENUM(sched_policy, sched_policies), .flags = OPTION_AT_START,
      .default_text = "auto", .group = threads, .meta = "POLICY",
      .help = "how the kernel schedules the worker threads: normal; batch (a thread that "
              "wakes up does not preempt a running one); auto (batch if there are several and no "
              "fewer than CPUs)" },
    { "busy-poll-us", INT(busy_poll_us, 0, 1000000), .flags = OPTION_AT_START,
      .default_text = "0", .group = threads, .meta = "MICROSECONDS",
      .help = "how long a worker thread polls before it sleeps; for dedicated CPUs only" },
    { "io-engine", ENUM(io_engine, io_engines), .flags = OPTION_AT_START,
      .default_text = "auto", .group = threads, .meta = "ENGINE",
      .help = "how the worker threads receive and send: uring; epoll; auto (uring, and epoll "
              "where the system refuses io_uring)" },
    { "uring-features", TEXT(uring_features), .flags = OPTION_AT_START,
      .default_text = "all", .group = threads, .meta = "all|6.1|LIST",
      .help = "io_uring features that may be used: all that the kernel has, those of "
              "Linux 6.1, or a list of names" },

    { "maxmemory", .letter = 'm', SPECIAL(maxmemory), .flags = OPTION_MEGABYTES,
      .given = option_print_maxmemory_given,
      .default_text = "80%", .group = memory, .meta = "SIZE|N%|0",
      .help = "memory limit of the data; % of the cgroup's or the machine's memory; 0 = "
              "no limit (-m takes megabytes)" },
    { "maxmemory-policy", ENUM(maxmemory_policy, policies), .flags = OPTION_TELL_WORDS,
      .default_text = "allkeys-s3fifo", .group = memory, .meta = "POLICY",
      .help = "what is evicted at the memory limit (noeviction: nothing, and writes fail):" },
    { "maxmemory-clients", SPECIAL(maxmemory_clients),
      .default_text = "10%", .group = memory, .meta = "SIZE|N%|0",
      .help = "memory limit of requests being received and replies not sent yet; % of "
              "maxmemory, but at least 64mb; 0 = no limit" },
    { "default-ttl", DURATION(default_ttl_ms, LIFETIME_MS_MAX),
      .default_text = "0", .group = memory, .meta = "DURATION",
      .help = "TTL of a key that is written without one; 0 = none; in seconds, or with a "
              "unit: 500ms, 30s, 5m, 1h, 7d" },
    { "max-ttl", DURATION(max_ttl_ms, LIFETIME_MS_MAX),
      .default_text = "0", .group = memory, .meta = "DURATION",
      .help = "longest TTL that a key can have, also one that is written without a TTL; "
              "0 = no limit" },
    { "ttl-jitter", SPECIAL(jitter),
      .default_text = "0", .group = memory, .meta = "PERCENT",
      .help = "shorten each TTL by a random part of up to this many percent, 0 to 100, "
              "so that keys written together do not expire together" },
    { "activedefrag", SPECIAL(activedefrag), .flags = OPTION_MAY_LACK,
      .default_text = "yes", .group = memory, .meta = "yes|no",
      .help = "move items out of memory pages that are mostly empty, so that the pages "
              "return to the system" },
    { "active-defrag-threshold-lower", INT(defrag_threshold_lower, 0, 1000),
      .default_text = "10", .group = memory, .meta = "PERCENT",
      .help = "defragmentation starts when the idle memory in mostly empty pages exceeds this "
              "share of the data's size" },
    { "active-defrag-ignore-bytes", MEMORY(defrag_ignore_bytes, 1, INT64_MAX),
      .default_text = "8mb", .group = memory, .meta = "SIZE",
      .help = "defragmentation does not start while the idle memory in mostly empty pages is "
              "no more than this" },
    { "active-defrag-cycle-max", INT(defrag_cycle_max, 1, 99),
      .default_text = "5", .group = memory, .meta = "PERCENT",
      .help = "largest share of a CPU's time that a shard spends on defragmentation" },

    { "maxclients", .letter = 'c', INT(maxclients, 1, 10000000),
      .default_text = "10000", .group = clients, .meta = "N",
      .help = "most connections at the same time; further ones get an error" },
    { "databases", INT(databases, 1, 16), .flags = OPTION_AT_START,
      .default_text = "16", .group = clients, .meta = "N",
      .help = "number of databases that SELECT can choose from" },
    { "proto-max-bulk-len", MEMORY(proto_max_bulk_len, 1024 * 1024, INT64_MAX),
      .default_text = "512mb", .group = clients, .meta = "SIZE",
      .help = "largest single string in a request" },
    { "client-query-buffer-limit", MEMORY(client_query_buffer_limit, 1024 * 1024, INT64_MAX),
      .default_text = "1gb", .group = clients, .meta = "SIZE",
      .help = "largest request; a client that sends a larger one is disconnected" },
    { "client-output-buffer-limit", SPECIAL(output_limit), .flags = OPTION_MULTI,
      .default_text = "normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60", .group = clients,
      .meta = "CLASS HARD SOFT SECONDS...",
      .help = "disconnect a client that leaves more than HARD bytes of replies unread, "
              "or more than SOFT bytes for SECONDS; 0 = never" },
    { "strict-mget", BOOL(strict_mget),
      .default_text = "no", .group = clients, .meta = "yes|no",
      .help = "run MGET, DEL, UNLINK, EXISTS and TOUCH over several shards as one "
              "transaction" },

    { "requirepass", TEXT(requirepass), .flags = OPTION_SECRET,
      .default_text = "", .group = security, .meta = "PASSWORD",
      .help = "password that AUTH and HELLO AUTH must give; empty = no password" },
    { "protected-mode", BOOL(protected_mode),
      .default_text = "yes", .group = security, .meta = "yes|no",
      .help = "refuse clients from other hosts while there is no password" },
    { "enable-debug-command", ENUM(enable_debug_command, access_levels), .flags = OPTION_AT_START,
      .default_text = "no", .group = security, .meta = "no|yes|local",
      .help = "which clients may use DEBUG: none, all, or those over loopback and the Unix "
              "socket" },
    { "enable-protected-configs", ENUM(enable_protected_configs, access_levels),
      .flags = OPTION_AT_START | OPTION_NO_EFFECT, /* dir and dbfilename stay protected */
      .default_text = "no", .group = security, .meta = "no|yes|local",
      .help = "only reported by CONFIG GET" },

    { "loglevel", ENUM(loglevel, log_levels),
      .default_text = "notice", .group = monitoring, .meta = "LEVEL",
      .help = "least severe messages that are logged: debug, verbose, notice, warning; "
              "nothing = none" },
    { "logfile", TEXT(logfile), .flags = OPTION_AT_START,
      .default_text = "", .group = monitoring, .meta = "PATH",
      .help = "file to append the log to; empty = standard output" },
    { "slowlog-log-slower-than", INT64(slowlog_slower_us, -1, INT64_MAX),
      .default_text = "10000", .group = monitoring, .meta = "MICROSECONDS",
      .help = "a command that takes at least this long enters the slow log; -1 = none, 0 "
              "= all" },
    { "slowlog-max-len", INT(slowlog_max_len, 0, 1000000),
      .default_text = "128", .group = monitoring, .meta = "N",
      .help = "number of entries that the slow log keeps" },
    { "latency-monitor-threshold", INT(latency_threshold_ms, 0, INT_MAX),
      .default_text = "0", .group = monitoring, .meta = "MILLISECONDS",
      .help = "LATENCY LATEST and HISTORY record events that take at least this long; 0 "
              "= off" },
    { "latency-tracking", BOOL(latency_tracking),
      .default_text = "yes", .group = monitoring, .meta = "yes|no",
      .help = "keep a latency histogram of each command" },
    { "latency-tracking-info-percentiles", SPECIAL(percentiles), .flags = OPTION_MULTI,
      .default_text = "50 99 99.9", .group = monitoring, .meta = "P...",
      .help = "percentiles that INFO latencystats shows" },

    { "pidfile", TEXT(pidfile), .flags = OPTION_AT_START,
      .default_text = "", .group = process, .meta = "PATH",
      .help = "file to write the process id to; the server removes it when it ends" },
    { "shutdown-timeout", INT(shutdown_timeout_s, 0, INT_MAX),
      .default_text = "10", .group = process, .meta = "SECONDS",
      .help = "how long the server waits for replies in flight after SIGTERM" },
    { "hz", INT(hz, 1, 500), .flags = OPTION_NO_EFFECT,
      .default_text = "10", .group = process, .meta = "N",
      .help = "reported by INFO only" },
};
/* clang-format on */

const int option_row_count = sizeof(option_rows) / sizeof(*option_rows);
static_assert(sizeof(option_rows) / sizeof(*option_rows) <= SETTINGS_ROWS_MAX,
              "raise SETTINGS_ROWS_MAX");

bool option_is_shown(const struct option *row)
{
    return !(row->flags & OPTION_NO_EFFECT);
}

void option_help(const struct option *row, char out[OPTION_TEXT_MAX])
{
    size_t used = (size_t)snprintf(out, OPTION_TEXT_MAX, "%s", row->help);
    for (int i = 0; (row->flags & OPTION_TELL_WORDS) && row->word(i) != NULL; i++) {
        used += (size_t)snprintf(out + used, OPTION_TEXT_MAX - used, "%s%s", i > 0 ? ", " : " ",
                                 row->word(i));
        must(used < OPTION_TEXT_MAX);
    }
}
