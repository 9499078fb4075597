/*
 * cluster.c - CLUSTER: the server as the one node that owns every slot.
 *
 * INFO says that cluster mode is off. A client that asks for the slots all the same learns that they
 * are all here, and can work in its cluster mode.
 */
#include "shoal/admin/commands.h"
#include "shoal/base/hash.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/cmd/value.h"
#include "shoal/conn/conn.h"
#include "shoal/net/socket.h"
#include "shoal/route/plan.h"
#include "shoal/server/server.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLUSTER_TEXT_MAX = 1024 };

/* The address at which the client has reached the server. It is "" over a Unix socket; clients then
 * go on using the address they know. */
static void own_host(const struct conn *conn, char host[ADDRESS_TEXT_MAX])
{
    socket_local_text(conn->fd, host);
    char *colon = strrchr(host, ':');
    if (host[0] == '/' || colon == NULL) {
        host[0] = '\0';
        return;
    }
    *colon = '\0';
    size_t size = strlen(host);
    if (host[0] == '[' && host[size - 1] == ']') {
        memmove(host, host + 1, size - 2);
        host[size - 2] = '\0';
    }
}

static const char *own_id(const struct conn *conn)
{
    return conn->reactor->server->run_id;
}

static void cluster_info(struct conn *conn, const struct args *args, struct reply *reply)
{
    char text[CLUSTER_TEXT_MAX];
    (void)conn;
    (void)args;
    int size = snprintf(text, sizeof(text),
                        "cluster_enabled:0\r\ncluster_state:ok\r\ncluster_slots_assigned:%d\r\n"
                        "cluster_slots_ok:%d\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
                        "cluster_known_nodes:1\r\ncluster_size:1\r\ncluster_current_epoch:0\r\n"
                        "cluster_my_epoch:0\r\ncluster_stats_messages_sent:0\r\n"
                        "cluster_stats_messages_received:0\r\n",
                        SLOT_COUNT, SLOT_COUNT);
    reply_verbatim(reply, bytes_of(text, (size_t)size), "txt");
}

static void cluster_myid(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    reply_cstr(reply, own_id(conn));
}

static void cluster_nodes(struct conn *conn, const struct args *args, struct reply *reply)
{
    char text[CLUSTER_TEXT_MAX], host[ADDRESS_TEXT_MAX];
    (void)args;
    own_host(conn, host);
    int size = snprintf(text, sizeof(text), "%s %s:%d@0 myself,master - 0 0 0 connected 0-%d\n",
                        own_id(conn), host, conn->reactor->settings->port, SLOT_COUNT - 1);
    reply_verbatim(reply, bytes_of(text, (size_t)size), "txt");
}

static void cluster_slots(struct conn *conn, const struct args *args, struct reply *reply)
{
    char host[ADDRESS_TEXT_MAX];
    (void)args;
    own_host(conn, host);
    reply_array(reply, 1);
    reply_array(reply, 3);
    reply_int(reply, 0);
    reply_int(reply, SLOT_COUNT - 1);
    reply_array(reply, 4);
    reply_cstr(reply, host);
    reply_int(reply, conn->reactor->settings->port);
    reply_cstr(reply, own_id(conn));
    reply_array(reply, 0);
}

static void add_text(struct reply *reply, const char *name, const char *text)
{
    reply_cstr(reply, name);
    reply_cstr(reply, text);
}

static void cluster_shards(struct conn *conn, const struct args *args, struct reply *reply)
{
    char host[ADDRESS_TEXT_MAX];
    (void)args;
    own_host(conn, host);
    reply_array(reply, 1);
    reply_map(reply, 2);
    reply_cstr(reply, "slots");
    reply_array(reply, 2);
    reply_int(reply, 0);
    reply_int(reply, SLOT_COUNT - 1);
    reply_cstr(reply, "nodes");
    reply_array(reply, 1);
    reply_map(reply, 7);
    add_text(reply, "id", own_id(conn));
    reply_cstr(reply, "port");
    reply_int(reply, conn->reactor->settings->port);
    add_text(reply, "ip", host);
    add_text(reply, "endpoint", host);
    add_text(reply, "role", "master");
    reply_cstr(reply, "replication-offset");
    reply_int(reply, 0);
    add_text(reply, "health", "online");
}

static void cluster_keyslot(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    reply_int(reply, hash_slot(args_at(args, 2)));
}

/* ---- COUNTKEYSINSLOT ----------------------------------------------------- */

struct slot_count {
    uint32_t slot;
};

struct tally {
    const struct keyspace *keyspace;
    uint32_t slot;
    int64_t keys;
};

static void tally_item(void *context, struct item *item, uint64_t unused)
{
    struct tally *tally = context;
    (void)unused;
    tally->keys += value_live(tally->keyspace, item) && hash_slot(item_key(item)) == tally->slot;
}

/* There is no index by slot: the owner of the slot looks at every key of database 0. */
static void count_control(struct reactor *here, void *context, struct reply *reply)
{
    const struct slot_count *wanted = context;
    struct tally tally = { .keyspace = here->keyspace, .slot = wanted->slot };
    if (reactor_of_slot(here, wanted->slot) == here->id) {
        uint64_t cursor = 0;
        do {
            cursor = table_scan(&here->keyspace->db[0], cursor, tally_item, &tally);
        } while (cursor != 0);
    }
    reply_raw(reply, bytes_of(&tally.keys, sizeof(tally.keys)));
    reply_mark(reply);
}

static void count_merge(struct plan *plan, void *context, struct reply *reply)
{
    int64_t sum = 0;
    (void)context;
    for (uint32_t i = 0; i < plan->home->count; i++) {
        int64_t keys;
        memcpy(&keys, plan_element(plan, i).data, sizeof(keys));
        sum += keys;
    }
    reply_int(reply, sum);
}

static void cluster_countkeysinslot(struct plan *plan, const struct args *args)
{
    int64_t slot;
    if (!number_parse_i64(args_at(args, 2), &slot)) {
        plan_add_error(plan, ERR_NOT_INTEGER);
        return;
    }
    if (slot < 0 || slot >= SLOT_COUNT) {
        plan_add_error(plan, "ERR Invalid slot");
        return;
    }
    struct slot_count *wanted = malloc(sizeof(*wanted));
    if (wanted == NULL) {
        plan_add_error(plan, ERR_NO_MEMORY);
        return;
    }
    wanted->slot = (uint32_t)slot;
    plan_add_control(plan, count_control, count_merge, wanted);
}

/* clang-format off */
static const struct command subs[] = {
    { .name = "countkeysinslot", .arity = 3, .flags = CMD_STALE,
      .route = ROUTE_GATHER, .gather = cluster_countkeysinslot,
      .group = "cluster", .since = "3.0.0", .complexity = "O(N) where N is the number of keys of a shard",
      .syntax = "slot",
      .summary = "Returns the number of keys in a slot." },
    { .name = "info", .arity = 2, .flags = CMD_STALE, .home = cluster_info,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the state of a cluster of this one node." },
    { .name = "keyslot", .arity = 3, .flags = CMD_STALE, .home = cluster_keyslot,
      .group = "cluster", .since = "3.0.0", .complexity = "O(N) where N is the number of bytes in the key", .syntax = "key",
      .summary = "Returns the slot of a key." },
    { .name = "myid", .arity = 2, .flags = CMD_STALE, .home = cluster_myid,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the id of this node." },
    { .name = "nodes", .arity = 2, .flags = CMD_STALE, .home = cluster_nodes,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the nodes: this one." },
    { .name = "shards", .arity = 2, .flags = CMD_ANYTIME, .home = cluster_shards,
      .group = "cluster", .since = "7.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the slots and the node that has them all." },
    { .name = "slots", .arity = 2, .flags = CMD_ANYTIME, .home = cluster_slots,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the slots and the node that has them all." },
    HELP_ROW("cluster", "5.0.0", CMD_ANYTIME),
    { 0 },
};

const struct command cluster_commands[] = {
    { .name = "cluster", .arity = -2, .subs = subs,
      .group = "cluster", .since = "3.0.0", .complexity = "Depends on subcommand.", .syntax = "subcommand",
      .summary = "A container for commands about the cluster: one node." },
    { 0 },
};
/* clang-format on */
