/*
 * object.c - OBJECT: how a value is kept. Answered in Redis's terms, since tools read them.
 */
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/help.h"
#include "shoal/cmd/value.h"

enum {
    EMBEDDED_BYTES_MAX = 44,       /* up to here Redis says "embstr" */
    SHARED_INTEGERS = 10000,       /* Redis shares the objects of 0..9999 ... */
    SHARED_REFERENCES = INT32_MAX, /* ... and gives this as their count */
};

static const struct item *find_or_nil(struct exec *exec)
{
    const struct item *item = keyspace_read(exec->keyspace, exec_key(exec));
    if (item == NULL)
        reply_nil(exec->reply);
    return item;
}

/* A short text counts as embedded unless APPEND, SETRANGE or SETBIT has written to it. */
static const char *encoding_name(const struct item *item)
{
    if (item_encoding(item) == ITEM_OBJECT)
        return value_types[item_type(item)]->encoding(item_object(item));
    if (item_encoding(item) == ITEM_INT)
        return "int";
    bool raw = item_resized(item) || item_value_size(item) > EMBEDDED_BYTES_MAX;
    return raw ? "raw" : "embstr";
}

static void object_encoding(struct exec *exec)
{
    const struct item *item = find_or_nil(exec);
    if (item != NULL)
        reply_cstr(exec->reply, encoding_name(item));
}

/* With a limit and a policy that goes by hits Redis shares no objects. */
static bool keeps_hits(const struct keyspace *keyspace)
{
    return keyspace->budget_bytes != UINT64_MAX && evict_counts_hits(keyspace->policy);
}

static void object_refcount(struct exec *exec)
{
    const struct item *item = find_or_nil(exec);
    if (item == NULL)
        return;
    bool shared = item_encoding(item) == ITEM_INT && (uint64_t)item_int(item) < SHARED_INTEGERS &&
                  !keeps_hits(exec->keyspace);
    reply_int(exec->reply, shared ? SHARED_REFERENCES : 1);
}

/* Policies that Redis has go by either; those of our own by both. */
static bool policy_is(const struct exec *exec, const char *word)
{
    const char *name = exec->keyspace->policy->name;
    return strstr(name, word) != NULL || strcmp(name, "allkeys-s3fifo") == 0 ||
           strcmp(name, "allkeys-clock") == 0;
}

/* Looking at the frequency counts neither as a hit nor as a miss. */
static void object_freq(struct exec *exec)
{
    int freq = keyspace_freq(exec->keyspace, exec_key(exec));
    if (freq < 0)
        reply_nil(exec->reply);
    else if (!policy_is(exec, "lfu"))
        reply_error(exec->reply,
                    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                    "Please note that when switching between policies at runtime LRU and LFU data "
                    "will take some time to adjust.");
    else
        reply_int(exec->reply, freq);
}

/* Looking does not make it shorter. Keys do not record when they were read last: eviction's bits say
 * whether it was before the hand came by. */
static void object_idletime(struct exec *exec)
{
    int64_t idle_ms = keyspace_idle_ms(exec->keyspace, exec_key(exec));
    if (idle_ms < 0)
        reply_nil(exec->reply);
    else if (strstr(exec->keyspace->policy->name, "lfu") != NULL)
        reply_error(exec->reply,
                    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note "
                    "that when switching between policies at runtime LRU and LFU data will take "
                    "some time to adjust.");
    else if (!evict_counts_hits(exec->keyspace->policy))
        reply_errorf(exec->reply, "ERR idle time is not tracked under maxmemory-policy %s",
                     exec->keyspace->policy->name);
    else
        reply_int(exec->reply, idle_ms / 1000);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "encoding", .arity = 3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = object_encoding,
      .group = "generic", .since = "2.2.3", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns how a value is kept: int, embstr or raw." },
    { .name = "freq", .arity = 3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = object_freq,
      .group = "generic", .since = "4.0.0", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the hits of a key since eviction last came by, 0 to 3; not under every policy." },
    { .name = "idletime", .arity = 3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = object_idletime,
      .group = "generic", .since = "2.2.3", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns an estimate of the seconds since a key was last read: 0, or a round of eviction." },
    { .name = "refcount", .arity = 3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = object_refcount,
      .group = "generic", .since = "2.2.3", .complexity = "O(1)",
      .syntax = "key",
      .summary = "Returns the number of references to a value." },
    HELP_ROW("generic", "6.2.0", CMD_ANYTIME),
    { 0 },
};

const struct command object_commands[] = {
    { .name = "object", .arity = -2, .route = ROUTE_HOME, .subs = subs,
      .group = "generic", .since = "2.2.3", .complexity = "Depends on subcommand.",
      .syntax = "subcommand",
      .summary = "A container for commands about how values are kept." },
    { 0 },
};
/* clang-format on */
