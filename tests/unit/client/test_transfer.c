/*
 * test_transfer.c - servers that are slow, deaf or gone.
 */
#include "unit/client/fake_server.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_out_and_goes_on),
        cmocka_unit_test(says_when_the_server_closes),
        cmocka_unit_test(a_server_that_reads_nothing_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
