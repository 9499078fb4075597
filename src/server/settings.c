/*
 * settings.c - snapshots of the settings and their way to the reactors.
 *
 * The newest hangs off the server; each links to the one before it, until no reactor can use that
 * any more.
 */
#include "shoal/server/settings.h"

#include "shoal/base/log.h"
#include "shoal/cmd/errors.h"
#include "shoal/mesh/broadcast.h"
#include "shoal/options/config.h"
#include "shoal/options/notes.h"
#include "shoal/server/descriptors.h"
#include "shoal/server/due.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/shard/memory_share.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the newest ---------------------------------------------------------- */

static struct settings *clone_newest(const struct server *server)
{
    struct settings *fresh = malloc(sizeof(*fresh));
    if (fresh != NULL)
        *fresh = *server->settings;
    return fresh;
}

/* Lock held. */
static void make_newest(struct server *server, struct settings *fresh)
{
    fresh->version = ++server->settings_version;
    fresh->_older = server->settings;
    server->settings = fresh;
}

void settings_use(struct reactor *here)
{
    struct server *server = here->server;
    pthread_mutex_lock(&server->settings_lock);
    const struct settings *newest = server->settings;
    pthread_mutex_unlock(&server->settings_lock);
    if (newest->version <= here->settings->version)
        return;
    worker_use_settings(here, newest);
    /* who was answered may ask another shard at once, which looks at what this one has published */
    memory_share_renew(here);
    due_publish(here);
    if (here->id != SEQUENCER)
        return;
    /* what is the process's and not a reactor's */
    log_set_level((enum log_level)newest->loglevel);
    if ((uint64_t)newest->maxclients > counter_get(&server->clients_max))
        counter_set(&server->clients_max, (uint64_t)newest->maxclients);
}

void settings_retire(struct server *server, uint64_t version)
{
    pthread_mutex_lock(&server->settings_lock);
    struct settings **link = &server->settings;
    while (*link != NULL && (*link)->version >= version)
        link = &(*link)->_older;
    struct settings *old = *link;
    *link = NULL;
    pthread_mutex_unlock(&server->settings_lock);
    while (old != NULL) {
        struct settings *older = old->_older;
        free(old);
        old = older;
    }
}

void settings_free_all(struct server *server)
{
    settings_retire(server, UINT64_MAX);
}

/* ---- CONFIG SET ---------------------------------------------------------- */

static void say_failed(char error[SETTINGS_ERROR_MAX], struct bytes name, const char *why)
{
    char lower[ERROR_TEXT_MAX];
    int size = error_text_size(name);
    for (int i = 0; i < size; i++)
        lower[i] = (char)tolower((unsigned char)name.data[i]);
    snprintf(error, SETTINGS_ERROR_MAX,
             "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s", size, lower, why);
}

static bool is_repeated(const struct args *args, uint32_t from, uint32_t at)
{
    char name[ERROR_TEXT_MAX];
    struct bytes wanted = args_at(args, at);
    snprintf(name, sizeof(name), "%.*s", (int)wanted.size, wanted.data);
    for (uint32_t i = from; i < at; i += 2)
        if (bytes_is(args_at(args, i), name))
            return true;
    return false;
}

static bool set_pair(struct settings *fresh, const struct args *args, uint32_t from, uint32_t at,
                     char error[SETTINGS_ERROR_MAX])
{
    struct option_error why = { "" };
    struct bytes name = args_at(args, at);
    enum option_set_result result = option_set(fresh, name, args_at(args, at + 1), &why);
    if (result == OPTION_UNKNOWN) {
        int size = error_text_size(name);
        snprintf(error, SETTINGS_ERROR_MAX,
                 "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'", size,
                 name.data);
        return false;
    }
    if (result != OPTION_SET || is_repeated(args, from, at)) {
        say_failed(error, name, result != OPTION_SET ? why.text : "duplicate parameter");
        return false;
    }
    return true;
}

/* Lock held. */
static bool descriptors_suffice(const struct settings *fresh, const struct server *server,
                                char error[SETTINGS_ERROR_MAX])
{
    char why[128];
    if (fresh->maxclients <= server->settings->maxclients)
        return true;
    int fit = descriptors_raise(fresh->maxclients);
    if (fit >= fresh->maxclients)
        return true;
    snprintf(why, sizeof(why),
             "The operating system is not able to handle the specified number of clients, try with "
             "%d",
             fit);
    say_failed(error, bytes_str("maxclients"), why);
    return false;
}

bool settings_change(struct server *server, const struct args *args, uint32_t from,
                     uint64_t *version, char error[SETTINGS_ERROR_MAX])
{
    pthread_mutex_lock(&server->settings_lock);
    struct settings *fresh = clone_newest(server);
    bool ok = fresh != NULL;
    if (!ok)
        snprintf(error, SETTINGS_ERROR_MAX, "%s", ERR_NO_MEMORY);
    for (uint32_t i = from; i + 1 < args->count && ok; i += 2)
        ok = set_pair(fresh, args, from, i, error);
    ok = ok && descriptors_suffice(fresh, server, error);
    if (ok) {
        make_newest(server, fresh);
        *version = fresh->version;
    }
    pthread_mutex_unlock(&server->settings_lock);
    if (!ok)
        free(fresh);
    return ok;
}

/* ---- SIGHUP -------------------------------------------------------------- */

static void round_run(struct reactor *here, struct broadcast *round)
{
    (void)round;
    settings_use(here);
}

static void round_done(struct reactor *home, struct broadcast *round)
{
    settings_retire(home->server, round->number);
    free(round);
}

/* From the file as it is now; NULL when nothing is to change. Lock held. */
static struct settings *read_again(const struct server *server)
{
    struct option_error error;
    struct settings *fresh = clone_newest(server);
    if (fresh == NULL) {
        log_write(LOG_WARNING, "the settings stay as they are: out of memory");
        return NULL;
    }
    if (!options_reload(fresh, &error)) {
        log_write(LOG_WARNING, "the settings stay as they are: %s", error.text);
        free(fresh);
        return NULL;
    }
    for (const char *const *warning = options_warnings(); *warning != NULL; warning++)
        log_write(LOG_WARNING, "%s", *warning);
    int fit = descriptors_raise(fresh->maxclients);
    if (fit < fresh->maxclients) {
        log_write(LOG_WARNING,
                  "maxclients is %d instead of %d: the limit of open files (ulimit -n)", fit,
                  fresh->maxclients);
        fresh->maxclients = fit;
    }
    return fresh;
}

void settings_reload(struct reactor *here)
{
    struct server *server = here->server;
    struct broadcast *round = broadcast_new(here->count, round_run, round_done);
    if (round == NULL) {
        log_write(LOG_WARNING, "the settings stay as they are: out of memory");
        return;
    }
    pthread_mutex_lock(&server->settings_lock);
    struct settings *fresh = read_again(server);
    if (fresh != NULL) {
        make_newest(server, fresh);
        round->number = fresh->version; /* a newer one may retire it once the lock is gone */
    }
    pthread_mutex_unlock(&server->settings_lock);
    if (fresh == NULL) {
        free(round);
        return;
    }
    broadcast_send(here, round); /* nobody waits for it */
    log_write(LOG_NOTICE, "settings read again from %s", here->settings->config_file);
}
