/*
 * settings.c - snapshots of the settings and their way to the reactors.
 */
#include "shoal/server/settings.h"

#include "shoal/server/server.h"

#include <stdlib.h>

void settings_reload(struct reactor *here)
{
    (void)here;
}

void settings_free_all(struct server *server)
{
    free(server->settings);
}
