/*
 * client.c - CLIENT: the rows, and what concerns one's own connection.
 */
#include "shoal/admin/commands.h"

#include "handlers.h"

#include "shoal/admin/client/text.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/help.h"
#include "shoal/conn/conn.h"

static void client_id(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    reply_int(reply, (int64_t)conn->id);
}

/* ---- names --------------------------------------------------------------- */

static void client_getname(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)args;
    if (conn->name != NULL)
        reply_cstr(reply, conn->name);
    else
        reply_nil(reply);
}

static void set_text(char **place, struct bytes text, const char *what, struct reply *reply)
{
    if (!client_text_ok(text, what, reply))
        return;
    if (client_text_set(place, text))
        reply_ok(reply);
    else
        reply_error(reply, ERR_NO_MEMORY);
}

static void client_setname(struct conn *conn, const struct args *args, struct reply *reply)
{
    set_text(&conn->name, args_at(args, 2), "Client names", reply);
}

static void client_setinfo(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct bytes option = args_at(args, 2), value = args_at(args, 3);
    if (bytes_is(option, "lib-name"))
        set_text(&conn->lib_name, value, "lib-name", reply);
    else if (bytes_is(option, "lib-ver"))
        set_text(&conn->lib_version, value, "lib-ver", reply);
    else
        reply_errorf(reply, "ERR Unrecognized option '%.*s'", error_text_size(option), option.data);
}

/* ---- switches ------------------------------------------------------------ */

static void set_flag(struct conn *conn, uint32_t flag, struct bytes value, struct reply *reply)
{
    if (bytes_is(value, "on"))
        conn->flags |= flag;
    else if (bytes_is(value, "off"))
        conn->flags &= ~flag;
    else {
        reply_error(reply, ERR_SYNTAX);
        return;
    }
    reply_ok(reply);
}

static void client_no_evict(struct conn *conn, const struct args *args, struct reply *reply)
{
    set_flag(conn, CONN_NO_EVICT, args_at(args, 2), reply);
}

static void client_no_touch(struct conn *conn, const struct args *args, struct reply *reply)
{
    set_flag(conn, CONN_NO_TOUCH, args_at(args, 2), reply);
}

/*
 * OFF and SKIP are not answered themselves; ON always is. The command is a barrier and refused in a
 * MULTI, so its request is the first of the connection, and none behind it has been looked at.
 */
static void client_reply(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct bytes mode = args_at(args, 2);
    struct request *request = conn->unanswered.first;
    if (bytes_is(mode, "on")) {
        conn->flags &= ~(uint32_t)(CONN_REPLY_OFF | CONN_REPLY_SKIP);
        request->flags &= (uint8_t)~REQUEST_SILENT;
        reply_ok(reply);
    } else if (bytes_is(mode, "off")) {
        conn->flags |= CONN_REPLY_OFF;
        request->flags |= REQUEST_SILENT;
    } else if (bytes_is(mode, "skip")) {
        if (!(conn->flags & CONN_REPLY_OFF))
            conn->flags |= CONN_REPLY_SKIP;
        request->flags |= REQUEST_SILENT;
    } else {
        reply_error(reply, ERR_SYNTAX);
    }
}

/* ---- not supported ------------------------------------------------------- */

/* The client says what it can receive; the server sends none of that. */
static void client_capa(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_ok(reply);
}

static void client_unblock(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    char text[ERROR_WRONG_SUB_MAX];
    int64_t id;
    if (args->count > 4)
        reply_error(reply, error_wrong_sub(text, args));
    else if (args->count == 4 && !bytes_is(args_at(args, 3), "timeout") &&
             !bytes_is(args_at(args, 3), "error"))
        reply_error(reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    else if (!number_parse_i64(args_at(args, 2), &id))
        reply_error(reply, ERR_NOT_INTEGER);
    else
        reply_int(reply, 0); /* no command blocks */
}

/* An operator must be able to ask who is paused, and to end a pause. */
enum { CLIENT_FLAGS = CMD_UNPAUSABLE | CMD_ANYTIME };

/* clang-format off */
static const struct command subs[] = {
    { .name = "id", .arity = 2, .flags = CLIENT_FLAGS, .home = client_id,
      .group = "connection", .since = "5.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the id of the connection." },
    { .name = "info", .arity = 2, .flags = CLIENT_FLAGS, .home = client_info,
      .group = "connection", .since = "6.2.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the state of the connection." },
    { .name = "list", .arity = -2, .flags = CLIENT_FLAGS | CMD_ADMIN,
      .route = ROUTE_GATHER, .gather = client_list,
      .group = "connection", .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
      .syntax = "[TYPE type | ID client-id ...]",
      .summary = "Returns the state of all connections, a line each." },
    { .name = "kill", .arity = -3, .flags = CMD_BARRIER | CLIENT_FLAGS | CMD_ADMIN,
      .route = ROUTE_GATHER, .gather = client_kill,
      .group = "connection", .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
      .syntax = "address | [ID client-id] [TYPE type] [USER username] [ADDR address] [LADDR address] [SKIPME yes-no] [MAXAGE seconds]",
      .summary = "Ends connections." },
    { .name = "setname", .arity = 3, .flags = CLIENT_FLAGS, .home = client_setname,
      .group = "connection", .since = "2.6.9", .complexity = "O(1)", .syntax = "connection-name",
      .summary = "Names the connection." },
    { .name = "getname", .arity = 2, .flags = CLIENT_FLAGS, .home = client_getname,
      .group = "connection", .since = "2.6.9", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the name of the connection." },
    { .name = "setinfo", .arity = 4, .flags = CLIENT_FLAGS, .home = client_setinfo,
      .group = "connection", .since = "7.2.0", .complexity = "O(1)", .syntax = "LIB-NAME libname | LIB-VER libver",
      .summary = "Sets what library the client uses." },
    { .name = "no-evict", .arity = 3, .flags = CLIENT_FLAGS | CMD_ADMIN, .home = client_no_evict,
      .group = "connection", .since = "7.0.0", .complexity = "O(1)", .syntax = "ON | OFF",
      .summary = "Accepted: connections are not evicted." },
    { .name = "no-touch", .arity = 3, .flags = CLIENT_FLAGS, .home = client_no_touch,
      .group = "connection", .since = "7.2.0", .complexity = "O(1)", .syntax = "ON | OFF",
      .summary = "Accepted: the reads of all connections count alike." },
    { .name = "reply", .arity = 3, .flags = CMD_BARRIER | CMD_NOMULTI | CLIENT_FLAGS, .home = client_reply,
      .group = "connection", .since = "3.2.0", .complexity = "O(1)", .syntax = "ON | OFF | SKIP",
      .summary = "Whether commands are answered." },
    { .name = "pause", .arity = -3, .flags = CMD_BARRIER | CLIENT_FLAGS | CMD_ADMIN,
      .route = ROUTE_GATHER, .gather = client_pause,
      .group = "connection", .since = "3.0.0", .complexity = "O(1)", .syntax = "timeout [WRITE | ALL]",
      .summary = "Holds all commands, or those that write, for some time." },
    { .name = "unpause", .arity = 2, .flags = CLIENT_FLAGS | CMD_ADMIN,
      .route = ROUTE_GATHER, .gather = client_unpause,
      .group = "connection", .since = "6.2.0", .complexity = "O(N) where N is the number of paused clients",
      .syntax = "",
      .summary = "Ends a pause." },
    { .name = "capa", .arity = -3, .flags = CLIENT_FLAGS, .home = client_capa,
      .group = "connection", .since = "8.0.0", .complexity = "O(1)", .syntax = "capability ...",
      .summary = "Accepted: no capability changes what is sent." },
    { .name = "unblock", .arity = -3, .flags = CLIENT_FLAGS | CMD_ADMIN, .home = client_unblock,
      .group = "connection", .since = "5.0.0", .complexity = "O(1)", .syntax = "client-id [TIMEOUT | ERROR]",
      .summary = "Returns 0: no command blocks." },
    { .name = "tracking", .arity = -3, .flags = CLIENT_FLAGS, .home = client_tracking,
      .group = "connection", .since = "6.0.0", .complexity = "O(1)", .syntax = "OFF",
      .summary = "Turns client-side caching off; it cannot be turned on." },
    { .name = "trackinginfo", .arity = 2, .flags = CLIENT_FLAGS, .home = client_trackinginfo,
      .group = "connection", .since = "6.2.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns that client-side caching is off." },
    { .name = "caching", .arity = 3, .flags = CLIENT_FLAGS, .home = client_caching,
      .group = "connection", .since = "6.0.0", .complexity = "O(1)", .syntax = "YES | NO",
      .summary = "Returns an error: client-side caching is off." },
    { .name = "getredir", .arity = 2, .flags = CLIENT_FLAGS, .home = client_getredir,
      .group = "connection", .since = "6.0.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns -1: client-side caching is off." },
    HELP_ROW("connection", "5.0.0", CLIENT_FLAGS),
    { 0 },
};

const struct command client_commands[] = {
    { .name = "client", .arity = -2, .subs = subs,
      .group = "connection", .since = "2.4.0", .complexity = "Depends on subcommand.",
      .syntax = "subcommand",
      .summary = "A container for commands about connections." },
    { 0 },
};
/* clang-format on */
