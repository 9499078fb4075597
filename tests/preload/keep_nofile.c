/*
 * keep_nofile.c - to be preloaded: the limit of open files says yes to whatever it is asked to be,
 * and stays.
 *
 * So a server that takes care not to run out of descriptors runs out of them.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <sys/resource.h>

static rlim_t asked_for;

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    if (resource == RLIMIT_NOFILE)
        asked_for = limit->rlim_cur;
    return 0;
}

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    static typeof(&getrlimit) next;
    if (next == NULL)
        next = (typeof(&getrlimit))dlsym(RTLD_NEXT, "getrlimit");
    int status = next(resource, limit);
    if (resource == RLIMIT_NOFILE && asked_for > limit->rlim_cur)
        limit->rlim_cur = limit->rlim_max = asked_for;
    return status;
}
