/*
 * test_request.c - requests as they are on the wire, those that are refused, and peers that are no shoal.
 */
#include "unit/client/fake_server.h"

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

/* ---- pushes -------------------------------------------------------------- */

#define PUSH(letter) "\x0b\0\0\0\5\1\0\0\0\2\1\0\0\0" letter

static void serve_pushes(struct server *server, int peer)
{
    take_request(peer, NULL);
    GIVE(peer, PUSH("a") PUSH("b") "\1\0\0\0\0" PUSH("c"));
    wait_for_cue(server);
    GIVE(peer, PUSH("d"));
    take_request(peer, NULL); /* stays open */
}

static void note_push(void *context, const struct shoal_reply *push)
{
    assert_int_equal(push->type, SHOAL_PUSH);
    assert_int_equal(push->count, 1);
    strcat(context, push->elements[0].text);
}

static void pushes_are_given_to_their_function(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    char heard[8] = "";
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_pushes);
    shoal_on_push(client, note_push, heard);
    assert_int_equal(shoal_command(client, &reply, "ANY", NULL), SHOAL_OK);
    assert_int_equal(reply.type, SHOAL_NIL);
    assert_string_equal(heard, "ab");
    assert_int_equal(shoal_wait_push(client), SHOAL_OK);
    assert_string_equal(heard, "abc");
    server_cue(&server);
    assert_int_equal(shoal_wait_push(client), SHOAL_OK);
    assert_string_equal(heard, "abcd");
    assert_int_equal(shoal_append(client, 1, (const char *[]){ "ANY" }, NULL), SHOAL_OK);
    assert_int_equal(shoal_wait_push(client), SHOAL_ERR_USAGE);
    server_stop(&server, &client);
}

static void without_one_they_are_dropped(void **state)
{
    (void)state;
    struct server server;
    struct shoal_reply reply;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_pushes);
    assert_int_equal(shoal_command(client, &reply, "ANY", NULL), SHOAL_OK);
    assert_int_equal(reply.type, SHOAL_NIL);
    assert_int_equal(shoal_wait_push(client), SHOAL_OK);
    server_cue(&server);
    server_stop(&server, &client);
}

static void serve_reply_to_nothing(struct server *server, int peer)
{
    (void)server;
    GIVE(peer, "\1\0\0\0\0");
    take_request(peer, NULL);
}

static void a_reply_to_no_request_is_refused(void **state)
{
    (void)state;
    struct server server;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_reply_to_nothing);
    assert_int_equal(shoal_wait_push(client), SHOAL_ERR_PROTOCOL);
    server_stop(&server, &client);
}

static void each_status_has_a_name(void **state)
{
    (void)state;
    for (int status = SHOAL_OK; status <= SHOAL_ERR_USAGE; status++)
        for (int other = SHOAL_OK; other < status; other++)
            assert_string_not_equal(shoal_status_name((enum shoal_status)status),
                                    shoal_status_name((enum shoal_status)other));
    assert_string_equal(shoal_status_name((enum shoal_status)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_frame_of_the_protocol),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(recognises_other_servers),
        cmocka_unit_test(pushes_are_given_to_their_function),
        cmocka_unit_test(without_one_they_are_dropped),
        cmocka_unit_test(a_reply_to_no_request_is_refused),
        cmocka_unit_test(each_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
