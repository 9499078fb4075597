/*
 * fake_server.h - a thread that serves one connection, as well or as badly as a test wants.
 */
#ifndef SHOAL_TESTS_FAKE_SERVER_H
#define SHOAL_TESTS_FAKE_SERVER_H

#include "shoal/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 20000, SHORT_MS = 30 };

struct server {
    int listener, port;
    int cue[2]; /* the test writes a byte when the server may go on */
    void (*serve)(struct server *server, int peer);
    pthread_t thread;
};

static inline void *server_run(void *context)
{
    struct server *server = context;
    int peer = accept(server->listener, NULL, NULL);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    server->serve(server, peer);
    close(peer);
    return NULL;
}

static inline void server_listen(struct server *server, int family, const void *address,
                                 socklen_t size)
{
    server->listener = socket(family, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, address, size), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(pipe(server->cue), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static inline struct shoal_client *server_start(struct server *server, int timeout_ms,
                                                void (*serve)(struct server *server, int peer))
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    server->serve = serve;
    server_listen(server, AF_INET, &address, sizeof(address));
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    struct shoal_client *client = shoal_connect("127.0.0.1", server->port, timeout_ms);
    assert_int_equal(shoal_status_of(client), SHOAL_OK);
    return client;
}

static inline void server_cue(struct server *server)
{
    assert_int_equal(write(server->cue[1], "x", 1), 1);
}

static inline void wait_for_cue(struct server *server)
{
    char byte;
    if (read(server->cue[0], &byte, 1) != 1)
        abort();
}

static inline void server_stop(struct server *server, struct shoal_client **client)
{
    shoal_close(client);
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->cue[0]);
    close(server->cue[1]);
}

/* Reads exactly `size` bytes; false at the end. */
static inline bool take(int peer, void *to, size_t size)
{
    return size == 0 || recv(peer, to, size, MSG_WAITALL) == (ssize_t)size;
}

/* One request, thrown away (kept in `frame` if given); its size, 0 at the end. */
static inline uint32_t take_request(int peer, char *frame)
{
    static char scrap[1 << 20];
    uint32_t size;
    frame = frame != NULL ? frame : scrap;
    return take(peer, &size, 4) && size <= sizeof(scrap) && take(peer, frame, size) ? size : 0;
}

static inline void give(int peer, const void *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(peer, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

#define GIVE(peer, literal) give(peer, literal, sizeof(literal) - 1)

/* Only SET with an empty key and a zero byte is answered with OK. */
static inline void serve_check_request(struct server *server, int peer)
{
    (void)server;
    char frame[64];
    uint32_t size = take_request(peer, frame);
    bool same = size == 17 && memcmp(frame, "\3\3\0\0\0SET\0\0\0\0\1\0\0\0\0", 17) == 0;
    if (same)
        GIVE(peer, "\x07\0\0\0\2\2\0\0\0OK");
    else
        GIVE(peer, "\x0a\0\0\0\1\5\0\0\0wrong");
}

/* Reads nothing before its cue. */
static inline void serve_deaf(struct server *server, int peer)
{
    (void)peer;
    wait_for_cue(server);
}

#endif
