/*
 * refused.h - the end of a start to which the system refuses what nothing works without.
 */
#ifndef SHOAL_BASE_REFUSED_H
#define SHOAL_BASE_REFUSED_H

/* What to raise where memory or a thread was refused. */
#define REFUSED_MEMORY_REMEDY                                                                      \
    "raise the limit of memory (ulimit -v and -d, LimitAS= and LimitDATA= in systemd) or lower "   \
    "--shards"
#define REFUSED_THREADS_REMEDY                                                                     \
    "raise the limit of processes (ulimit -u, TasksMax= in systemd, --pids-limit in Docker) or "   \
    "of "                                                                                          \
    "memory (ulimit -v), or lower --shards"

enum { EXIT_REFUSED = 1 }; /* docs/operations.md has it */

/*
 * Logs "cannot start: WHAT (ERROR); REMEDY" and ends the process with EXIT_REFUSED. Nothing is
 * freed, and no other thread is waited for.
 *
 *   error   an errno
 *   thread  any, before the server accepts connections
 */
_Noreturn void refused(const char *what, int error, const char *remedy);

#endif
