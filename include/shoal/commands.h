/*
 * commands.h - every command there is.
 */
#ifndef SHOAL_COMMANDS_H
#define SHOAL_COMMANDS_H

/* Hands the families of all rooms to the registry. Thread: startup, before any command is looked
 * up. */
void commands_register(void);

#endif
