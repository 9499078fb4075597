/*
 * descriptors.c - raising the limit of open files, as far as the system allows.
 */
#include "shoal/server/descriptors.h"

#include <sys/resource.h>

static void raise_to(rlim_t want, rlim_t hard)
{
    struct rlimit raised = { want, hard < want ? want : hard };
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return;
    raised = (struct rlimit){ hard, hard }; /* the hard limit itself is ours to use */
    setrlimit(RLIMIT_NOFILE, &raised);
}

int descriptors_raise(int maxclients)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)maxclients + DESCRIPTORS_OWN;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return maxclients;
    if (limit.rlim_cur < want) {
        raise_to(want, limit.rlim_max);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= want)
        return maxclients;
    return limit.rlim_cur > DESCRIPTORS_OWN ? (int)limit.rlim_cur - DESCRIPTORS_OWN : 1;
}
