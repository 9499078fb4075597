/*
 * notes.h - the warnings of the last options_load() or options_reload(), and the directives it
 * ignored. Thread: main.
 */
#ifndef SHOAL_OPTIONS_NOTES_H
#define SHOAL_OPTIONS_NOTES_H

#include "shoal/base/bytes.h"

/* Directives of a redis.conf that mean nothing here, met while loading: "appendonly, io-threads";
 * "" if none. */
const char *options_ignored(void);

/* Ended by NULL: "shards 8: more than the 4 CPUs ...". */
const char *const *options_warnings(void);

/* For the loader. */
void options_notes_clear(void);
void options_note_ignored(const char *name);
void options_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
