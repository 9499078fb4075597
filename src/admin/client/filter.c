/*
 * filter.c - the filters' arguments, and matching a connection with them.
 */
#include "shoal/admin/client/filter.h"

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/conn/conn.h"
#include "shoal/reactor/reactor.h"

#include <stdio.h>
#include <stdlib.h>

static struct client_filter *filter_new(uint64_t caller, uint32_t ids_max,
                                        char error[CLIENT_ERROR_MAX])
{
    struct client_filter *filter = calloc(1, sizeof(*filter) + ids_max * sizeof(filter->ids[0]));
    if (filter == NULL)
        snprintf(error, CLIENT_ERROR_MAX, "%s", ERR_NO_MEMORY);
    else
        filter->caller = caller;
    return filter;
}

/* For conditions: an error and false. */
static bool refuse(char error[CLIENT_ERROR_MAX], const char *text)
{
    snprintf(error, CLIENT_ERROR_MAX, "%s", text);
    return false;
}

static bool refuse_word(char error[CLIENT_ERROR_MAX], const char *text, struct bytes word)
{
    snprintf(error, CLIENT_ERROR_MAX, "ERR %s '%.*s'", text, error_text_size(word), word.data);
    return false;
}

/* ---- one filter each ----------------------------------------------------- */

static bool take_type(struct client_filter *filter, struct bytes type, char *error)
{
    filter->subscribed = bytes_is(type, "pubsub");
    filter->not_subscribed = bytes_is(type, "normal");
    if (filter->subscribed || filter->not_subscribed)
        return true;
    filter->nobody = true;
    return bytes_is(type, "replica") || bytes_is(type, "slave") || bytes_is(type, "master") ||
           refuse_word(error, "Unknown client type", type);
}

static void take_address(struct client_filter *filter, struct bytes text, char *place)
{
    if (text.size == 0 || text.size >= ADDRESS_TEXT_MAX) {
        filter->nobody = true;
        return;
    }
    memcpy(place, text.data, text.size);
    place[text.size] = '\0';
}

/* For an id below 1 CLIENT LIST shows nothing; CLIENT KILL refuses it. */
static bool take_id(struct client_filter *filter, struct bytes text, int64_t least, char *error,
                    const char *refusal)
{
    int64_t id;
    if (!number_parse_i64(text, &id) || id < least)
        return refuse(error, refusal);
    filter->ids[filter->id_count++] = (uint64_t)id;
    return true;
}

static bool take_age(struct client_filter *filter, struct bytes text, char *error)
{
    if (!number_parse_i64(text, &filter->age_s))
        return refuse(error, "ERR maxage is not an integer or out of range");
    return filter->age_s > 0 || refuse(error, "ERR maxage should be greater than 0");
}

static bool take_skipme(struct client_filter *filter, struct bytes text, char *error)
{
    filter->skip_caller = bytes_is(text, "yes");
    return filter->skip_caller || bytes_is(text, "no") || refuse(error, ERR_SYNTAX);
}

/* One name and value of CLIENT KILL. */
static bool take_kill(struct client_filter *filter, struct bytes name, struct bytes value,
                      char *error)
{
    if (bytes_is(name, "id"))
        return take_id(filter, value, 1, error, "ERR client-id should be greater than 0");
    if (bytes_is(name, "type"))
        return take_type(filter, value, error);
    if (bytes_is(name, "user"))
        return bytes_equal(value, bytes_str("default")) ||
               refuse_word(error, "No such user", value);
    if (bytes_is(name, "skipme"))
        return take_skipme(filter, value, error);
    if (bytes_is(name, "maxage"))
        return take_age(filter, value, error);
    if (bytes_is(name, "addr"))
        take_address(filter, value, filter->peer);
    else if (bytes_is(name, "laddr"))
        take_address(filter, value, filter->local);
    else
        return refuse(error, ERR_SYNTAX);
    return true;
}

/* ---- the commands' arguments --------------------------------------------- */

static bool take_all_kill(struct client_filter *filter, const struct args *args, char *error)
{
    for (uint32_t i = 2; i < args->count; i += 2) {
        if (i + 1 == args->count)
            return refuse(error, ERR_SYNTAX);
        if (!take_kill(filter, args_at(args, i), args_at(args, i + 1), error))
            return false;
    }
    /* ID given twice cannot both be true, unless it is the same. */
    for (uint32_t i = 1; i < filter->id_count; i++)
        filter->nobody |= filter->ids[i] != filter->ids[0];
    if (filter->id_count > 1)
        filter->id_count = 1;
    return true;
}

struct client_filter *client_filter_kill(uint64_t caller, const struct args *args,
                                         char error[CLIENT_ERROR_MAX])
{
    struct client_filter *filter = filter_new(caller, args->count, error);
    if (filter == NULL)
        return NULL;
    if (args->count == 3) {
        filter->by_address = true;
        take_address(filter, args_at(args, 2), filter->peer);
        return filter;
    }
    filter->skip_caller = true;
    if (!take_all_kill(filter, args, error)) {
        free(filter);
        return NULL;
    }
    return filter;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool take_all_list(struct client_filter *filter, const struct args *args, char *error)
{
    if (args->count == 2)
        return true;
    if (args->count == 4 && bytes_is(args_at(args, 2), "type"))
        return take_type(filter, args_at(args, 3), error);
    if (args->count == 3 || !bytes_is(args_at(args, 2), "id"))
        return refuse(error, ERR_SYNTAX);
    for (uint32_t i = 3; i < args->count; i++)
        if (!take_id(filter, args_at(args, i), INT64_MIN, error, "ERR Invalid client ID"))
            return false;
    qsort(filter->ids, filter->id_count, sizeof(filter->ids[0]), compare_ids);
    return true;
}

struct client_filter *client_filter_list(uint64_t caller, const struct args *args,
                                         char error[CLIENT_ERROR_MAX])
{
    struct client_filter *filter = filter_new(caller, args->count, error);
    if (filter != NULL && !take_all_list(filter, args, error)) {
        free(filter);
        return NULL;
    }
    return filter;
}

/* ---- matching ------------------------------------------------------------ */

static bool address_is(const char *wanted, const struct conn *conn,
                       void (*text_of)(int fd, char out[ADDRESS_TEXT_MAX]))
{
    char address[ADDRESS_TEXT_MAX];
    if (wanted[0] == '\0')
        return true;
    text_of(conn->fd, address);
    return strcmp(wanted, address) == 0;
}

bool client_filter_matches(const struct client_filter *filter, const struct conn *conn)
{
    if (conn->flags & CONN_DEAD || filter->nobody)
        return false;
    if (conn->flags & CONN_SUBSCRIBED ? filter->not_subscribed : filter->subscribed)
        return false;
    if (filter->skip_caller && conn->id == filter->caller)
        return false;
    if (filter->id_count > 0 && bsearch(&conn->id, filter->ids, filter->id_count,
                                        sizeof(filter->ids[0]), compare_ids) == NULL)
        return false;
    if ((conn->reactor->now_ms - conn->created_ms) / 1000 < filter->age_s)
        return false;
    return address_is(filter->peer, conn, socket_peer_text) &&
           address_is(filter->local, conn, socket_local_text);
}
