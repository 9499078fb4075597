/*
 * version.h - which Redis clients may take this server for.
 */
#ifndef SHOAL_ADMIN_VERSION_H
#define SHOAL_ADMIN_VERSION_H

/* Clients and frameworks ask for a least version: Rails for 7.0, BullMQ for 5.0. */
#define REDIS_VERSION "7.4.0"

#endif
