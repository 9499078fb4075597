/*
 * counters.h - the table of a reactor's counters: one row is the member, its line in INFO, what
 * CONFIG RESETSTAT does to it, and what it means to an operator.
 *
 * The rows make the members of struct reactor_stats, the lines of INFO that are plain sums over the
 * reactors, and the table in docs/monitoring.md. Within a section, INFO has them in this order.
 */
#ifndef SHOAL_STATS_COUNTERS_H
#define SHOAL_STATS_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum counter_kind {
    COUNTER_EVENTS, /* something has happened; CONFIG RESETSTAT sets it to zero */
    COUNTER_TOTAL,  /* the same, and CONFIG RESETSTAT leaves it */
    COUNTER_STATE,  /* how things are now; CONFIG RESETSTAT leaves it */
};

/*
 * OWN(member, section, name, kind, help)        a member of struct reactor_stats
 * KEYSPACE(member, section, name, kind, help)   a member of struct keyspace_stats, which the
 *                                               keyspace publishes and resets itself
 */
/* clang-format off */
#define STATS_COUNTERS(OWN, KEYSPACE)                                                              \
    OWN(clients, "Clients", "connected_clients", COUNTER_STATE,                                    \
        "connections that are open")                                                               \
    OWN(blocked, "Clients", "blocked_clients", COUNTER_STATE,                                      \
        "connections with a command that waits for something to happen, or for the end of CLIENT PAUSE") \
    OWN(pubsub_clients, "Clients", "pubsub_clients", COUNTER_STATE,                                \
        "connections that have subscribed to a channel or a pattern")                              \
                                                                                                   \
    KEYSPACE(lazyfree_pending, "Memory", "lazyfree_pending_objects", COUNTER_STATE,                \
        "keys of flushed databases that are not freed yet")                                        \
                                                                                                   \
    OWN(connections_received, "Stats", "total_connections_received", COUNTER_EVENTS,               \
        "connections that were accepted")                                                          \
    OWN(commands, "Stats", "total_commands_processed", COUNTER_EVENTS,                             \
        "commands that clients have sent")                                                         \
    OWN(bytes_in, "Stats", "total_net_input_bytes", COUNTER_EVENTS,                                \
        "bytes received from clients")                                                             \
    OWN(bytes_out, "Stats", "total_net_output_bytes", COUNTER_EVENTS,                              \
        "bytes sent to clients")                                                                   \
    OWN(connections_rejected, "Stats", "rejected_connections", COUNTER_EVENTS,                     \
        "connections refused because of `maxclients`")                                             \
    KEYSPACE(expired, "Stats", "expired_keys", COUNTER_EVENTS,                                     \
        "keys freed because their time was over")                                                  \
    KEYSPACE(evicted, "Stats", "evicted_keys", COUNTER_EVENTS,                                     \
        "keys evicted for want of memory; neither expired nor flushed keys count")                 \
    OWN(buffers_closed, "Stats", "evicted_clients", COUNTER_EVENTS,                                \
        "connections closed because they did not move while others waited for their buffers")      \
    KEYSPACE(hits, "Stats", "keyspace_hits", COUNTER_EVENTS,                                       \
        "reads that found their key")                                                              \
    KEYSPACE(misses, "Stats", "keyspace_misses", COUNTER_EVENTS,                                   \
        "reads that did not find their key")                                                       \
    KEYSPACE(defrag_moved, "Stats", "active_defrag_hits", COUNTER_EVENTS,                          \
        "blocks (items and chained buckets) that defragmentation has moved")                       \
    KEYSPACE(defrag_left, "Stats", "active_defrag_misses", COUNTER_EVENTS,                         \
        "blocks that it considered and left in place")                                             \
    KEYSPACE(defrag_items_moved, "Stats", "active_defrag_key_hits", COUNTER_EVENTS,                \
        "of the blocks moved, the items")                                                          \
    KEYSPACE(defrag_items_left, "Stats", "active_defrag_key_misses", COUNTER_EVENTS,               \
        "of the blocks left in place, the items")                                                  \
    OWN(error_replies, "Stats", "total_error_replies", COUNTER_EVENTS,                             \
        "replies that were errors")                                                                \
    OWN(reads, "Stats", "total_reads_processed", COUNTER_EVENTS,                                   \
        "receives that brought bytes")                                                             \
    OWN(writes, "Stats", "total_writes_processed", COUNTER_EVENTS,                                 \
        "sends that took bytes")                                                                   \
    OWN(auth_denied, "Stats", "acl_access_denied_auth", COUNTER_EVENTS,                            \
        "refused passwords and user names")                                                        \
    OWN(input_limit_closed, "Stats", "client_query_buffer_limit_disconnections", COUNTER_EVENTS,   \
        "connections closed because a request was larger than `client-query-buffer-limit`, or "    \
        "than 1 MB before AUTH")                                                                   \
    OWN(output_limit_closed, "Stats", "client_output_buffer_limit_disconnections", COUNTER_EVENTS, \
        "connections closed by `client-output-buffer-limit`")                                      \
                                                                                                   \
    OWN(cross_shard, "Shoal", "cross_shard_commands", COUNTER_EVENTS,                              \
        "commands whose key was on another shard than their connection")                           \
    OWN(transactions, "Shoal", "transactions", COUNTER_EVENTS,                                     \
        "MULTI/EXEC, MSET and the like that took several shards")                                  \
    OWN(turns, "Shoal", "turns", COUNTER_TOTAL,                                                    \
        "turns of the shards' loops")                                                              \
    OWN(lanes, "Shoal", "lanes_looked_at", COUNTER_TOTAL,                                          \
        "times that a turn looked at what another shard had sent: only where something had come")  \
    OWN(sleeps, "Shoal", "sleeps", COUNTER_EVENTS,                                                 \
        "times that a shard went to sleep")                                                        \
    OWN(wakeups, "Shoal", "wakeups", COUNTER_EVENTS,                                               \
        "times that a shard woke another")                                                         \
    OWN(throttled, "Shoal", "throttled", COUNTER_EVENTS,                                           \
        "times that the server stopped reading a connection whose replies were not read")          \
    OWN(buffer_waits, "Shoal", "buffer_waits", COUNTER_EVENTS,                                     \
        "times that a connection was not read further for want of room for its request")           \
    OWN(buffers_waiting, "Shoal", "buffer_waiting_clients", COUNTER_STATE,                         \
        "connections that wait for that room now")                                                 \
    OWN(starved, "Shoal", "starved", COUNTER_EVENTS,                                               \
        "times that a receive ended for want of receive buffers")                                  \
    OWN(ring_overflows, "Shoal", "ring_overflows", COUNTER_TOTAL,                                  \
        "times that the kernel had more completions than a ring had room for; it keeps them")     \
    OWN(accept_failures, "Shoal", "accept_failures", COUNTER_EVENTS,                               \
        "new connections that could not be accepted, for want of descriptors or memory or "        \
        "because the client was gone again")                                                       \
    OWN(idle_closed, "Shoal", "idle_closed", COUNTER_EVENTS,                                       \
        "connections closed by `timeout`")                                                         \
    OWN(buffer_bytes, "Shoal", "buffer_bytes", COUNTER_STATE,                                      \
        "memory of connections, their requests and their replies")                                 \
    KEYSPACE(ghost_hits, "Shoal", "ghost_hits", COUNTER_EVENTS,                                    \
        "keys that were set again soon after their eviction, and are kept longer this time")
/* clang-format on */

struct counter_row {
    const char *section, *name; /* in INFO */
    size_t offset;              /* in struct reactor_stats */
    enum counter_kind kind;
    const char *help; /* for docs/monitoring.md: no sentence's end */
};

/* The rows, in the table's order. Thread: any. */
uint32_t counters_count(void);
const struct counter_row *counters_at(uint32_t i);

/* The table as markdown. Thread: startup. */
void counters_print_markdown(FILE *out);

#endif
