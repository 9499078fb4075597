/*
 * test_socket.c - listening sockets: patience with a predecessor, Unix sockets dead and alive,
 * names of ends.
 *
 * No port number is fixed; a second thread (pthread) is the successor who waits for one.
 */
#include "shoal/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/shoal-socket-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/s", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void it_listens_and_names_both_ends(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT_MAX], wanted[ADDRESS_TEXT_MAX];
    int on = 0;
    socklen_t size = sizeof(on);
    int listener = socket_listen_tcp("127.0.0.1", 0, 8);
    assert_true(listener >= 0);
    int client = connect_to(port_of(listener)), server = accept(listener, NULL, NULL);
    assert_true(client >= 0 && server >= 0);
    snprintf(wanted, sizeof(wanted), "127.0.0.1:%d", port_of(listener));
    socket_local_text(server, text);
    assert_string_equal(text, wanted);
    snprintf(wanted, sizeof(wanted), "127.0.0.1:%d", port_of(client));
    socket_peer_text(server, text);
    assert_string_equal(text, wanted);
    assert_true(socket_peer_is_local(server));
    assert_false(socket_peer_is_gone(server));
    socket_tune(server, 300);
    assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    assert_int_equal(on, 1);
    assert_int_equal(getsockopt(server, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    assert_int_equal(on, 1);
    assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_KEEPIDLE, &on, &size), 0);
    assert_int_equal(on, 300);
    uint64_t before, after;
    char data[1000] = { 0 };
    assert_true(socket_acked_bytes(server, &before));
    assert_int_equal(send(server, data, sizeof(data), 0), sizeof(data));
    assert_int_equal(recv(client, data, sizeof(data), MSG_WAITALL), sizeof(data));
    assert_true(socket_acked_bytes(server, &after));
    assert_int_equal(after - before, sizeof(data));
    assert_int_equal(socket_peek(client, data, sizeof(data)), 0);
    assert_int_equal(send(server, "peeked at", 9, 0), 9);
    assert_int_equal(socket_peek(client, data, 6), 6);
    assert_memory_equal(data, "peeked", 6);
    assert_int_equal(socket_peek(client, data, sizeof(data)), 9);
    close(client);
    close(server);
    close(listener);
}

/* What was sent before the reset is still there to be run: from anywhere. */
static void a_peer_that_has_reset_is_not_called_local(void **state)
{
    (void)state;
    char data[16];
    const struct linger reset = { .l_onoff = 1 };
    int listener = socket_listen_tcp("127.0.0.1", 0, 8);
    int client = connect_to(port_of(listener));
    assert_int_equal(send(client, "FLUSHALL\r\n", 10, 0), 10);
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(client);
    int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    assert_int_equal(recv(server, data, sizeof(data), MSG_DONTWAIT), 10);
    assert_false(socket_peer_is_local(server));
    assert_true(socket_peer_is_gone(server));
    close(server);
    close(listener);
}

static void version_6_has_brackets(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT_MAX];
    int listener = socket_listen_tcp("::1", 0, 8);
    if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT)
        skip();
    assert_true(listener >= 0);
    socket_local_text(listener, text);
    assert_memory_equal(text, "[::1]:", 6);
    close(listener);
}

static void a_bad_address_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(socket_listen_tcp("192.0.2.1", 0, 8), -EADDRNOTAVAIL);
    assert_int_equal(socket_listen_tcp("256.1.2.3.4", 0, 8), -EADDRNOTAVAIL);
}

/* ---- a port that is taken ------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000ll + time.tv_nsec / 1000000;
}

static void a_port_that_stays_taken_is_refused_in_the_end(void **state)
{
    (void)state;
    int first = socket_listen_tcp("127.0.0.1", 0, 8);
    int64_t begun = now_ms();
    assert_int_equal(socket_listen_tcp("127.0.0.1", port_of(first), 8), -EADDRINUSE);
    assert_true(now_ms() - begun >= 500); /* not at once */
    close(first);
}

struct attempt {
    int port, fd;
    _Atomic bool begun;
};

static void *listen_at(void *argument)
{
    struct attempt *attempt = argument;
    attempt->begun = true;
    attempt->fd = socket_listen_tcp("127.0.0.1", attempt->port, 8);
    return NULL;
}

static void a_port_that_becomes_free_is_taken(void **state)
{
    (void)state;
    int first = socket_listen_tcp("127.0.0.1", 0, 8);
    struct attempt attempt = { .port = port_of(first), .fd = -1 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, listen_at, &attempt), 0);
    while (!attempt.begun)
        sched_yield();
    close(first); /* whenever this happens within its second, it listens */
    pthread_join(thread, NULL);
    assert_true(attempt.fd >= 0);
    int client = connect_to(attempt.port);
    assert_true(client >= 0);
    close(client);
    close(attempt.fd);
}

/* ---- Unix sockets -------------------------------------------------------- */

static int unix_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void a_unix_socket_has_the_path_as_its_name(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT_MAX], wanted[ADDRESS_TEXT_MAX];
    int listener = socket_listen_unix(path, 0, 8);
    assert_true(listener >= 0);
    int client = unix_connect(), server = accept(listener, NULL, NULL);
    assert_true(client >= 0 && server >= 0);
    snprintf(wanted, sizeof(wanted), "%s:0", path);
    socket_local_text(server, text);
    assert_string_equal(text, wanted);
    socket_peer_text(server, text);
    assert_string_equal(text, wanted);
    assert_true(socket_peer_is_local(server));
    socket_tune(server, 300); /* nothing to tune, nothing breaks */
    assert_false(socket_acked_bytes(server, &(uint64_t){ 0 }));
    close(client);
    assert_true(socket_peer_is_local(server));
    close(server);
    close(listener);
    unlink(path);
}

static void a_dead_servers_socket_is_taken_over(void **state)
{
    (void)state;
    int dead = socket_listen_unix(path, 0, 8);
    assert_true(dead >= 0);
    close(dead); /* the file stays */
    assert_int_equal(access(path, F_OK), 0);
    int listener = socket_listen_unix(path, 0, 8);
    assert_true(listener >= 0);
    int client = unix_connect();
    assert_true(client >= 0);
    close(client);
    close(listener);
    unlink(path);
}

static void a_living_servers_socket_is_refused(void **state)
{
    (void)state;
    int living = socket_listen_unix(path, 0, 8);
    assert_int_equal(socket_listen_unix(path, 0, 8), -EADDRINUSE);
    int client = unix_connect();
    assert_true(client >= 0); /* and has not been harmed */
    close(client);
    close(living);
    unlink(path);
}

static void another_file_is_left_alone(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    fputs("precious", file);
    fclose(file);
    assert_int_equal(socket_listen_unix(path, 0, 8), -EADDRINUSE);
    char text[16] = "";
    file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "precious");
    unlink(path);
}

#define assert_in_the_way(text)                                                                    \
    do {                                                                                           \
        assert_int_equal(socket_listen_unix(path, 0, 8), -EADDRINUSE);                             \
        assert_non_null(strstr(socket_unix_explain(path), (text)));                                \
    } while (0)

static void what_is_in_the_way_is_named(void **state)
{
    (void)state;
    fclose(fopen(path, "w"));
    assert_in_the_way("a plain file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_in_the_way("a directory");
    rmdir(path);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_in_the_way("a symbolic link");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_in_the_way("a file and no socket");
    unlink(path);
    int living = socket_listen_unix(path, 0, 8);
    assert_in_the_way("another server has it");
    close(living);
    unlink(path);
}

static void an_address_of_ours_is_known(void **state)
{
    (void)state;
    int one = socket_listen_tcp("127.0.0.1", 0, 8), port = port_of(one);
    assert_true(socket_covers(one, "127.0.0.1", port));
    assert_true(socket_covers(one, "*", port)); /* all of which it is a part */
    assert_true(socket_covers(one, "0.0.0.0", port));
    assert_false(socket_covers(one, "127.0.0.2", port));
    assert_false(socket_covers(one, "127.0.0.1", port ^ 1));
    assert_false(socket_covers(one, "::1", port));
    assert_false(socket_covers(one, "no such host", port));
    close(one);
    int every = socket_listen_tcp("*", 0, 8);
    assert_true(socket_covers(every, "127.0.0.2", port_of(every)));
    close(every);
    int six = socket_listen_tcp("::1", 0, 8);
    if (six < 0)
        return; /* a machine without version 6 */
    assert_true(socket_covers(six, "::1", port_of(six)));
    assert_true(socket_covers(six, "::*", port_of(six)));
    assert_false(socket_covers(six, "::2", port_of(six)));
    assert_false(socket_covers(six, "*", port_of(six)));
    close(six);
}

static unsigned mode_of(const char *name)
{
    struct stat info;
    assert_int_equal(stat(name, &info), 0);
    return info.st_mode & 07777;
}

static void permissions_are_those_asked_for(void **state)
{
    (void)state;
    mode_t before = umask(022);
    int fd = socket_listen_unix(path, 0700, 8);
    assert_true(fd >= 0);
    assert_int_equal(mode_of(path), 0700);
    close(fd);
    fd = socket_listen_unix(path, 0777, 8); /* wider than the umask */
    assert_int_equal(mode_of(path), 0777);
    close(fd);
    fd = socket_listen_unix(path, 0, 8);
    assert_int_equal(mode_of(path), 0755);
    assert_int_equal(umask(before), 022); /* it was put back */
    close(fd);
    unlink(path);
}

static void a_path_may_be_too_long(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(socket_listen_unix(name, 0, 8), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_listens_and_names_both_ends),
        cmocka_unit_test(a_peer_that_has_reset_is_not_called_local),
        cmocka_unit_test(version_6_has_brackets),
        cmocka_unit_test(a_bad_address_is_an_error),
        cmocka_unit_test(a_port_that_stays_taken_is_refused_in_the_end),
        cmocka_unit_test(a_port_that_becomes_free_is_taken),
        cmocka_unit_test(a_unix_socket_has_the_path_as_its_name),
        cmocka_unit_test(a_dead_servers_socket_is_taken_over),
        cmocka_unit_test(a_living_servers_socket_is_refused),
        cmocka_unit_test(another_file_is_left_alone),
        cmocka_unit_test(what_is_in_the_way_is_named),
        cmocka_unit_test(an_address_of_ours_is_known),
        cmocka_unit_test(permissions_are_those_asked_for),
        cmocka_unit_test(a_path_may_be_too_long),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
