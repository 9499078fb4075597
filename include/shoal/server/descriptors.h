/*
 * descriptors.h - as many open files as maxclients needs.
 */
#ifndef SHOAL_SERVER_DESCRIPTORS_H
#define SHOAL_SERVER_DESCRIPTORS_H

enum { DESCRIPTORS_OWN = 64 }; /* rings, listeners, logs: not for clients */

/* Raises RLIMIT_NOFILE where allowed. Returns how many of `maxclients` clients fit. Thread: any. */
int descriptors_raise(int maxclients);

#endif
