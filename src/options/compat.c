/*
 * compat.c - the directives of Redis 7.0 and 7.2 that have no meaning here.
 *
 * They exist so that a redis.conf starts the server and tools that read or set them go on working.
 * None of them does anything, so none may claim that a feature is on: what would be such a claim
 * (appendonly yes, tls-port 6380) is refused by CONFIG SET and dropped from a config file.
 */
#include "shoal/options/option_row.h"

#include "shoal/base/must.h"
#include "shoal/base/number.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum kind {
    KEEP,      /* any value of its type is remembered */
    KEEP_SET,  /* the same for CONFIG SET; what a config file says is dropped */
    FIXED,     /* CONFIG SET takes the value it has and no other */
    AT_START,  /* the same, in Redis's words for what only a restart changes */
    PROTECTED, /* the same, in Redis's words for what may not be changed remotely */
    ONLY_FILE, /* no option to CONFIG GET: loadmodule */
};
enum type { NUMBER, SIZE, FLAG, WORD };
enum { HIDDEN = 1 };

struct directive {
    const char *name, *alias, *value;
    uint8_t kind, type, flags;
};

/* clang-format off */
static const struct directive directives[] = {
    /* Remembered for compatibility: thresholds of encodings, set by tools and by Redis's own test
     * suite. */
    { "hash-max-listpack-entries", "hash-max-ziplist-entries", "512", KEEP, NUMBER, 0 },
    { "hash-max-listpack-value", "hash-max-ziplist-value", "64", KEEP, SIZE, 0 },
    { "hll-sparse-max-bytes", NULL, "3000", KEEP, SIZE, 0 },
    { "list-compress-depth", NULL, "0", KEEP, NUMBER, 0 },
    { "list-max-listpack-size", "list-max-ziplist-size", "-2", KEEP, NUMBER, 0 },
    { "set-max-intset-entries", NULL, "512", KEEP, NUMBER, 0 },
    { "set-max-listpack-entries", NULL, "128", KEEP, NUMBER, 0 },
    { "set-max-listpack-value", NULL, "64", KEEP, SIZE, 0 },
    { "stream-node-max-bytes", NULL, "4096", KEEP, SIZE, 0 },
    { "stream-node-max-entries", NULL, "100", KEEP, NUMBER, 0 },
    { "zset-max-listpack-entries", "zset-max-ziplist-entries", "128", KEEP, NUMBER, 0 },
    { "zset-max-listpack-value", "zset-max-ziplist-value", "64", KEEP, SIZE, 0 },

    /* Memory, expiry and background work: decided otherwise here. */
    { "active-defrag-cycle-min", NULL, "1", KEEP, NUMBER, 0 },
    { "active-defrag-max-scan-fields", NULL, "1000", KEEP, NUMBER, 0 },
    { "active-defrag-threshold-upper", NULL, "100", KEEP, NUMBER, 0 },
    { "active-expire-effort", NULL, "1", KEEP, NUMBER, 0 },
    { "activerehashing", NULL, "yes", KEEP, FLAG, 0 },
    { "dynamic-hz", NULL, "yes", KEEP, FLAG, 0 },
    { "jemalloc-bg-thread", NULL, "yes", KEEP, FLAG, 0 },
    { "lazyfree-lazy-eviction", NULL, "no", KEEP, FLAG, 0 },
    { "lazyfree-lazy-expire", NULL, "no", KEEP, FLAG, 0 },
    { "lazyfree-lazy-server-del", NULL, "no", KEEP, FLAG, 0 },
    { "lazyfree-lazy-user-del", NULL, "no", KEEP, FLAG, 0 },
    { "lazyfree-lazy-user-flush", NULL, "no", KEEP, FLAG, 0 },
    { "lfu-decay-time", NULL, "1", KEEP, NUMBER, 0 },
    { "lfu-log-factor", NULL, "10", KEEP, NUMBER, 0 },
    { "maxmemory-eviction-tenacity", NULL, "10", KEEP, NUMBER, 0 },
    { "maxmemory-samples", NULL, "5", KEEP, NUMBER, 0 },

    /* Persistence: nothing is written to disk. */
    { "aof-disable-auto-gc", NULL, "no", KEEP, FLAG, HIDDEN },
    { "aof-load-truncated", NULL, "yes", KEEP, FLAG, 0 },
    { "aof-rewrite-incremental-fsync", NULL, "yes", KEEP, FLAG, 0 },
    { "aof-timestamp-enabled", NULL, "no", KEEP, FLAG, 0 },
    { "aof-use-rdb-preamble", NULL, "yes", KEEP, FLAG, 0 },
    { "aof_rewrite_cpulist", NULL, "", AT_START, WORD, 0 },
    { "appenddirname", NULL, "appendonlydir", AT_START, WORD, 0 },
    { "appendfilename", NULL, "appendonly.aof", AT_START, WORD, 0 },
    { "appendfsync", NULL, "everysec", KEEP, WORD, 0 },
    { "appendonly", NULL, "no", FIXED, FLAG, 0 },
    { "auto-aof-rewrite-min-size", NULL, "67108864", KEEP, SIZE, 0 },
    { "auto-aof-rewrite-percentage", NULL, "100", KEEP, NUMBER, 0 },
    { "bgsave_cpulist", NULL, "", AT_START, WORD, 0 },
    { "dbfilename", NULL, "dump.rdb", PROTECTED, WORD, 0 },
    { "dir", NULL, "", PROTECTED, WORD, 0 },
    { "no-appendfsync-on-rewrite", NULL, "no", KEEP, FLAG, 0 },
    { "rdb-del-sync-files", NULL, "no", KEEP, FLAG, 0 },
    { "rdb-key-save-delay", NULL, "0", KEEP, NUMBER, HIDDEN },
    { "key-load-delay", NULL, "0", KEEP, NUMBER, HIDDEN },
    { "rdb-save-incremental-fsync", NULL, "yes", KEEP, FLAG, 0 },
    { "rdbchecksum", NULL, "yes", AT_START, FLAG, 0 },
    { "rdbcompression", NULL, "yes", KEEP, FLAG, 0 },
    { "sanitize-dump-payload", NULL, "no", KEEP, WORD, 0 },
    { "save", NULL, "", KEEP_SET, WORD, 0 }, /* test suites set and restore it; LASTSAVE never moves */
    { "stop-writes-on-bgsave-error", NULL, "yes", KEEP, FLAG, 0 },

    /* Replication and cluster: none yet. */
    { "cluster-allow-pubsubshard-when-down", NULL, "yes", KEEP, FLAG, 0 },
    { "cluster-allow-reads-when-down", NULL, "no", KEEP, FLAG, 0 },
    { "cluster-allow-replica-migration", NULL, "yes", KEEP, FLAG, 0 },
    { "cluster-announce-bus-port", NULL, "0", FIXED, NUMBER, 0 },
    { "cluster-announce-hostname", NULL, "", FIXED, WORD, 0 },
    { "cluster-announce-human-nodename", NULL, "", FIXED, WORD, 0 },
    { "cluster-announce-ip", NULL, "", FIXED, WORD, 0 },
    { "cluster-announce-port", NULL, "0", FIXED, NUMBER, 0 },
    { "cluster-announce-tls-port", NULL, "0", FIXED, NUMBER, 0 },
    { "cluster-config-file", NULL, "nodes.conf", AT_START, WORD, 0 },
    { "cluster-enabled", NULL, "no", AT_START, FLAG, 0 },
    { "cluster-link-sendbuf-limit", NULL, "0", KEEP, SIZE, 0 },
    { "cluster-migration-barrier", NULL, "1", KEEP, NUMBER, 0 },
    { "cluster-node-timeout", NULL, "15000", KEEP, NUMBER, 0 },
    { "cluster-port", NULL, "0", AT_START, NUMBER, 0 },
    { "cluster-preferred-endpoint-type", NULL, "ip", KEEP, WORD, 0 },
    { "cluster-replica-no-failover", "cluster-slave-no-failover", "no", KEEP, FLAG, 0 },
    { "cluster-replica-validity-factor", "cluster-slave-validity-factor", "10", KEEP, NUMBER, 0 },
    { "cluster-require-full-coverage", NULL, "yes", KEEP, FLAG, 0 },
    { "masterauth", NULL, "", FIXED, WORD, 0 },
    { "masteruser", NULL, "", FIXED, WORD, 0 },
    { "min-replicas-max-lag", "min-slaves-max-lag", "10", KEEP, NUMBER, 0 },
    { "min-replicas-to-write", "min-slaves-to-write", "0", FIXED, NUMBER, 0 },
    { "propagation-error-behavior", NULL, "ignore", KEEP, WORD, 0 },
    { "repl-backlog-size", NULL, "1048576", KEEP, SIZE, 0 },
    { "repl-backlog-ttl", NULL, "3600", KEEP, NUMBER, 0 },
    { "repl-disable-tcp-nodelay", NULL, "no", KEEP, FLAG, 0 },
    { "repl-diskless-load", NULL, "disabled", KEEP, WORD, 0 },
    { "repl-diskless-sync", NULL, "yes", KEEP, FLAG, 0 },
    { "repl-diskless-sync-delay", NULL, "5", KEEP, NUMBER, 0 },
    { "repl-diskless-sync-max-replicas", NULL, "0", KEEP, NUMBER, 0 },
    { "repl-ping-replica-period", "repl-ping-slave-period", "10", KEEP, NUMBER, 0 },
    { "repl-timeout", NULL, "60", KEEP, NUMBER, 0 },
    { "replica-announce-ip", "slave-announce-ip", "", FIXED, WORD, 0 },
    { "replica-announce-port", "slave-announce-port", "0", FIXED, NUMBER, 0 },
    { "replica-announced", NULL, "yes", KEEP, FLAG, 0 },
    { "replica-ignore-disk-write-errors", NULL, "no", KEEP, FLAG, 0 },
    { "replica-ignore-maxmemory", "slave-ignore-maxmemory", "yes", KEEP, FLAG, 0 },
    { "replica-lazy-flush", "slave-lazy-flush", "no", KEEP, FLAG, 0 },
    { "replica-priority", "slave-priority", "100", KEEP, NUMBER, 0 },
    { "replica-read-only", "slave-read-only", "yes", KEEP, FLAG, 0 },
    { "replica-serve-stale-data", "slave-serve-stale-data", "yes", KEEP, FLAG, 0 },
    { "replicaof", "slaveof", "", AT_START, WORD, 0 },

    /* Access lists, modules, scripts, notifications, tracking: none yet. */
    { "acl-pubsub-default", NULL, "resetchannels", KEEP, WORD, 0 },
    { "aclfile", NULL, "", AT_START, WORD, 0 },
    { "acllog-max-len", NULL, "128", KEEP, NUMBER, 0 },
    { "busy-reply-threshold", "lua-time-limit", "5000", KEEP, NUMBER, 0 },
    { "enable-module-command", NULL, "no", AT_START, WORD, 0 },
    { "loadmodule", NULL, "", ONLY_FILE, WORD, 0 },
    { "locale-collate", NULL, "", KEEP, WORD, 0 },
    { "notify-keyspace-events", NULL, "", FIXED, WORD, 0 },
    { "rename-command", NULL, "", ONLY_FILE, WORD, 0 },
    { "tracking-table-max-keys", NULL, "1000000", KEEP, NUMBER, 0 },
    { "user", NULL, "", ONLY_FILE, WORD, 0 },

    /* TLS: none yet. */
    { "tls-auth-clients", NULL, "yes", FIXED, WORD, 0 },
    { "tls-ca-cert-dir", NULL, "", FIXED, WORD, 0 },
    { "tls-ca-cert-file", NULL, "", FIXED, WORD, 0 },
    { "tls-cert-file", NULL, "", FIXED, WORD, 0 },
    { "tls-ciphers", NULL, "", FIXED, WORD, 0 },
    { "tls-ciphersuites", NULL, "", FIXED, WORD, 0 },
    { "tls-client-cert-file", NULL, "", FIXED, WORD, 0 },
    { "tls-client-key-file", NULL, "", FIXED, WORD, 0 },
    { "tls-client-key-file-pass", NULL, "", FIXED, WORD, 0 },
    { "tls-cluster", NULL, "no", FIXED, FLAG, 0 },
    { "tls-dh-params-file", NULL, "", FIXED, WORD, 0 },
    { "tls-key-file", NULL, "", FIXED, WORD, 0 },
    { "tls-key-file-pass", NULL, "", FIXED, WORD, 0 },
    { "tls-port", NULL, "0", FIXED, NUMBER, 0 },
    { "tls-prefer-server-ciphers", NULL, "no", FIXED, FLAG, 0 },
    { "tls-protocols", NULL, "", FIXED, WORD, 0 },
    { "tls-replication", NULL, "no", FIXED, FLAG, 0 },
    { "tls-session-cache-size", NULL, "20480", FIXED, NUMBER, 0 },
    { "tls-session-cache-timeout", NULL, "300", FIXED, NUMBER, 0 },
    { "tls-session-caching", NULL, "yes", FIXED, FLAG, 0 },

    /* The process: threads are --shards, a supervisor needs no help, the log is --logfile. */
    { "always-show-logo", NULL, "no", AT_START, FLAG, 0 },
    { "bind-source-addr", NULL, "", FIXED, WORD, 0 },
    { "bio_cpulist", NULL, "", AT_START, WORD, 0 },
    { "crash-log-enabled", NULL, "yes", KEEP, FLAG, 0 },
    { "crash-memcheck-enabled", NULL, "yes", KEEP, FLAG, 0 },
    { "daemonize", NULL, "no", AT_START, FLAG, 0 },
    { "disable-thp", NULL, "yes", AT_START, FLAG, 0 },
    { "gopher-enabled", NULL, "no", ONLY_FILE, FLAG, 0 },
    { "ignore-warnings", NULL, "", KEEP, WORD, 0 },
    { "io-threads", NULL, "1", AT_START, NUMBER, 0 },
    { "io-threads-do-reads", NULL, "no", AT_START, FLAG, 0 },
    { "loading-process-events-interval-bytes", NULL, "2097152", KEEP, NUMBER, HIDDEN },
    { "max-new-connections-per-cycle", NULL, "10", KEEP, NUMBER, 0 },
    { "max-new-tls-connections-per-cycle", NULL, "1", KEEP, NUMBER, 0 },
    { "oom-score-adj", NULL, "no", FIXED, WORD, 0 },
    { "oom-score-adj-values", NULL, "0 200 800", KEEP, WORD, 0 },
    { "proc-title-template", NULL, "{title} {listen-addr} {server-mode}", FIXED, WORD, 0 },
    { "server_cpulist", NULL, "", AT_START, WORD, 0 },
    { "set-proc-title", NULL, "yes", AT_START, FLAG, 0 },
    { "shutdown-on-sigint", NULL, "default", KEEP, WORD, 0 },
    { "shutdown-on-sigterm", NULL, "default", KEEP, WORD, 0 },
    { "socket-mark-id", NULL, "0", AT_START, NUMBER, 0 },
    { "supervised", NULL, "no", AT_START, WORD, 0 },
    { "syslog-enabled", NULL, "no", AT_START, FLAG, 0 },
    { "syslog-facility", NULL, "local0", AT_START, WORD, 0 },
    { "syslog-ident", NULL, "redis", AT_START, WORD, 0 },
    { "watchdog-period", NULL, "0", KEEP, NUMBER, HIDDEN },
};
/* clang-format on */

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
    return directives[index].flags & HIDDEN;
}

const char *compat_get(const struct settings *settings, int index)
{
    if (directives[index].kind == ONLY_FILE)
        return NULL;
    return settings->_remembered[index][0] == '=' ? settings->_remembered[index] + 1
                                                  : directives[index].value;
}

static bool normalise_size(struct bytes value, char *out, size_t size, struct option_error *error)
{
    uint64_t bytes;
    if (!number_parse_memory(value, &bytes))
        return option_error_set(error, "argument must be a memory value");
    snprintf(out, size, "%" PRIu64, bytes);
    return true;
}

/* Writes the value as CONFIG GET is to show it; false when it is none of its type. */
static bool normalise(int type, struct bytes value, char *out, size_t size,
                      struct option_error *error)
{
    int64_t n;
    bool flag;
    switch (type) {
    case NUMBER:
        if (!number_parse_i64(value, &n))
            return option_error_set(error, "argument couldn't be parsed into an integer");
        snprintf(out, size, "%" PRId64, n);
        return true;
    case SIZE:
        return normalise_size(value, out, size, error);
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
static const struct {
    const char *name, *text;
} losses[] = {
    { "aclfile", "there are no access lists: nothing in it is enforced" },
    { "appendonly", "nothing is written to disk" },
    { "cluster-enabled", "there is no cluster mode" },
    { "daemonize", "the server stays in the foreground" },
    { "loadmodule", "there are no modules" },
    { "masterauth", "there is no replication" },
    { "min-replicas-to-write", "there is no replication: writes are never refused for want of it" },
    { "notify-keyspace-events", "there are no keyspace notifications" },
    { "rename-command", "commands keep their names" },
    { "replicaof", "there is no replication: this server starts empty and takes writes" },
    { "tls-port", "there is no TLS: nothing listens on that port" },
    { "user", "there are no access lists: the user does not exist" },
};

static void warn_of_loss(int index, const char *text)
{
    const struct directive *directive = &directives[index];
    for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
        if (strcmp(losses[i].name, directive->name) == 0 && strcmp(text, directive->value) != 0)
            options_warn("%s is ignored: %s", directive->name, losses[i].text);
    }
}

void compat_load(struct settings *settings, int index, struct bytes value)
{
    char text[SETTINGS_REMEMBERED_BYTES - 1];
    struct option_error unused;
    bool valid = normalise(directives[index].type, value, text, sizeof(text), &unused);
    if (!valid)
        snprintf(text, sizeof(text), "(invalid)");
    else if (directives[index].kind == KEEP)
        remember(settings, index, text);
    warn_of_loss(index, text);
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
    if (!normalise(directive->type, value, text, sizeof(text), error))
        return OPTION_BAD;
    if (directive->kind == KEEP || directive->kind == KEEP_SET) {
        remember(settings, index, text);
        return OPTION_SET;
    }
    return strcmp(text, directive->value) == 0 ? OPTION_SET : refuse(directive, error);
}
