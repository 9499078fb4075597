/*
 * process.c - the server as a process: its time, its role, its end.
 */
#include "shoal/admin/commands.h"
#include "shoal/base/clock.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/server/server.h"

#include <stdio.h>

static void time_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    char text[INT64_TEXT_MAX];
    int64_t now_us = clock_wall_us();
    (void)conn;
    (void)args;
    reply_array(reply, 2);
    reply_str(reply, bytes_of(text, number_format_i64(text, now_us / 1000000)));
    reply_str(reply, bytes_of(text, number_format_i64(text, now_us % 1000000)));
}

/* Always a master without replicas, at offset 0. */
static void role_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_array(reply, 3);
    reply_cstr(reply, "master");
    reply_int(reply, 0);
    reply_array(reply, 0);
}

static void lolwut_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    static const char school[] = "  ><(((o>    ><(((o>\n"
                                 "        ><(((o>   ><(((o>\n"
                                 "   ><(((o>     ><(((o>\n";
    char text[256];
    int64_t version;
    (void)conn;
    /* there is one picture for all versions; what else is behind the word is nobody's business */
    if (args->count > 2 && bytes_is(args_at(args, 1), "version") &&
        !number_parse_i64(args_at(args, 2), &version)) {
        reply_error(reply, ERR_NOT_INTEGER);
        return;
    }
    int size = snprintf(text, sizeof(text), "%s\nshoal ver. %s\n", school, SHOAL_VERSION);
    reply_verbatim(reply, bytes_of(text, (size_t)size), "txt");
}

/* ---- SHUTDOWN ------------------------------------------------------------ */

struct shutdown_words {
    bool save, nosave, now, force, abort;
};

static bool shutdown_parse(const struct args *args, struct shutdown_words *words)
{
    for (uint32_t i = 1; i < args->count; i++) {
        struct bytes word = args_at(args, i);
        bool *flag = bytes_is(word, "save")     ? &words->save
                     : bytes_is(word, "nosave") ? &words->nosave
                     : bytes_is(word, "now")    ? &words->now
                     : bytes_is(word, "force")  ? &words->force
                     : bytes_is(word, "abort")  ? &words->abort
                                                : NULL;
        if (flag == NULL)
            return false;
        *flag = true;
    }
    return !(words->save && words->nosave) && !(words->abort && args->count > 2);
}

/*
 * On success there is no reply, as in Redis; the connection closes. There are no replicas to wait
 * for, so NOW changes nothing. A shutdown that has begun cannot be aborted.
 */
static void shutdown_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    struct shutdown_words words = { 0 };
    if (!shutdown_parse(args, &words)) {
        reply_error(reply, ERR_SYNTAX);
    } else if (words.abort) {
        reply_error(reply, "ERR No shutdown in progress.");
    } else if (words.save && !words.force) {
        reply_error(reply, "ERR Errors trying to SHUTDOWN: nothing can be saved here, say NOSAVE");
    } else {
        must(conn->requests == 1); /* a barrier is alone */
        conn->unanswered.first->flags |= REQUEST_SILENT | REQUEST_CLOSES;
        server_stop(conn->reactor->server);
    }
}

/* clang-format off */
const struct command server_commands[] = {
    { .name = "time", .arity = 1, .flags = CMD_ANYTIME | CMD_FAST, .home = time_command,
      .group = "server", .since = "2.6.0", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the server's time: Unix seconds and microseconds." },
    { .name = "role", .arity = 1, .flags = CMD_ANYTIME | CMD_FAST, .home = role_command,
      .group = "server", .since = "2.8.12", .complexity = "O(1)", .syntax = "",
      .summary = "Returns the replication role: always a master without replicas." },
    { .name = "lolwut", .arity = -1, .flags = CMD_READONLY | CMD_FAST, .home = lolwut_command,
      .group = "server", .since = "5.0.0", .complexity = "O(1)", .syntax = "[VERSION version]",
      .summary = "Shows a shoal and the version." },
    { .name = "shutdown", .arity = -1, .flags = CMD_ADMIN | CMD_ANYTIME | CMD_NOMULTI | CMD_BARRIER,
      .home = shutdown_command,
      .group = "server", .since = "1.0.0", .complexity = "O(N) where N is the number of connections",
      .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
      .summary = "Ends the server; nothing is saved." },
    { 0 },
};
/* clang-format on */
