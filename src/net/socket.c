/*
 * socket.c - listening sockets and the names of their ends.
 */
#include "shoal/net/socket.h"

#include "shoal/base/bound.h"
#include "shoal/base/minmax.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h> /* glibc's own ends before tcpi_bytes_acked */
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    BIND_TRIES = 50, /* one second in all */
    BIND_PAUSE_NS = 20 * 1000 * 1000,
    RECEIVE_BYTES = 128 * 1024, /* the kernel doubles it; at 0.2 ms there and back it is 640 MB/s */
    SEND_BYTES = BOUND(0, 65536), /* of the kernel's send buffer; 0: what it likes */
};

static int bind_patiently(int fd, const struct sockaddr *address, socklen_t size)
{
    for (int tries = 1;; tries++) {
        if (bind(fd, address, size) == 0)
            return 0;
        if (errno != EADDRINUSE || tries == BIND_TRIES)
            return -errno;
        nanosleep(&(struct timespec){ .tv_nsec = BIND_PAUSE_NS }, NULL);
    }
}

static int listen_at(const struct addrinfo *info, int backlog)
{
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    int ret = bind_patiently(fd, info->ai_addr, info->ai_addrlen);
    if (ret == 0 && listen(fd, backlog) != 0)
        ret = -errno;
    if (ret == 0)
        return fd;
    close(fd);
    return ret;
}

/* The addresses of a name, a number, or "*" and "::*" for all; NULL when it has none. */
static struct addrinfo *resolve(const char *host, int port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
    char service[16];
    snprintf(service, sizeof(service), "%d", port);
    if (strcmp(host, "*") == 0) {
        host = NULL;
        hints.ai_family = AF_INET;
    } else if (strcmp(host, "::*") == 0) {
        host = NULL;
        hints.ai_family = AF_INET6;
    }
    return getaddrinfo(host, service, &hints, &list) == 0 ? list : NULL;
}

int socket_listen_tcp(const char *host, int port, int backlog)
{
    struct addrinfo *list = resolve(host, port);
    if (list == NULL)
        return -EADDRNOTAVAIL;
    int fd = listen_at(list, backlog);
    freeaddrinfo(list);
    return fd;
}

/* The same port at the same address, or one of both is every address. */
static bool is_part_of(const struct sockaddr_storage *bound, const struct sockaddr *wanted)
{
    if (bound->ss_family != wanted->sa_family)
        return false;
    if (wanted->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const void *)bound, *b = (const void *)wanted;
        return a->sin_port == b->sin_port &&
               (a->sin_addr.s_addr == b->sin_addr.s_addr ||
                a->sin_addr.s_addr == htonl(INADDR_ANY) || b->sin_addr.s_addr == htonl(INADDR_ANY));
    }
    const struct sockaddr_in6 *a = (const void *)bound, *b = (const void *)wanted;
    return wanted->sa_family == AF_INET6 && a->sin6_port == b->sin6_port &&
           (IN6_ARE_ADDR_EQUAL(&a->sin6_addr, &b->sin6_addr) ||
            IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&b->sin6_addr));
}

bool socket_covers(int fd, const char *host, int port)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t size = sizeof(bound);
    struct addrinfo *list = resolve(host, port);
    if (list == NULL)
        return false;
    bool covers =
        getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && is_part_of(&bound, list->ai_addr);
    freeaddrinfo(list);
    return covers;
}

/* A socket file on which no server accepts is left over from a dead one. One that may not be tried
 * is not known to be dead. */
static bool unix_is_dead(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool dead = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                errno == ECONNREFUSED;
    close(fd);
    return dead;
}

/* The type of what has the path; 0 when nothing has. */
static mode_t type_at(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 ? info.st_mode & S_IFMT : 0;
}

const char *socket_unix_explain(const char *path)
{
    switch (type_at(path)) {
    case S_IFSOCK:
        return "another server has it: stop that one or choose another --unixsocket";
    case S_IFDIR:
        return "it is a directory: name a file in it";
    case S_IFLNK:
        return "it is a symbolic link: remove it or choose another --unixsocket";
    case S_IFREG:
        return "it is a plain file: remove it or choose another --unixsocket";
    default:
        return "it is a file and no socket: remove it or choose another --unixsocket";
    }
}

int socket_listen_unix(const char *path, int mode, int backlog)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    if (type_at(path) == S_IFSOCK) {
        if (!unix_is_dead(&address))
            return -EADDRINUSE;
        if (unlink(path) != 0)
            return -errno;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* Made unreachable first, opened up by chmod before listen(): no moment with wider
     * permissions. */
    mode_t mask = mode != 0 ? umask(0777) : 0;
    int ret = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
    if (mode != 0)
        umask(mask);
    if (ret == 0 && mode != 0 && chmod(path, (mode_t)mode) != 0)
        ret = -errno;
    if (ret == 0 && listen(fd, backlog) != 0)
        ret = -errno;
    if (ret == 0)
        return fd;
    close(fd);
    return ret;
}

void socket_receive_little(int fd)
{
    int bytes = RECEIVE_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

size_t socket_peek(int fd, void *data, size_t size)
{
    ssize_t got = recv(fd, data, size, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 ? (size_t)got : 0;
}

void socket_tune(int fd, int keepalive_s)
{
    int on = 1, sent_bytes = SEND_BYTES;
    if (sent_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sent_bytes, sizeof(sent_bytes));
    /* Fails on a Unix socket, which needs neither. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 || keepalive_s <= 0)
        return;
    int interval = max(keepalive_s / 3, 1), probes = 3;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof(keepalive_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

bool socket_acked_bytes(int fd, uint64_t *bytes)
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
        return false;
    *bytes = info.tcpi_bytes_acked;
    return true;
}

static void address_text(const struct sockaddr_storage *address, char out[ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%d", host, ntohs(in->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%d", host, ntohs(in->sin6_port));
    } else if (address->ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)address;
        snprintf(out, ADDRESS_TEXT_MAX, "%.107s:0", un->sun_path);
    } else {
        snprintf(out, ADDRESS_TEXT_MAX, "?:0");
    }
}

void socket_local_text(int fd, char out[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);
    getsockname(fd, (struct sockaddr *)&address, &size);
    address_text(&address, out);
}

void socket_peer_text(int fd, char out[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);
    getpeername(fd, (struct sockaddr *)&address, &size);
    if (address.ss_family == AF_UNIX)
        socket_local_text(fd,
                          out); /* the peer of a Unix socket has no name; Redis shows the path */
    else
        address_text(&address, out);
}

bool socket_peer_is_gone(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    return getpeername(fd, (struct sockaddr *)&address, &size) != 0;
}

bool socket_peer_is_local(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0) {
        /* A peer that has reset its connection has no name any more, and what it sent before can
         * still be read. */
        size = sizeof(address);
        return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
               address.ss_family == AF_UNIX;
    }
    if (address.ss_family == AF_INET)
        return (ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr) >> 24) == 127;
    if (address.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&address)->sin6_addr);
    return address.ss_family == AF_UNIX;
}
