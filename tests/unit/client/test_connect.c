/*
 * test_connect.c - connections over every family, and what is said of those that fail.
 */
#include "unit/client/fake_server.h"

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

static void a_path_may_be_too_long(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    struct shoal_client *client = shoal_connect_unix(path, TIMEOUT_MS);
    assert_int_equal(shoal_status_of(client), SHOAL_ERR_CONNECT);
    assert_non_null(strstr(shoal_error(client), "File name too long"));
    shoal_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_it_cannot_connect_to),
        cmocka_unit_test(connects_to_unix_sockets),
        cmocka_unit_test(connects_over_ipv6),
        cmocka_unit_test(a_path_may_be_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
