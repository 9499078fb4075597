/*
 * families.h - every command there is: the families of the command layer and of the server.
 */
#ifndef SHOAL_SERVER_FAMILIES_H
#define SHOAL_SERVER_FAMILIES_H

/* Hands all families to the registry. Thread: startup, before any command is looked up. */
void families_register(void);

#endif
