/*
 * uring_explain.c - words for a kernel that refuses io_uring, with what to do about it.
 */
#include "uring.h"

#include <errno.h>
#include <stdio.h>

static int disabled_sysctl(void)
{
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    int value = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &value) != 1)
        value = 0;
    fclose(file);
    return value;
}

const char *uring_explain(int error)
{
    switch (-error) {
    case ENOSYS:
        return "this kernel has no io_uring, or a container hides it; Linux 6.1 or newer is needed";
    case EINVAL:
        return "this kernel's io_uring is too old; Linux 6.1 or newer is needed";
    case EPERM:
    case EACCES:
        if (disabled_sysctl() > 0)
            return "io_uring is disabled by kernel.io_uring_disabled; set it to 0 "
                   "(sysctl -w kernel.io_uring_disabled=0)";
        return "io_uring is blocked by a seccomp profile, as Docker's default does; run the "
               "container with --security-opt seccomp=unconfined or a profile that allows "
               "io_uring_setup, io_uring_enter and io_uring_register";
    case ENOMEM:
        return "not enough locked memory for the rings; raise RLIMIT_MEMLOCK (ulimit -l, "
               "LimitMEMLOCK= in systemd, --ulimit memlock=-1 in Docker) and RLIMIT_AS (ulimit -v) "
               "or lower --shards";
    case EMFILE:
    case ENFILE:
        return "out of file descriptors; raise RLIMIT_NOFILE (ulimit -n)";
    default:
        return "io_uring could not be set up";
    }
}
