/*
 * tracking.c - the sub-commands of client-side caching, which is not offered.
 *
 * A client that is told OK keeps values and relies on invalidation messages, which would never
 * come. So tracking cannot be turned on, and the other sub-commands answer as they do while it is
 * off.
 */
#include "handlers.h"

#include "shoal/cmd/errors.h"

void client_tracking(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    if (bytes_is(args_at(args, 2), "off") && args->count == 3)
        reply_ok(reply);
    else if (bytes_is(args_at(args, 2), "on"))
        reply_error(reply, "ERR CLIENT TRACKING ON is not supported: this server sends no "
                           "invalidation messages");
    else
        reply_error(reply, ERR_SYNTAX);
}

void client_trackinginfo(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_map(reply, 3);
    reply_cstr(reply, "flags");
    reply_set(reply, 1);
    reply_cstr(reply, "off");
    reply_cstr(reply, "redirect");
    reply_int(reply, -1);
    reply_cstr(reply, "prefixes");
    reply_array(reply, 0);
}

void client_caching(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_error(reply, "ERR CLIENT CACHING can be called only when the client is in tracking mode "
                       "with OPTIN or OPTOUT mode enabled");
}

void client_getredir(struct conn *conn, const struct args *args, struct reply *reply)
{
    (void)conn;
    (void)args;
    reply_int(reply, -1);
}
