/*
 * log.h - one line per event, to stdout or a file.
 *
 * "2026-11-22T06:51:07.123Z pid level text". Levels are Redis's. Each line is one write(), so lines
 * of several threads never mix.
 */
#ifndef SHOAL_BASE_LOG_H
#define SHOAL_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING, LOG_NOTHING };

/* Opens `path` for appending ("" is stdout); false, errno set, when it cannot. Thread: startup. */
bool log_open(const char *path);

/* Opens the same path again (after logrotate). Thread: main. */
bool log_reopen(void);

void log_set_level(enum log_level level); /* thread: any */

/* Longer lines are cut at 1,023 bytes. Thread: any. */
__attribute__((format(printf, 2, 3))) void log_write(enum log_level level, const char *format, ...);

#endif
