/*
 * refused.c - one line in the log and an exit code, for a start that cannot go on.
 */
#include "shoal/base/refused.h"

#include "shoal/base/log.h"

#include <string.h>
#include <unistd.h>

void refused(const char *what, int error, const char *remedy)
{
    log_write(LOG_WARNING, "cannot start: %s (%s); %s", what, strerror(error), remedy);
    _exit(EXIT_REFUSED); /* other threads may be at work on what exit() would take apart */
}
