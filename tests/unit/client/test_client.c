/*
 * test_client.c - the client library against a server thread that misbehaves on cue.
 */
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

static void *server_run(void *context)
{
    struct server *server = context;
    int peer = accept(server->listener, NULL, NULL);
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    server->serve(server, peer);
    close(peer);
    return NULL;
}

static void server_listen(struct server *server, int family, const void *address, socklen_t size)
{
    server->listener = socket(family, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, address, size), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(pipe(server->cue), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static struct shoal_client *server_start(struct server *server, int timeout_ms,
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

static void server_cue(struct server *server)
{
    assert_int_equal(write(server->cue[1], "x", 1), 1);
}

static void wait_for_cue(struct server *server)
{
    char byte;
    if (read(server->cue[0], &byte, 1) != 1)
        abort();
}

static void server_stop(struct server *server, struct shoal_client **client)
{
    shoal_close(client);
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->cue[0]);
    close(server->cue[1]);
}

/* Reads exactly `size` bytes; false at the end. */
static bool take(int peer, void *to, size_t size)
{
    return size == 0 || recv(peer, to, size, MSG_WAITALL) == (ssize_t)size;
}

/* One request, thrown away (kept in `frame` if given); its size, 0 at the end. */
static uint32_t take_request(int peer, char *frame)
{
    static char scrap[1 << 20];
    uint32_t size;
    frame = frame != NULL ? frame : scrap;
    return take(peer, &size, 4) && size <= sizeof(scrap) && take(peer, frame, size) ? size : 0;
}

static void give(int peer, const void *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(peer, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

#define GIVE(peer, literal) give(peer, literal, sizeof(literal) - 1)

static const char nested[] = "\x21\0\0\0\4\3\0\0\0"
                             "\3\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\4\2\0\0\0\0\2\3\0\0\0a\0b"
                             "\4\0\0\0\0";

static void serve_bytewise(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    for (size_t i = 0; i < sizeof(nested) - 1; i++)
        give(peer, nested + i, 1);
    take_request(peer, NULL);
}

static void reads_split_and_nested_replies(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    uint32_t size = sizeof(nested) - 1 - 4;
    assert_memory_equal(nested, &size, 1); /* the dialogue above is right itself */
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_bytewise);
    assert_int_equal(shoal_command(client, &reply, "ANY", NULL), SHOAL_OK);
    assert_int_equal(reply.type, SHOAL_ARRAY);
    assert_int_equal(reply.count, 3);
    assert_int_equal(reply.elements[0].type, SHOAL_INTEGER);
    assert_int_equal(reply.elements[0].integer, -1);
    assert_int_equal(reply.elements[1].elements[0].type, SHOAL_NIL);
    assert_int_equal(reply.elements[1].elements[1].size, 3);
    assert_memory_equal(reply.elements[1].elements[1].text, "a\0b", 4);
    assert_int_equal(reply.elements[2].count, 0);
    shoal_reply_free(&reply);
    shoal_reply_free(&reply); /* harmless */
    server_stop(&server, &client);
}

static void serve_check_request(struct server *server, int peer)
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

static void writes_the_frame_of_the_protocol(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_check_request);
    const char *strings[] = { "SET", "", "\0" };
    const size_t sizes[] = { 3, 0, 1 };
    assert_int_equal(shoal_call(client, &reply, 3, strings, sizes), SHOAL_OK);
    assert_int_equal(reply.type, SHOAL_STRING);
    assert_string_equal(reply.text, "OK");
    shoal_reply_free(&reply);
    server_stop(&server, &client);
}

static void serve_on_cue(struct server *server, int peer)
{
    take_request(peer, NULL);
    wait_for_cue(server);
    GIVE(peer, "\x09\0\0\0\3\7\0\0\0\0\0\0\0");
}

static void times_out_and_goes_on(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, SHORT_MS, serve_on_cue);
    assert_int_equal(shoal_command(client, &reply, "SLOW", NULL), SHOAL_ERR_TIMEOUT);
    assert_non_null(strstr(shoal_error(client), "30 ms"));
    assert_int_equal(shoal_pending(client), 1);
    assert_int_equal(shoal_command(client, &reply, "GET", "x", NULL), SHOAL_ERR_USAGE);
    server_cue(&server);
    enum shoal_status status;
    while ((status = shoal_read(client, &reply)) == SHOAL_ERR_TIMEOUT)
        ;
    assert_int_equal(status, SHOAL_OK);
    assert_int_equal(reply.integer, 7);
    assert_int_equal(shoal_status_of(client), SHOAL_OK);
    assert_int_equal(shoal_read(client, &reply), SHOAL_ERR_USAGE);
    server_stop(&server, &client);
}

static void serve_half(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    GIVE(peer, "\x07\0\0\0\2\2\0\0\0OK\x07\0\0\0\2\2\0");
}

static void says_when_the_server_closes(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_half);
    const char *get[] = { "GET", "k" };
    assert_int_equal(shoal_append(client, 2, get, NULL), SHOAL_OK);
    assert_int_equal(shoal_append(client, 2, get, NULL), SHOAL_OK);
    assert_int_equal(shoal_read(client, &reply), SHOAL_OK); /* what was whole is not lost */
    shoal_reply_free(&reply);
    assert_int_equal(shoal_read(client, &reply), SHOAL_ERR_CLOSED);
    assert_int_equal(shoal_read(client, &reply), SHOAL_ERR_CLOSED);
    assert_int_equal(shoal_append(client, 2, get, NULL), SHOAL_ERR_CLOSED);
    assert_int_equal(shoal_status_of(client), SHOAL_ERR_CLOSED);
    shoal_reply_free(&reply);
    server_stop(&server, &client);
}

static void serve_redis_error(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    GIVE(peer, "-ERR max number of clients reached\r\n");
}

static void serve_http(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    GIVE(peer, "HTTP/1.1 400 Bad Request\r\n\r\n");
    take_request(peer, NULL); /* stays open */
}

static void serve_lies(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    GIVE(peer, "\x07\0\0\0\4\1\0\0\0\2\xff");
    take_request(peer, NULL);
}

static void serve_count_beyond_frame(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    GIVE(peer, "\x07\0\0\0\4\xff\xff\xff\xff");
    take_request(peer, NULL);
}

static void assert_not_shoal(void (*serve)(struct server *, int), const char *shown)
{
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve);
    assert_int_equal(shoal_command(client, &reply, "PING", NULL), SHOAL_ERR_PROTOCOL);
    assert_non_null(strstr(shoal_error(client), "not a shoal server: "));
    assert_non_null(strstr(shoal_error(client), shown));
    server_stop(&server, &client);
}

static void recognises_other_servers(void **state)
{
    (void)state;
    assert_not_shoal(serve_redis_error, "-ERR max number of clients reached");
    assert_not_shoal(serve_http, "HTTP/1.1 400");
    assert_not_shoal(serve_lies, "it sent");
    assert_not_shoal(serve_count_beyond_frame, "it sent");
}

/* Reads nothing while a reply cannot be sent. */
static void serve_echo(struct server *server, int peer)
{
    (void)server;
    static char frame[1 << 17];
    char reply[9];
    uint32_t size;
    while ((size = take_request(peer, frame)) > 0) {
        uint32_t text = size - 5, value = text + 5;
        memcpy(reply, &value, 4);
        reply[4] = 2;
        memcpy(reply + 5, &text, 4);
        give(peer, reply, sizeof(reply));
        give(peer, frame + 5, text);
    }
}

static void pipelines_beyond_every_buffer(void **state)
{
    (void)state;
    enum { REQUESTS = 5000, SIZE = 10000 }; /* 37 MB: sockets hold less than 12 */
    static char text[SIZE];
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_echo);
    const char *strings[] = { text };
    for (int i = 0; i < REQUESTS; i++) {
        size_t size = (size_t)(SIZE - i);
        memset(text, 'a' + i % 26, sizeof(text));
        assert_int_equal(shoal_append(client, 1, strings, &size), SHOAL_OK);
    }
    assert_int_equal(shoal_flush(client), SHOAL_OK);
    assert_int_equal(shoal_pending(client), REQUESTS);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(shoal_read(client, &reply), SHOAL_OK);
        assert_int_equal(reply.size, SIZE - i);
        assert_int_equal(reply.text[0], 'a' + i % 26);
        assert_int_equal(reply.text[reply.size - 1], 'a' + i % 26);
        shoal_reply_free(&reply);
    }
    server_stop(&server, &client);
}

static void serve_deaf(struct server *server, int peer)
{
    (void)peer;
    wait_for_cue(server);
}

static void a_server_that_reads_nothing_times_out(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct server server;
    struct shoal_client *client = server_start(&server, SHORT_MS, serve_deaf);
    const char *strings[] = { text };
    const size_t sizes[] = { sizeof(text) };
    enum shoal_status status = SHOAL_OK;
    size_t queued = 0;
    while (status == SHOAL_OK && queued < 10000) {
        status = shoal_append(client, 1, strings, sizes);
        queued += status == SHOAL_OK;
    }
    assert_int_equal(status, SHOAL_ERR_TIMEOUT);
    assert_int_equal(shoal_pending(client), queued); /* the one that failed was not queued */
    server_cue(&server);
    server_stop(&server, &client);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_deaf);
    const char *strings[256];
    for (int i = 0; i < 256; i++)
        strings[i] = "x";
    assert_int_equal(shoal_append(client, 256, strings, NULL), SHOAL_ERR_TOO_BIG);
    assert_int_equal(shoal_append(client, 0, strings, NULL), SHOAL_ERR_USAGE);
    const size_t huge[] = { ((size_t)1 << 27) - 5, SIZE_MAX };
    assert_int_equal(shoal_append(client, 1, strings, huge), SHOAL_ERR_TOO_BIG);
    assert_int_equal(shoal_append(client, 1, strings, huge + 1), SHOAL_ERR_TOO_BIG);
    assert_int_equal(shoal_pending(client), 0);
    assert_int_equal(shoal_read(client, &reply), SHOAL_ERR_USAGE);
    assert_int_equal(shoal_append(client, 255, strings, NULL), SHOAL_OK);
    server_cue(&server);
    server_stop(&server, &client);
}

static void names_what_it_cannot_connect_to(void **state)
{
    (void)state;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    struct shoal_reply reply;
    char text[64];
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: refuses */
    assert_int_equal(bind(bound, (struct sockaddr *)&address, size), 0);
    getsockname(bound, (struct sockaddr *)&address, &size);
    struct shoal_client *client = shoal_connect("127.0.0.1", ntohs(address.sin_port), TIMEOUT_MS);
    assert_int_equal(shoal_status_of(client), SHOAL_ERR_CONNECT);
    snprintf(text, sizeof(text), "127.0.0.1:%d: Connection refused", ntohs(address.sin_port));
    assert_non_null(strstr(shoal_error(client), text));
    assert_int_equal(shoal_command(client, &reply, "PING", NULL), SHOAL_ERR_CONNECT);
    assert_non_null(strstr(shoal_error(client), text));
    shoal_close(&client);
    assert_null(client);
    shoal_close(&client);
    close(bound);

    client = shoal_connect_unix("/nonexistent/shoal.sock", TIMEOUT_MS);
    assert_int_equal(shoal_status_of(client), SHOAL_ERR_CONNECT);
    assert_non_null(strstr(shoal_error(client), "/nonexistent/shoal.sock"));
    shoal_close(&client);
}

static void connects_to_unix_sockets(void **state)
{
    (void)state;
    struct server server = { .serve = serve_check_request };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct shoal_reply reply;
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/shoal-test-%d.sock", (int)getpid());
    server_listen(&server, AF_UNIX, &address, sizeof(address));
    struct shoal_client *client = shoal_connect_unix(address.sun_path, TIMEOUT_MS);
    unlink(address.sun_path);
    assert_int_equal(shoal_status_of(client), SHOAL_OK);
    assert_int_equal(shoal_command(client, &reply, "PING", NULL), SHOAL_OK);
    assert_int_equal(reply.type, SHOAL_ERROR);
    assert_string_equal(reply.text, "wrong");
    shoal_reply_free(&reply);
    server_stop(&server, &client);
}

static void connects_over_ipv6(void **state)
{
    (void)state;
    struct server server = { .serve = serve_check_request };
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t size = sizeof(address);
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    if (probe < 0 || bind(probe, (struct sockaddr *)&address, size) != 0)
        skip(); /* no IPv6 on this machine */
    close(probe);
    server_listen(&server, AF_INET6, &address, sizeof(address));
    getsockname(server.listener, (struct sockaddr *)&address, &size);
    struct shoal_client *client = shoal_connect("::1", ntohs(address.sin6_port), TIMEOUT_MS);
    assert_int_equal(shoal_status_of(client), SHOAL_OK);
    server_stop(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_split_and_nested_replies),
        cmocka_unit_test(writes_the_frame_of_the_protocol),
        cmocka_unit_test(times_out_and_goes_on),
        cmocka_unit_test(says_when_the_server_closes),
        cmocka_unit_test(recognises_other_servers),
        cmocka_unit_test(pipelines_beyond_every_buffer),
        cmocka_unit_test(a_server_that_reads_nothing_times_out),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(names_what_it_cannot_connect_to),
        cmocka_unit_test(connects_to_unix_sockets),
        cmocka_unit_test(connects_over_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
