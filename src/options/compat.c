/*
 * compat.c - the directives of Redis 7.0 and 7.2 that have no meaning here.
 *
 * They exist so that a redis.conf starts the server and tools that read or set them go on working.
 * None of them does anything, so none may claim that a feature is on: what would be such a claim
 * (appendonly yes, tls-port 6380) is refused by CONFIG SET and dropped from a config file.
 */
#include "shoal/options/compat.h"

#include "shoal/base/must.h"
#include "shoal/base/number.h"
#include "shoal/options/notes.h"
#include "shoal/options/value.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

enum kind {
    KEEP,      /* any value of its type is remembered */
    HIDDEN,    /* the same, and CONFIG GET shows it to its full name only */
    KEEP_SET,  /* CONFIG SET's value is remembered; what a config file says is dropped */
    FIXED,     /* CONFIG SET takes the value it has and no other */
    AT_START,  /* the same, in Redis's words for what only a restart changes */
    PROTECTED, /* the same, in Redis's words for what may not be changed remotely */
    ONLY_FILE, /* no option to CONFIG GET: loadmodule */
};
enum type { NUMBER, SIZE, FLAG, WORD };

struct directive {
    const char *name, *alias, *value;
    uint8_t kind, type;
    const char *loss; /* what to warn of when a config file gives another value; or NULL */
};

/* clang-format off */
static const struct directive directives[] = {
    /* Remembered for compatibility: thresholds of encodings, set by tools and by Redis's own test suite. */
    { "hash-max-listpack-entries", "hash-max-ziplist-entries", "512", KEEP, NUMBER, NULL },
    { "hash-max-listpack-value", "hash-max-ziplist-value", "64", KEEP, SIZE, NULL },
    { "hll-sparse-max-bytes", NULL, "3000", KEEP, SIZE, NULL },
    { "list-compress-depth", NULL, "0", KEEP, NUMBER, NULL },
    { "list-max-listpack-size", "list-max-ziplist-size", "-2", KEEP, NUMBER, NULL },
    { "set-max-intset-entries", NULL, "512", KEEP, NUMBER, NULL },
    { "set-max-listpack-entries", NULL, "128", KEEP, NUMBER, NULL },
    { "set-max-listpack-value", NULL, "64", KEEP, SIZE, NULL },
    { "stream-node-max-bytes", NULL, "4096", KEEP, SIZE, NULL },
    { "stream-node-max-entries", NULL, "100", KEEP, NUMBER, NULL },
    { "zset-max-listpack-entries", "zset-max-ziplist-entries", "128", KEEP, NUMBER, NULL },
    { "zset-max-listpack-value", "zset-max-ziplist-value", "64", KEEP, SIZE, NULL },

    /* Memory, expiry and background work: decided otherwise here. */
    { "active-defrag-cycle-min", NULL, "1", KEEP, NUMBER, NULL },
    { "active-defrag-max-scan-fields", NULL, "1000", KEEP, NUMBER, NULL },
    { "active-defrag-threshold-upper", NULL, "100", KEEP, NUMBER, NULL },
    { "active-expire-effort", NULL, "1", KEEP, NUMBER, NULL },
    { "activerehashing", NULL, "yes", KEEP, FLAG, NULL },
    { "dynamic-hz", NULL, "yes", KEEP, FLAG, NULL },
    { "jemalloc-bg-thread", NULL, "yes", KEEP, FLAG, NULL },
    { "lazyfree-lazy-eviction", NULL, "no", KEEP, FLAG, NULL },
    { "lazyfree-lazy-expire", NULL, "no", KEEP, FLAG, NULL },
    { "lazyfree-lazy-server-del", NULL, "no", KEEP, FLAG, NULL },
    { "lazyfree-lazy-user-del", NULL, "no", KEEP, FLAG, NULL },
    { "lazyfree-lazy-user-flush", NULL, "no", KEEP, FLAG, NULL },
    { "lfu-decay-time", NULL, "1", KEEP, NUMBER, NULL },
    { "lfu-log-factor", NULL, "10", KEEP, NUMBER, NULL },
    { "maxmemory-eviction-tenacity", NULL, "10", KEEP, NUMBER, NULL },
    { "maxmemory-samples", NULL, "5", KEEP, NUMBER, NULL },

    /* Persistence: nothing is written to disk. */
    { "aof-disable-auto-gc", NULL, "no", HIDDEN, FLAG, NULL },
    { "aof-load-truncated", NULL, "yes", KEEP, FLAG, NULL },
    { "aof-rewrite-incremental-fsync", NULL, "yes", KEEP, FLAG, NULL },
    { "aof-timestamp-enabled", NULL, "no", KEEP, FLAG, NULL },
    { "aof-use-rdb-preamble", NULL, "yes", KEEP, FLAG, NULL },
    { "aof_rewrite_cpulist", NULL, "", AT_START, WORD, NULL },
    { "appenddirname", NULL, "appendonlydir", AT_START, WORD, NULL },
    { "appendfilename", NULL, "appendonly.aof", AT_START, WORD, NULL },
    { "appendfsync", NULL, "everysec", KEEP, WORD, NULL },
    { "appendonly", NULL, "no", FIXED, FLAG,
      "nothing is written to disk" },
    { "auto-aof-rewrite-min-size", NULL, "67108864", KEEP, SIZE, NULL },
    { "auto-aof-rewrite-percentage", NULL, "100", KEEP, NUMBER, NULL },
    { "bgsave_cpulist", NULL, "", AT_START, WORD, NULL },
    { "dbfilename", NULL, "dump.rdb", PROTECTED, WORD, NULL },
    { "dir", NULL, "", PROTECTED, WORD, NULL },
    { "no-appendfsync-on-rewrite", NULL, "no", KEEP, FLAG, NULL },
    { "rdb-del-sync-files", NULL, "no", KEEP, FLAG, NULL },
    { "rdb-key-save-delay", NULL, "0", HIDDEN, NUMBER, NULL },
    { "key-load-delay", NULL, "0", HIDDEN, NUMBER, NULL },
    { "rdb-save-incremental-fsync", NULL, "yes", KEEP, FLAG, NULL },
    { "rdbchecksum", NULL, "yes", AT_START, FLAG, NULL },
    { "rdbcompression", NULL, "yes", KEEP, FLAG, NULL },
    { "sanitize-dump-payload", NULL, "no", KEEP, WORD, NULL },
    { "save", NULL, "", KEEP_SET, WORD, NULL }, /* test suites set and restore it; LASTSAVE never moves */
    { "stop-writes-on-bgsave-error", NULL, "yes", KEEP, FLAG, NULL },

    /* Replication and cluster: none yet. */
    { "cluster-allow-pubsubshard-when-down", NULL, "yes", KEEP, FLAG, NULL },
    { "cluster-allow-reads-when-down", NULL, "no", KEEP, FLAG, NULL },
    { "cluster-allow-replica-migration", NULL, "yes", KEEP, FLAG, NULL },
    { "cluster-announce-bus-port", NULL, "0", FIXED, NUMBER, NULL },
    { "cluster-announce-hostname", NULL, "", FIXED, WORD, NULL },
    { "cluster-announce-human-nodename", NULL, "", FIXED, WORD, NULL },
    { "cluster-announce-ip", NULL, "", FIXED, WORD, NULL },
    { "cluster-announce-port", NULL, "0", FIXED, NUMBER, NULL },
    { "cluster-announce-tls-port", NULL, "0", FIXED, NUMBER, NULL },
    { "cluster-config-file", NULL, "nodes.conf", AT_START, WORD, NULL },
    { "cluster-enabled", NULL, "no", AT_START, FLAG,
      "there is no cluster mode" },
    { "cluster-link-sendbuf-limit", NULL, "0", KEEP, SIZE, NULL },
    { "cluster-migration-barrier", NULL, "1", KEEP, NUMBER, NULL },
    { "cluster-node-timeout", NULL, "15000", KEEP, NUMBER, NULL },
    { "cluster-port", NULL, "0", AT_START, NUMBER, NULL },
    { "cluster-preferred-endpoint-type", NULL, "ip", KEEP, WORD, NULL },
    { "cluster-replica-no-failover", "cluster-slave-no-failover", "no", KEEP, FLAG, NULL },
    { "cluster-replica-validity-factor", "cluster-slave-validity-factor", "10", KEEP, NUMBER, NULL },
    { "cluster-require-full-coverage", NULL, "yes", KEEP, FLAG, NULL },
    { "masterauth", NULL, "", FIXED, WORD,
      "there is no replication" },
    { "masteruser", NULL, "", FIXED, WORD, NULL },
    { "min-replicas-max-lag", "min-slaves-max-lag", "10", KEEP, NUMBER, NULL },
    { "min-replicas-to-write", "min-slaves-to-write", "0", FIXED, NUMBER,
      "there is no replication: writes are never refused for want of it" },
    { "propagation-error-behavior", NULL, "ignore", KEEP, WORD, NULL },
    { "repl-backlog-size", NULL, "1048576", KEEP, SIZE, NULL },
    { "repl-backlog-ttl", NULL, "3600", KEEP, NUMBER, NULL },
    { "repl-disable-tcp-nodelay", NULL, "no", KEEP, FLAG, NULL },
    { "repl-diskless-load", NULL, "disabled", KEEP, WORD, NULL },
    { "repl-diskless-sync", NULL, "yes", KEEP, FLAG, NULL },
    { "repl-diskless-sync-delay", NULL, "5", KEEP, NUMBER, NULL },
    { "repl-diskless-sync-max-replicas", NULL, "0", KEEP, NUMBER, NULL },
    { "repl-ping-replica-period", "repl-ping-slave-period", "10", KEEP, NUMBER, NULL },
    { "repl-timeout", NULL, "60", KEEP, NUMBER, NULL },
    { "replica-announce-ip", "slave-announce-ip", "", FIXED, WORD, NULL },
    { "replica-announce-port", "slave-announce-port", "0", FIXED, NUMBER, NULL },
    { "replica-announced", NULL, "yes", KEEP, FLAG, NULL },
    { "replica-ignore-disk-write-errors", NULL, "no", KEEP, FLAG, NULL },
    { "replica-ignore-maxmemory", "slave-ignore-maxmemory", "yes", KEEP, FLAG, NULL },
    { "replica-lazy-flush", "slave-lazy-flush", "no", KEEP, FLAG, NULL },
    { "replica-priority", "slave-priority", "100", KEEP, NUMBER, NULL },
    { "replica-read-only", "slave-read-only", "yes", KEEP, FLAG, NULL },
    { "replica-serve-stale-data", "slave-serve-stale-data", "yes", KEEP, FLAG, NULL },
    { "replicaof", "slaveof", "", AT_START, WORD,
      "there is no replication: this server starts empty and takes writes" },

    /* Access lists, modules, scripts, notifications, tracking: none yet. */
    { "acl-pubsub-default", NULL, "resetchannels", KEEP, WORD, NULL },
    { "aclfile", NULL, "", AT_START, WORD,
      "there are no access lists: nothing in it is enforced" },
    { "acllog-max-len", NULL, "128", KEEP, NUMBER, NULL },
    { "busy-reply-threshold", "lua-time-limit", "5000", KEEP, NUMBER, NULL },
    { "enable-module-command", NULL, "no", AT_START, WORD, NULL },
    { "loadmodule", NULL, "", ONLY_FILE, WORD,
      "there are no modules" },
    { "locale-collate", NULL, "", KEEP, WORD, NULL },
    { "notify-keyspace-events", NULL, "", FIXED, WORD,
      "there are no keyspace notifications" },
    { "rename-command", NULL, "", ONLY_FILE, WORD,
      "commands keep their names" },
    { "tracking-table-max-keys", NULL, "1000000", KEEP, NUMBER, NULL },
    { "user", NULL, "", ONLY_FILE, WORD,
      "there are no access lists: the user does not exist" },

    /* TLS: none yet. */
    { "tls-auth-clients", NULL, "yes", FIXED, WORD, NULL },
    { "tls-ca-cert-dir", NULL, "", FIXED, WORD, NULL },
    { "tls-ca-cert-file", NULL, "", FIXED, WORD, NULL },
    { "tls-cert-file", NULL, "", FIXED, WORD, NULL },
    { "tls-ciphers", NULL, "", FIXED, WORD, NULL },
    { "tls-ciphersuites", NULL, "", FIXED, WORD, NULL },
    { "tls-client-cert-file", NULL, "", FIXED, WORD, NULL },
    { "tls-client-key-file", NULL, "", FIXED, WORD, NULL },
    { "tls-client-key-file-pass", NULL, "", FIXED, WORD, NULL },
    { "tls-cluster", NULL, "no", FIXED, FLAG, NULL },
    { "tls-dh-params-file", NULL, "", FIXED, WORD, NULL },
    { "tls-key-file", NULL, "", FIXED, WORD, NULL },
    { "tls-key-file-pass", NULL, "", FIXED, WORD, NULL },
    { "tls-port", NULL, "0", FIXED, NUMBER,
      "there is no TLS: nothing listens on that port" },
    { "tls-prefer-server-ciphers", NULL, "no", FIXED, FLAG, NULL },
    { "tls-protocols", NULL, "", FIXED, WORD, NULL },
    { "tls-replication", NULL, "no", FIXED, FLAG, NULL },
    { "tls-session-cache-size", NULL, "20480", FIXED, NUMBER, NULL },
    { "tls-session-cache-timeout", NULL, "300", FIXED, NUMBER, NULL },
    { "tls-session-caching", NULL, "yes", FIXED, FLAG, NULL },

    /* The process: threads are --shards, a supervisor needs no help, the log is --logfile. */
    { "always-show-logo", NULL, "no", AT_START, FLAG, NULL },
    { "bind-source-addr", NULL, "", FIXED, WORD, NULL },
    { "bio_cpulist", NULL, "", AT_START, WORD, NULL },
    { "crash-log-enabled", NULL, "yes", KEEP, FLAG, NULL },
    { "crash-memcheck-enabled", NULL, "yes", KEEP, FLAG, NULL },
    { "daemonize", NULL, "no", AT_START, FLAG,
      "the server stays in the foreground" },
    { "disable-thp", NULL, "yes", AT_START, FLAG, NULL },
    { "gopher-enabled", NULL, "no", ONLY_FILE, FLAG, NULL },
    { "ignore-warnings", NULL, "", KEEP, WORD, NULL },
    { "io-threads", NULL, "1", AT_START, NUMBER, NULL },
    { "io-threads-do-reads", NULL, "no", AT_START, FLAG, NULL },
    { "loading-process-events-interval-bytes", NULL, "2097152", HIDDEN, NUMBER, NULL },
    { "max-new-connections-per-cycle", NULL, "10", KEEP, NUMBER, NULL },
    { "max-new-tls-connections-per-cycle", NULL, "1", KEEP, NUMBER, NULL },
    { "oom-score-adj", NULL, "no", FIXED, WORD, NULL },
    { "oom-score-adj-values", NULL, "0 200 800", KEEP, WORD, NULL },
    { "proc-title-template", NULL, "{title} {listen-addr} {server-mode}", FIXED, WORD, NULL },
    { "server_cpulist", NULL, "", AT_START, WORD, NULL },
    { "set-proc-title", NULL, "yes", AT_START, FLAG, NULL },
    { "shutdown-on-sigint", NULL, "default", KEEP, WORD, NULL },
    { "shutdown-on-sigterm", NULL, "default", KEEP, WORD, NULL },
    { "socket-mark-id", NULL, "0", AT_START, NUMBER, NULL },
    { "supervised", NULL, "no", AT_START, WORD, NULL },
    { "syslog-enabled", NULL, "no", AT_START, FLAG, NULL },
    { "syslog-facility", NULL, "local0", AT_START, WORD, NULL },
    { "syslog-ident", NULL, "redis", AT_START, WORD, NULL },
    { "watchdog-period", NULL, "0", HIDDEN, NUMBER, NULL },
};
/* clang-format on */

/* What Redis takes, of the numbers and sizes that are remembered; otherwise what fits. */
static const struct range {
    const char *name;
    int64_t min, max;
} ranges[] = {
    { "maxmemory-eviction-tenacity", 0, 100 },
    { "active-defrag-threshold-upper", 0, 1000 },
    { "hash-max-listpack-entries", 0, INT64_MAX },
    { "set-max-intset-entries", 0, INT64_MAX },
    { "set-max-listpack-entries", 0, INT64_MAX },
    { "stream-node-max-entries", 0, INT64_MAX },
    { "zset-max-listpack-entries", 0, INT64_MAX },
    { "cluster-node-timeout", 0, INT64_MAX },
    { "repl-backlog-ttl", 0, INT64_MAX },
    { "acllog-max-len", 0, INT64_MAX },
    { "busy-reply-threshold", 0, INT64_MAX },
    { "tracking-table-max-keys", 0, INT64_MAX },
    { "list-compress-depth", 0, INT_MAX },
    { "lfu-decay-time", 0, INT_MAX },
    { "lfu-log-factor", 0, INT_MAX },
    { "auto-aof-rewrite-percentage", 0, INT_MAX },
    { "cluster-migration-barrier", 0, INT_MAX },
    { "cluster-replica-validity-factor", 0, INT_MAX },
    { "min-replicas-max-lag", 0, INT_MAX },
    { "repl-diskless-sync-delay", 0, INT_MAX },
    { "repl-diskless-sync-max-replicas", 0, INT_MAX },
    { "replica-priority", 0, INT_MAX },
    { "watchdog-period", 0, INT_MAX },
    { "active-expire-effort", 1, 10 },
    { "max-new-connections-per-cycle", 1, 1000 },
    { "max-new-tls-connections-per-cycle", 1, 1000 },
    { "active-defrag-cycle-min", 1, 99 },
    { "active-defrag-max-scan-fields", 1, INT64_MAX },
    { "repl-backlog-size", 1, INT64_MAX },
    { "maxmemory-samples", 1, INT_MAX },
    { "repl-ping-replica-period", 1, INT_MAX },
    { "repl-timeout", 1, INT_MAX },
    { "loading-process-events-interval-bytes", 1024, INT_MAX },
    { "list-max-listpack-size", INT_MIN, INT_MAX },
    { "rdb-key-save-delay", INT_MIN, INT_MAX },
    { "key-load-delay", INT_MIN, INT_MAX },
};

enum { DIRECTIVES = sizeof(directives) / sizeof(*directives) };
static_assert((int)DIRECTIVES <= (int)SETTINGS_REMEMBERED_MAX, "raise SETTINGS_REMEMBERED_MAX");

int compat_count(void)
{
    return DIRECTIVES;
}

const char *compat_name(int index)
{
    must(index >= 0 && index < DIRECTIVES);
    return directives[index].name;
}

const char *compat_alias(int index)
{
    return directives[index].alias;
}

bool compat_hidden(int index)
{
    return directives[index].kind == HIDDEN;
}

bool compat_secret(int index)
{
    static const char *const names[] = { "masterauth", "masteruser", "tls-key-file-pass",
                                         "tls-client-key-file-pass" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], directives[index].name) == 0)
            return true;
    return false;
}

const char *compat_get(const struct settings *settings, int index)
{
    if (directives[index].kind == ONLY_FILE)
        return NULL;
    return settings->_remembered[index][0] == '=' ? settings->_remembered[index] + 1
                                                  : directives[index].value;
}

static struct range range_of(const struct directive *directive)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (strcmp(ranges[i].name, directive->name) == 0)
            return ranges[i];
    return (struct range){ NULL, directive->type == SIZE ? 0 : INT64_MIN, INT64_MAX };
}

static bool parse_number(const struct directive *directive, struct bytes value, int64_t *n,
                         struct option_error *error)
{
    struct range range = range_of(directive);
    if (directive->type == SIZE)
        return option_memory(value, range.min, range.max, n, error);
    if (!number_parse_i64(value, n))
        return option_error_set(error, "argument couldn't be parsed into an integer");
    return option_in_range(*n, range.min, range.max, error);
}

/* Writes the value as CONFIG GET is to show it; false when it is none of its type. */
static bool normalise(const struct directive *directive, struct bytes value, char *out, size_t size,
                      struct option_error *error)
{
    int64_t n;
    bool flag;
    switch (directive->type) {
    case NUMBER:
    case SIZE:
        if (!parse_number(directive, value, &n, error))
            return false;
        snprintf(out, size, "%" PRId64, n);
        return true;
    case FLAG:
        if (!option_bool(value, &flag))
            return option_error_set(error, "argument must be 'yes' or 'no'");
        snprintf(out, size, "%s", flag ? "yes" : "no");
        return true;
    }
    if (value.size >= size)
        return option_error_set(error, "argument must be shorter than %zu bytes", size);
    if (memchr(value.data, '\0', value.size) != NULL)
        return option_error_set(error, "argument must not hold a zero byte");
    snprintf(out, size, "%.*s", (int)value.size, value.data);
    return true;
}

/* The '=' tells a remembered empty text from the default. */
static void remember(struct settings *settings, int index, const char *value)
{
    snprintf(settings->_remembered[index], SETTINGS_REMEMBERED_BYTES, "=%s", value);
}

/* Where dropping a directive in silence could hurt, what it would have done. */
static void warn_of_loss(const struct directive *directive, const char *text)
{
    if (directive->loss != NULL && strcmp(text, directive->value) != 0)
        options_warn("%s is ignored: %s", directive->name, directive->loss);
}

void compat_load(struct settings *settings, int index, struct bytes value)
{
    char text[SETTINGS_REMEMBERED_BYTES - 1];
    struct option_error unused;
    const struct directive *directive = &directives[index];
    bool valid = normalise(directive, value, text, sizeof(text), &unused);
    if (!valid)
        snprintf(text, sizeof(text), "(invalid)");
    else if (directive->kind == KEEP || directive->kind == HIDDEN)
        remember(settings, index, text);
    warn_of_loss(directive, text);
}

static enum option_set_result refuse(const struct directive *directive, struct option_error *error)
{
    if (directive->kind == AT_START) {
        option_error_set(error, "can't set immutable config");
        return OPTION_IMMUTABLE;
    }
    if (directive->kind == PROTECTED)
        option_error_set(error, "can't set protected config");
    else
        option_error_set(error, "not available in this server: only '%s' is accepted",
                         directive->value);
    return OPTION_BAD;
}

enum option_set_result compat_set(struct settings *settings, int index, struct bytes value,
                                  struct option_error *error)
{
    const struct directive *directive = &directives[index];
    char text[SETTINGS_REMEMBERED_BYTES - 1];
    if (directive->kind == ONLY_FILE)
        return OPTION_UNKNOWN;
    if (!normalise(directive, value, text, sizeof(text), error))
        return OPTION_BAD;
    if (directive->kind == KEEP || directive->kind == HIDDEN || directive->kind == KEEP_SET) {
        remember(settings, index, text);
        return OPTION_SET;
    }
    return strcmp(text, directive->value) == 0 ? OPTION_SET : refuse(directive, error);
}
