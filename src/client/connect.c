/*
 * connect.c - a connection's beginning and end.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

static struct shoal_client *client_new(int timeout_ms)
{
    struct shoal_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->fd = -1;
    client->timeout_ms = timeout_ms > 0 ? timeout_ms : 0;
    return client;
}

void shoal_close(struct shoal_client **client)
{
    if (*client == NULL)
        return;
    if ((*client)->fd >= 0)
        close((*client)->fd);
    free((*client)->out.data);
    free((*client)->in.data);
    free(*client);
    *client = NULL;
}

/* A connected non-blocking socket, or -errno. The kernel keeps connect()'s time-out, for both
 * families. */
static int open_socket(const struct sockaddr *address, socklen_t size, int timeout_ms)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    int failed;
    do
        failed = connect(fd, address, size);
    while (failed && errno == EINTR);
    if (!failed && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0)
        return fd;
    int error = errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
    close(fd);
    return -error;
}

static void connect_failed(struct shoal_client *client, const char *host, int port, const char *why)
{
    const char *format =
        strchr(host, ':') != NULL ? "cannot connect to [%s]:%d: %s" : "cannot connect to %s:%d: %s";
    client->fatal = client->status = SHOAL_ERR_CONNECT;
    snprintf(client->error, sizeof(client->error), format, host, port, why);
}

struct shoal_client *shoal_connect(const char *host, int port, int timeout_ms)
{
    struct shoal_client *client = client_new(timeout_ms);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *addresses = NULL;
    char service[16];
    if (client == NULL)
        return NULL;
    snprintf(service, sizeof(service), "%d", port);
    int unresolved = getaddrinfo(host, service, &hints, &addresses);
    if (unresolved) {
        connect_failed(client, host, port, gai_strerror(unresolved));
        return client;
    }
    for (struct addrinfo *a = addresses; a != NULL && client->fd < 0; a = a->ai_next)
        client->fd = open_socket(a->ai_addr, a->ai_addrlen, client->timeout_ms);
    freeaddrinfo(addresses);
    if (client->fd < 0)
        connect_failed(client, host, port, strerror(-client->fd));
    else
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return client;
}

struct shoal_client *shoal_connect_unix(const char *path, int timeout_ms)
{
    struct shoal_client *client = client_new(timeout_ms);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (client == NULL)
        return NULL;
    if (strlen(path) < sizeof(address.sun_path)) {
        strcpy(address.sun_path, path);
        client->fd = open_socket((struct sockaddr *)&address, sizeof(address), client->timeout_ms);
    } else {
        client->fd = -ENAMETOOLONG;
    }
    if (client->fd < 0)
        shoal_break(client, SHOAL_ERR_CONNECT, "cannot connect to %s: %s", path,
                    strerror(-client->fd));
    return client;
}
