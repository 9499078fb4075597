/*
 * connection.c - PING, ECHO, AUTH, SELECT and the other commands about the client's connection.
 */
#include "shoal/admin/commands.h"

#include "shoal/admin/auth.h"
#include "shoal/admin/client/text.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/multi.h"

#define ERR_NO_PASSWORD                                                                            \
    "ERR AUTH <password> called without any password configured for the default user. Are you "    \
    "sure your configuration is correct?"

static void ping_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    bool subscribed = conn->flags & CONN_SUBSCRIBED && reply->proto == PROTO_RESP2;
    if (subscribed && args->count <= 2) {
        reply_array(reply, 2); /* as a message looks to a client of RESP2 */
        reply_cstr(reply, "pong");
        reply_str(reply, args->count == 2 ? args_at(args, 1) : bytes_str(""));
    } else if (args->count == 1)
        reply_simple(reply, "PONG");
    else if (args->count == 2)
        reply_str(reply, args_at(args, 1));
    else
        reply_error(reply, "ERR wrong number of arguments for 'ping' command");
}

static void echo_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    reply_str(reply, args_at(args, 1));
}

/* Requests behind QUIT in the pipeline are not run. */
static void quit_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    reply_ok(reply);
    conn_close_later(conn);
}

static void auth_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    bool named = args->count == 3;
    const char *error = NULL;
    if (args->count > 3)
        error = ERR_SYNTAX;
    else if (!named && conn->reactor->settings->requirepass[0] == '\0')
        error = ERR_NO_PASSWORD;
    else
        error = auth_refusal(conn, named ? args_at(args, 1) : bytes_str("default"),
                             args_at(args, args->count - 1));
    if (error != NULL) {
        reply_error(reply, error);
        return;
    }
    conn->flags &= ~(uint32_t)CONN_UNAUTHENTICATED;
    reply_ok(reply);
}

/* In a MULTI, SELECT runs when the reply is put together. EXEC has worked out the databases of the
 * other commands before. */
static void select_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    int64_t index;
    if (!number_parse_i64(args_at(args, 1), &index)) {
        reply_error(reply, ERR_NOT_INTEGER);
    } else if (index < INT32_MIN || index > INT32_MAX) {
        reply_error(reply, ERR_NOT_INT);
    } else if (index < 0 || index >= conn->reactor->settings->databases) {
        reply_error(reply, ERR_NO_DATABASE);
    } else {
        conn->db = (uint8_t)index;
        reply_ok(reply);
    }
}

/* The connection becomes as it was when it was opened, except that the native protocol stays: the
 * first bytes of a connection decide on it. */
static void reset_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    if (conn->flags & CONN_REPLY_OFF)
        conn->unanswered.first->flags &= (uint8_t)~REQUEST_SILENT; /* a barrier: it is the first */
    conn->flags &= ~(uint32_t)(CONN_REPLY_OFF | CONN_REPLY_SKIP | CONN_NO_EVICT | CONN_NO_TOUCH);
    transaction_drop(conn);
    conn_detach_all(conn);
    client_text_set(&conn->name, bytes_str(""));
    conn->db = 0;
    if (conn->proto == PROTO_RESP3)
        conn->proto = PROTO_RESP2;
    if (conn->reactor->settings->requirepass[0] != '\0')
        conn->flags |= CONN_UNAUTHENTICATED;
    reply->proto = conn->proto;
    reply_simple(reply, "RESET");
}

/*
 * READONLY, READWRITE and ASKING tell a node of a Redis Cluster to run commands that it would send
 * to another node. This server redirects no command, so the answer is always OK.
 */
static void agree_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_ok(reply);
}

/* clang-format off */
const struct command connection_commands[] = {
    { .name = "ping", .arity = -1, .flags = CMD_SUBSCRIBER | CMD_FAST,
      .route = ROUTE_HOME, .home = ping_command,
      .group = "connection", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "[message]",
      .summary = "Answers PONG, or the message." },
    { .name = "echo", .arity = 2, .flags = CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = echo_command,
      .group = "connection", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "message",
      .summary = "Answers the message." },
    { .name = "quit", .arity = -1, .flags = CMD_SUBSCRIBER | CMD_NOAUTH | CMD_IMMEDIATE | CMD_UNPAUSABLE | CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = quit_command,
      .group = "connection", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Closes the connection." },
    { .name = "auth", .arity = -2, .flags = CMD_NOAUTH | CMD_BARRIER | CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = auth_command,
      .group = "connection", .since = "1.0.0", .complexity = "O(N) where N is the number of passwords defined for the user",
      .syntax = "[username] password",
      .summary = "Authenticates the connection." },
    { .name = "select", .arity = 2, .flags = CMD_BARRIER | CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = select_command,
      .group = "connection", .since = "1.0.0", .complexity = "O(1)",
      .syntax = "index",
      .summary = "Changes the database of the connection." },
    { .name = "reset", .arity = 1, .flags = CMD_SUBSCRIBER | CMD_NOAUTH | CMD_BARRIER | CMD_IMMEDIATE | CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = reset_command,
      .group = "connection", .since = "6.2.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Makes the connection as it was at first." },
    { .name = "readonly", .arity = 1, .flags = CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = agree_command,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Answers OK: reads are always answered here." },
    { .name = "readwrite", .arity = 1, .flags = CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = agree_command,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Answers OK: writes are always run here." },
    { .name = "asking", .arity = 1, .flags = CMD_FAST,
      .route = ROUTE_HOME, .home = agree_command,
      .group = "cluster", .since = "3.0.0", .complexity = "O(1)",
      .syntax = "",
      .summary = "Answers OK: no command is redirected." },
    { 0 },
};
/* clang-format on */
