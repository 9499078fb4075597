/*
 * settings.h - changing the settings while the server runs: a new snapshot for every reactor.
 *
 * Snapshots are immutable. A change makes a new one from the newest, under a lock that only changes
 * take; each reactor then switches to it by itself, and when the last one has, the older ones go.
 */
#ifndef SHOAL_SERVER_SETTINGS_H
#define SHOAL_SERVER_SETTINGS_H

#include "shoal/cmd/command.h"

struct reactor;
struct server;

enum { SETTINGS_ERROR_MAX = 768 };

/*
 * CONFIG SET: applies the name-value pairs args[from ..] to a clone of the newest snapshot, all or
 * none, and makes that the newest. No reactor uses it yet.
 *
 *   version  of the snapshot that holds the change
 *   returns  false: nothing changed, `error` is the whole reply ("ERR CONFIG SET failed ...")
 *   thread   any reactor
 */
bool settings_change(struct server *server, const struct args *args, uint32_t from,
                     uint64_t *version, char error[SETTINGS_ERROR_MAX]);

/* Switches to the newest snapshot. Thread: owner. */
void settings_use(struct reactor *here);

/* Frees the snapshots before `version`, to which every reactor has switched. Thread: any
 * reactor. */
void settings_retire(struct server *server, uint64_t version);

/* Re-reads the config file and publishes what may change (SIGHUP). Thread: reactor SEQUENCER. */
void settings_reload(struct reactor *here);

/* Thread: startup, after all threads have ended. */
void settings_free_all(struct server *server);

#endif
