/*
 * help.c - CLIENT HELP.
 */
#include "handlers.h"

#include "shoal/cmd/help.h"

static const char *const lines[] = {
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CAPA <capability> [<capability> ...]",
    "    Accepted: no capability changes what this server sends.",
    "GETNAME",
    "    The name of this connection.",
    "ID",
    "    The id of this connection.",
    "INFO",
    "    This connection in one line.",
    "KILL <ip:port>",
    "    Ends the connection with that address.",
    "KILL <option> <value> [<option> <value> ...]",
    "    Ends the connections for which all of these hold, and answers how many they were:",
    "    ADDR <ip:port>, LADDR <ip:port>: its address, the server's end of it.",
    "    ID <id>, USER <name>, TYPE (NORMAL|MASTER|REPLICA|PUBSUB).",
    "    MAXAGE <seconds>: connected for at least as long.",
    "    SKIPME (YES|NO): leave this connection alone (default: yes).",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <id> [<id> ...]]",
    "    Connections, a line each.",
    "NO-EVICT (ON|OFF), NO-TOUCH (ON|OFF)",
    "    Kept and shown in LIST: connections are not evicted, and reads are not told apart.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Holds all commands, or those that write, for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether commands of this connection are answered; SKIP: not the next one.",
    "SETINFO <option> <value>",
    "    What the client's library is: LIB-NAME, LIB-VER.",
    "SETNAME <name>",
    "    Names this connection.",
    "TRACKING OFF, TRACKINGINFO, GETREDIR",
    "    Client-side caching, which is always off.",
    "UNBLOCK <id> [TIMEOUT|ERROR]",
    "    Always 0: no command blocks.",
    "UNPAUSE",
    "    Ends a pause.",
    NULL,
};

void client_help(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_help(reply, lines);
}
