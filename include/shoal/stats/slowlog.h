/*
 * slowlog.h - the slow commands of one reactor's connections, newest first.
 */
#ifndef SHOAL_STATS_SLOWLOG_H
#define SHOAL_STATS_SLOWLOG_H

#include "shoal/cmd/command.h"

enum { SLOWLOG_ARGS_MAX = 32, SLOWLOG_ARG_BYTES_MAX = 128 }; /* Redis's limits */

struct slowlog_entry {
    struct slowlog_entry *next;
    int64_t id; /* unique over all reactors, growing with time */
    int64_t unix_s, duration_us;
    char client[160], name[64];
    uint32_t argc;
    char *args[SLOWLOG_ARGS_MAX]; /* arg_sizes[] bytes each, which may hold zeros */
    uint32_t arg_sizes[SLOWLOG_ARGS_MAX];
};

struct slowlog {
    struct slowlog_entry *first;
    uint32_t count;
};

/* Adds an entry and forgets the oldest beyond `max`. Of argument i "(redacted)" is kept if bit i of
 * `hidden` is set. When memory is out, the command is not logged. Thread: owner, as below. */
void slowlog_add(struct slowlog *log, const struct args *args, uint64_t hidden, int64_t duration_us,
                 int64_t unix_us, const char *client, const char *name, uint32_t max);
void slowlog_clear(struct slowlog *log);

/* Writes the newest entries, at most `max`, as elements of SLOWLOG GET, each followed by
 * reply_mark(). */
void slowlog_reply(const struct slowlog *log, struct reply *reply, int64_t max);

#endif
