/*
 * blocking_socket.c - connecting, logging in and asking, all blocking: before a run and beside it.
 */
#include "blocking_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shoal/base/mem.h"

enum { ANSWER_BYTES_MAX = 64 << 20, ASK_SECONDS_MAX = 10 };

static int connect_to(int family, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

static int open_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    return connect_to(AF_UNIX, (struct sockaddr *)&address, sizeof(address));
}

static int open_tcp(const char *host, int port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *at;
    char service[16];
    int fd = -EHOSTUNREACH, on = 1;
    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return -EHOSTUNREACH;
    for (at = list; at != NULL && fd < 0; at = at->ai_next)
        fd = connect_to(at->ai_family, at->ai_addr, at->ai_addrlen);
    freeaddrinfo(list);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int socket_open(const struct target *target)
{
    return target->socket ? open_unix(target->socket) : open_tcp(target->host, target->port);
}

bool socket_is_local(int fd)
{
    struct sockaddr_storage mine = { 0 }, theirs = { 0 };
    socklen_t size = sizeof(mine);
    if (getsockname(fd, (struct sockaddr *)&mine, &size) != 0)
        return false;
    size = sizeof(theirs);
    if (mine.ss_family == AF_UNIX || getpeername(fd, (struct sockaddr *)&theirs, &size) != 0)
        return mine.ss_family == AF_UNIX;
    if (mine.ss_family == AF_INET)
        return ((struct sockaddr_in *)&mine)->sin_addr.s_addr ==
               ((struct sockaddr_in *)&theirs)->sin_addr.s_addr;
    return memcmp(&((struct sockaddr_in6 *)&mine)->sin6_addr,
                  &((struct sockaddr_in6 *)&theirs)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

pid_t socket_peer_pid(int fd)
{
    struct ucred peer = { 0 };
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool receive_reply(int fd, const struct protocol *protocol, struct answer *answer)
{
    size_t size = 0, capacity = 4096;
    char *data = mem_must_alloc(capacity);
    struct reply reply = { 0 };
    ptrdiff_t used = REPLY_MORE;
    while (used == REPLY_MORE && size < ANSWER_BYTES_MAX) {
        ssize_t got = recv(fd, data + size, capacity - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        used = protocol->scan(data, size, &reply);
        if (size == capacity && (data = realloc(data, capacity *= 2)) == NULL)
            return false;
    }
    if (used > 0) {
        bool text = reply.kind <= REPLY_VALUE || reply.kind == REPLY_ERROR;
        answer->kind = reply.kind;
        answer->text = text ? strndup(reply.data, reply.size) : strdup("");
    }
    free(data);
    return used > 0 && answer->text != NULL;
}

bool socket_ask(int fd, const struct protocol *protocol, const char *text, struct answer *answer)
{
    static const struct key_name no_key;
    struct fill fill = { .key = &no_key };
    struct layout layout = { 0 };
    struct timeval patience = { .tv_sec = ASK_SECONDS_MAX };
    struct command *command = command_parse("ask", text);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    bool good = command != NULL && protocol->lay_out(command, &fill, &layout) &&
                send_all(fd, layout.bytes, layout.size) && receive_reply(fd, protocol, answer);
    layout_fini(&layout);
    command_free(&command);
    return good;
}

void answer_fini(struct answer *answer)
{
    free(answer->text);
    answer->text = NULL;
}

bool answer_number(const char *text, const char *field, long *out)
{
    size_t size = strlen(field);
    for (const char *at = strstr(text, field); at != NULL; at = strstr(at + 1, field)) {
        bool begins = at == text || strchr("\n :=", at[-1]) != NULL;
        if (begins && strchr(":= ", at[size]) != NULL && sscanf(at + size + 1, "%ld", out) == 1)
            return true;
    }
    return false;
}

/* One step of logging in; refused steps leave what the server said in `error`. */
static int step(int fd, const struct protocol *protocol, const char *command, char *error)
{
    struct answer answer;
    if (!socket_ask(fd, protocol, command, &answer)) {
        snprintf(error, 256, "no answer to %.20s", command);
        return -EIO;
    }
    int result = answer.kind == REPLY_ERROR ? -EPERM : 0;
    snprintf(error, 256, "%.255s", answer.text);
    answer_fini(&answer);
    return result;
}

static int login(int fd, const struct target *t, char *error)
{
    char command[512];
    int result = 0;
    if (t->password != NULL) {
        snprintf(command, sizeof(command), "AUTH %s \"%s\"", t->user ? t->user : "", t->password);
        result = step(fd, t->protocol, command, error);
    }
    if (result == 0 && t->resp3)
        result = step(fd, t->protocol, "HELLO 3", error);
    if (result == 0 && t->db != 0) {
        snprintf(command, sizeof(command), "SELECT %d", t->db);
        result = step(fd, t->protocol, command, error);
    }
    return result;
}

int socket_login(const struct target *target, char *error)
{
    int fd = socket_open(target);
    error[0] = '\0';
    if (fd < 0) {
        snprintf(error, 256, "%s", strerror(-fd));
        return fd;
    }
    int result = target->protocol->resp ? login(fd, target, error) : 0;
    if (result == 0)
        return fd;
    close(fd);
    return result;
}
