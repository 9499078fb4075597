/*
 * hello.c - HELLO: the protocol, the password and the name, all or none of them.
 */
#include "shoal/admin/commands.h"

#include "shoal/admin/auth.h"
#include "shoal/admin/client/line.h"
#include "shoal/admin/client/text.h"
#include "shoal/admin/version.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/reactor/reactor.h"

#define ERR_HELLO_FIRST                                                                            \
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "      \
    "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "     \
    "RESP protocol version at the same time"

struct hello {
    uint8_t proto; /* PROTO_UNKNOWN: as it is */
    bool auth, naming;
    struct bytes user, password, name;
};

static bool parse_version(const struct conn *conn, struct bytes text, struct hello *hello,
                          struct reply *reply)
{
    int64_t version;
    if (!number_parse_i64(text, &version))
        reply_error(reply, "ERR Protocol version is not an integer or out of range");
    else if (version != 2 && version != 3)
        reply_error(reply, "NOPROTO unsupported protocol version");
    else if (conn->proto == PROTO_NATIVE)
        reply_error(reply, "NOPROTO this connection speaks the native protocol to its end");
    else
        hello->proto = version == 2 ? PROTO_RESP2 : PROTO_RESP3;
    return hello->proto != PROTO_UNKNOWN;
}

static bool parse_options(const struct args *args, struct hello *hello, struct reply *reply)
{
    for (uint32_t i = 2; i < args->count; i++) {
        struct bytes option = args_at(args, i);
        uint32_t behind = args->count - 1 - i;
        if (bytes_is(option, "auth") && behind >= 2) {
            hello->auth = true;
            hello->user = args_at(args, i + 1);
            hello->password = args_at(args, i + 2);
            i += 2;
        } else if (bytes_is(option, "setname") && behind >= 1) {
            hello->naming = true;
            hello->name = args_at(args, ++i);
            if (!client_text_ok(hello->name, "Client names", reply))
                return false;
        } else {
            reply_errorf(reply, "ERR Syntax error in HELLO option '%.*s'", error_text_size(option),
                         option.data);
            return false;
        }
    }
    return true;
}

/* No step changes anything until the last one that can fail has succeeded. */
static bool apply(struct conn *conn, const struct hello *hello, struct reply *reply)
{
    const char *error = NULL;
    if (hello->auth)
        error = auth_refusal(conn, hello->user, hello->password);
    else if (conn->flags & CONN_UNAUTHENTICATED)
        error = ERR_HELLO_FIRST;
    if (error == NULL && hello->naming && !client_text_set(&conn->name, hello->name))
        error = ERR_NO_MEMORY;
    if (error != NULL) {
        reply_error(reply, error);
        return false;
    }
    if (hello->auth)
        conn->flags &= ~(uint32_t)CONN_UNAUTHENTICATED;
    if (hello->proto != PROTO_UNKNOWN)
        conn->proto = hello->proto;
    return true;
}

static void answer(const struct conn *conn, struct reply *reply)
{
    /* The reply is in the new protocol already: RESP has no frame that was begun in the old one. */
    reply->proto = conn->proto;
    reply_map(reply, 7);
    reply_cstr(reply, "server");
    reply_cstr(reply, "redis"); /* clients read the version of this name */
    reply_cstr(reply, "version");
    reply_cstr(reply, REDIS_VERSION);
    reply_cstr(reply, "proto");
    reply_int(reply, client_resp_version(conn));
    reply_cstr(reply, "id");
    reply_int(reply, (int64_t)conn->id);
    reply_cstr(reply, "mode");
    reply_cstr(reply, "standalone");
    reply_cstr(reply, "role");
    reply_cstr(reply, "master");
    reply_cstr(reply, "modules");
    reply_array(reply, 0);
}

static void hello_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct hello hello = { .proto = PROTO_UNKNOWN };
    if (args->count > 1 && (!parse_version(conn, args_at(args, 1), &hello, reply) ||
                            !parse_options(args, &hello, reply)))
        return;
    if (apply(conn, &hello, reply))
        answer(conn, reply);
}

/* clang-format off */
const struct command hello_commands[] = {
    /* not in a MULTI: half of the reply of EXEC would be in another protocol than its beginning */
    { .name = "hello", .arity = -1, .flags = CMD_NOAUTH | CMD_BARRIER | CMD_NOMULTI | CMD_ANYTIME | CMD_FAST,
      .route = ROUTE_HOME, .home = hello_command,
      .group = "connection", .since = "6.0.0", .complexity = "O(1)",
      .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
      .summary = "Chooses the protocol, and may authenticate and name the connection." },
    { 0 },
};
/* clang-format on */
