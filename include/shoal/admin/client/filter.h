/*
 * filter.h - selects the connections of CLIENT LIST and CLIENT KILL.
 */
#ifndef SHOAL_ADMIN_CLIENT_FILTER_H
#define SHOAL_ADMIN_CLIENT_FILTER_H

#include "shoal/cmd/command.h"
#include "shoal/net/socket.h"

struct conn;

enum { CLIENT_ERROR_MAX = 256 };

/* A connection matches if it meets all conditions. Every reactor reads a filter, none writes it. */
struct client_filter {
    uint64_t caller;                 /* id of the connection that asks ... */
    bool skip_caller;                /* ... which does not match */
    bool by_address;                 /* the old CLIENT KILL ip:port, which answers OK */
    bool subscribed, not_subscribed; /* TYPE pubsub, TYPE normal: the last one given counts */
    bool nobody;                     /* a type that no connection here has: replicas */
    int64_t age_s;                   /* connected for at least as long */
    char peer[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX]; /* "": any */
    uint32_t id_count;                                    /* 0: any */
    uint64_t ids[];                                       /* sorted */
};

/*
 * Reads the arguments of CLIENT KILL or CLIENT LIST, the command's two words included.
 *
 *   returns  malloc'ed; NULL: error[] says why, in Redis's words
 *   thread   any
 */
struct client_filter *client_filter_kill(uint64_t caller, const struct args *args,
                                         char error[CLIENT_ERROR_MAX]);
struct client_filter *client_filter_list(uint64_t caller, const struct args *args,
                                         char error[CLIENT_ERROR_MAX]);

/* Broken connections, which only wait to be freed, never match. Thread: owner of the connection. */
bool client_filter_matches(const struct client_filter *filter, const struct conn *conn);

#endif
