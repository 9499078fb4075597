/*
 * test_queue.c - bytes are queued beyond every buffer and stay in order.
 */
#include "unit/client/fake_server.h"

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

/* Requests come and go in turns, so that what waits is moved to the front again and again. */
static void what_was_taken_makes_room(void **state)
{
    (void)state;
    enum { ROUNDS = 2000, SIZE = 5000 };
    static char text[SIZE];
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_echo);
    const char *strings[] = { text };
    unsigned sent = 0, read = 0;
    while (read < ROUNDS) {
        for (unsigned n = 1 + sent % 7; n > 0 && sent < ROUNDS; n--, sent++) {
            size_t size = 1 + sent * 37 % SIZE;
            memset(text, 'a' + (int)(sent % 26), size);
            assert_int_equal(shoal_append(client, 1, strings, &size), SHOAL_OK);
        }
        for (unsigned n = 1 + read % 5; n > 0 && read < sent; n--, read++) {
            assert_int_equal(shoal_read(client, &reply), SHOAL_OK);
            assert_int_equal(reply.size, 1 + read * 37 % SIZE);
            for (size_t i = 0; i < reply.size; i++)
                assert_int_equal(reply.text[i], 'a' + (int)(read % 26));
            shoal_reply_free(&reply);
        }
    }
    server_stop(&server, &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelines_beyond_every_buffer),
        cmocka_unit_test(what_was_taken_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
