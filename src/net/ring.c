/*
 * ring.c - the engines that there are, and what those on the kernel's own descriptors share.
 */
#include "shoal/net/ring.h"

#include "epoll.h"
#include "uring.h"

#include "shoal/net/socket.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

static const struct ring_engine *const engines[] = { &uring_engine, &epoll_engine };

const struct ring_engine *ring_engine_find(const char *option)
{
    for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
        if (strcmp(engines[i]->option, option) == 0)
            return engines[i];
    }
    return NULL;
}

void ring_kernel_shutdown(struct ring *ring, int fd, int how)
{
    (void)ring;
    shutdown(fd, how);
}

static size_t bytes_by_ioctl(int fd, unsigned long request)
{
    int bytes = 0;
    return ioctl(fd, request, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

size_t ring_kernel_unread(const struct ring *ring, int fd)
{
    (void)ring;
    return bytes_by_ioctl(fd, FIONREAD);
}

size_t ring_kernel_unsent(const struct ring *ring, int fd)
{
    (void)ring;
    return bytes_by_ioctl(fd, SIOCOUTQ);
}

bool ring_kernel_acked(const struct ring *ring, int fd, uint64_t *bytes)
{
    (void)ring;
    return socket_acked_bytes(fd, bytes);
}
