/*
 * settings.h - changing the settings while the server runs: a new snapshot for every reactor.
 */
#ifndef SHOAL_SERVER_SETTINGS_H
#define SHOAL_SERVER_SETTINGS_H

struct reactor;
struct server;

/* Re-reads the config file and publishes what may change (SIGHUP). Thread: reactor SEQUENCER. */
void settings_reload(struct reactor *here);

/* Thread: startup, after all threads have ended. */
void settings_free_all(struct server *server);

#endif
