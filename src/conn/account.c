/*
 * account.c - counts commands, and gives slow ones to the slow log and the latency events.
 */
#include "shoal/conn/account.h"

#include "shoal/base/clock.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/request.h"
#include "shoal/conn/secrets.h"
#include "shoal/net/socket.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/records.h"
#include "shoal/stats/slowlog.h"
#include "shoal/stats/stats.h"

static void note_in_slowlog(struct conn *conn, const struct command *command,
                            const struct args *args, int64_t us)
{
    struct reactor *reactor = conn->reactor;
    int64_t limit_us = reactor->settings->slowlog_slower_us;
    if (limit_us < 0 || us < limit_us || (command->flags & CMD_SKIP_SLOWLOG))
        return;
    char peer[ADDRESS_TEXT_MAX];
    socket_peer_text(conn->fd, peer);
    slowlog_add(&reactor->records->slowlog, args, secrets_of(command, args), us, clock_wall_us(),
                peer, conn->name != NULL ? conn->name : "",
                (uint32_t)reactor->settings->slowlog_max_len);
}

static void note_slow(struct conn *conn, const struct command *command, const struct args *args,
                      uint64_t ticks)
{
    int64_t us = (int64_t)(clock_ticks_to_ns(ticks) / 1000);
    bool fast = command->flags & CMD_FAST;
    records_note(conn->reactor->records, fast ? LATENCY_FAST_COMMAND : LATENCY_COMMAND, us);
    note_in_slowlog(conn, command, args, us);
}

void account_command(struct conn *conn, const struct command *command, const struct args *args,
                     uint64_t ticks)
{
    stats_commands(conn->reactor->stats, command, 1, ticks);
    if (unlikely(ticks >= conn->reactor->records->slow_ticks))
        note_slow(conn, command, args, ticks);
}

void account_request(struct request *request, uint64_t ticks)
{
    struct reactor *reactor = request->conn->reactor;
    request->answer.ticks = ticks;
    stats_commands(reactor->stats, request->command, 1, ticks);
    if (unlikely(ticks >= reactor->records->slow_ticks)) {
        struct args args = request_args(request);
        note_slow(request->conn, request->command, &args, ticks);
    }
}

void account_command_failure(struct conn *conn, const struct command *command, const char *code)
{
    struct reactor_stats *stats = conn->reactor->stats;
    stats_error(stats, code);
    if (command != NULL && command->name[0] != '\0') /* not a stand-in for what never ran */
        counter_add(&stats->command[command->id].failed, 1);
}

void account_failure(struct request *request, const char *code)
{
    account_command_failure(request->conn, request->command, code);
}
