/*
 * options.h - the settings of the server, a field for each option.
 *
 * The table of options (table.h) drives the command line, the config file, the environment
 * (SHOAL_NAME), CONFIG GET and SET, --help, the man page and the completion.
 *
 * A struct settings is a complete, immutable snapshot once it is in use: CONFIG SET clones it,
 * changes the clone and has every reactor switch to that, so readers need neither locks nor
 * atomics.
 */
#ifndef SHOAL_OPTIONS_OPTIONS_H
#define SHOAL_OPTIONS_OPTIONS_H

#include "shoal/base/bytes.h"

enum {
    SETTINGS_BINDS_MAX = 16,
    SETTINGS_CPUS_MAX = 1024,
    SETTINGS_SHARDS_MAX = 128,
    SETTINGS_PERCENTILES_MAX = 16,
    SETTINGS_BUFFERS_MIN = 64 * 1024 * 1024, /* of a maxmemory-clients in % */
    SETTINGS_STATE_MIN = 64 * 1024 * 1024,   /* see settings_state_limit() */
    SETTINGS_ROWS_MAX = 64,                  /* rows of the table of options */
    SETTINGS_REMEMBERED_MAX = 256,           /* directives of Redis that are only accepted */
    SETTINGS_REMEMBERED_BYTES = 104,         /* text of one, with its zero */
};

/* enable-debug-command, enable-protected-configs */
enum option_access { ACCESS_NO, ACCESS_YES, ACCESS_LOCAL };

enum output_class { OUTPUT_NORMAL, OUTPUT_REPLICA, OUTPUT_PUBSUB, OUTPUT_CLASSES };

/* How the kernel schedules the worker threads: see sched(7). */
enum sched_policy {
    SCHED_POLICY_AUTO, /* batch if there are several threads and no fewer than CPUs */
    SCHED_POLICY_NORMAL,
    /* a thread that wakes up does not preempt a running one: fewer switches, larger batches */
    SCHED_POLICY_BATCH,
};

/* What the worker threads do their input and output with. */
enum io_engine {
    IO_ENGINE_AUTO, /* io_uring where the system allows it, else epoll */
    IO_ENGINE_URING,
    IO_ENGINE_EPOLL,
};

struct output_limit {
    uint64_t hard_bytes, soft_bytes; /* 0 = no limit */
    uint32_t soft_seconds;
};

/* Plain data: strings are fixed arrays so that a clone is one memcpy. */
struct settings {
    /* at start only */
    int port;                          /* 0 = no TCP */
    char bind[SETTINGS_BINDS_MAX][64]; /* a leading '-' = skip when unavailable */
    int bind_count;
    char unixsocket[108];
    int unixsocketperm; /* octal; 0 = umask's */
    int shards;         /* from 1 on, also where it was given as `auto` */
    bool shards_auto;
    uint16_t cpus[SETTINGS_CPUS_MAX]; /* --cpu-list, in order */
    int cpu_count;
    int sched_policy; /* enum sched_policy */
    bool batch;       /* what it comes to on this host */
    int tcp_backlog;
    int databases; /* 1..16 */
    char pidfile[256];
    char logfile[256];
    int io_engine;            /* enum io_engine */
    char uring_features[128]; /* "all", "6.1", or names */
    char config_file[256];    /* absolute path, "" = none */
    int busy_poll_us;
    int enable_debug_command;     /* enum option_access */
    int enable_protected_configs; /* enum option_access */
    uint64_t host_memory;         /* min(machine, cgroup): a maxmemory in percent is a part of it */

    /* changeable by CONFIG SET */
    uint64_t maxmemory;            /* bytes, resolved from % ; 0 = no limit */
    char maxmemory_text[32];       /* as given: "80%" */
    int maxmemory_policy;          /* index into evict_policies */
    uint64_t maxmemory_clients;    /* bytes, or ... */
    int maxmemory_clients_percent; /* ... % of maxmemory if not 0, see settings_buffers_limit() */
    int64_t default_ttl_ms, max_ttl_ms; /* 0 = none */
    int ttl_jitter_percent;
    bool activedefrag; /* these four: see store/keyspace/defrag.h */
    int64_t defrag_ignore_bytes;
    int defrag_threshold_lower, defrag_cycle_max; /* percent */
    int maxclients;
    char requirepass[512]; /* "" = none */
    bool protected_mode;
    int timeout_s; /* idle clients; 0 = never */
    int tcp_keepalive_s;
    int loglevel;              /* enum log_level */
    int64_t slowlog_slower_us; /* -1 = off */
    int slowlog_max_len;
    int latency_threshold_ms; /* latency-monitor-threshold */
    int64_t proto_max_bulk_len;
    int64_t client_query_buffer_limit;
    struct output_limit output_limit[OUTPUT_CLASSES];
    int shutdown_timeout_s;
    bool strict_mget;      /* MGET, DEL, UNLINK, EXISTS, TOUCH across shards as transactions */
    int hz;                /* only reported (INFO) */
    bool latency_tracking; /* per-command histograms, INFO latencystats */
    double latency_percentiles[SETTINGS_PERCENTILES_MAX];
    int latency_percentile_count;

    uint64_t version;        /* grows with each change, see settings.h */
    struct settings *_older; /* private to settings.c */

    /* private to src/options */
    uint8_t _source[SETTINGS_ROWS_MAX]; /* enum option_source of each row */
    char _remembered[SETTINGS_REMEMBERED_MAX][SETTINGS_REMEMBERED_BYTES]; /* "=value"; "" = unset */
};

/* The reason of a refusal, with its place where there is one: "--port: needs a value",
 * "shoal.conf:12: ...". */
struct option_error {
    char text[512];
};

/* What became of a CONFIG SET; all but OPTION_SET and OPTION_UNKNOWN come with an option_error. */
enum option_set_result { OPTION_SET, OPTION_UNKNOWN, OPTION_IMMUTABLE, OPTION_BAD };

/* maxmemory-clients in bytes; 0: no limit. Where maxmemory has no limit, a percentage is one of the
 * host's memory. Thread: any. */
uint64_t settings_buffers_limit(const struct settings *settings);

/* What state of clients may take (stats/state.h): a sixteenth of maxmemory, or of the host's memory
 * where that has no limit, and no less than SETTINGS_STATE_MIN. Thread: any. */
uint64_t settings_state_limit(const struct settings *settings);

#endif
