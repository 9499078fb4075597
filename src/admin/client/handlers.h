/*
 * handlers.h - handlers of CLIENT's sub-commands that have a file of their own.
 */
#ifndef SHOAL_ADMIN_CLIENT_HANDLERS_H
#define SHOAL_ADMIN_CLIENT_HANDLERS_H

#include "shoal/cmd/command.h"

/* list.c */
void client_list(struct plan *plan, const struct args *args);
void client_info(struct conn *conn, const struct args *args, struct reply *reply);

/* kill.c */
void client_kill(struct plan *plan, const struct args *args);

/* pause.c */
void client_pause(struct plan *plan, const struct args *args);
void client_unpause(struct plan *plan, const struct args *args);

/* tracking.c */
void client_tracking(struct conn *conn, const struct args *args, struct reply *reply);
void client_trackinginfo(struct conn *conn, const struct args *args, struct reply *reply);
void client_caching(struct conn *conn, const struct args *args, struct reply *reply);
void client_getredir(struct conn *conn, const struct args *args, struct reply *reply);

#endif
