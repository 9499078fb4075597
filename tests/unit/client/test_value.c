/*
 * test_value.c - replies whole and byte by byte, and frames that cannot be right.
 */
#include "unit/client/fake_server.h"

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

/* ---- one frame ----------------------------------------------------------- */

static char frame[512];
static size_t frame_size;

static void serve_frame(struct server *server, int peer)
{
    (void)server;
    take_request(peer, NULL);
    give(peer, frame, frame_size);
    take_request(peer, NULL); /* stays open */
}

static enum shoal_status read_frame(struct shoal_reply *reply)
{
    struct server server;
    struct shoal_client *client = server_start(&server, TIMEOUT_MS, serve_frame);
    enum shoal_status status = shoal_command(client, reply, "ANY", NULL);
    server_stop(&server, &client);
    return status;
}

static void frames_that_do_not_add_up_are_refused(void **state)
{
    (void)state;
#define FRAME(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        FRAME("\2\0\0\0\0\0"),                    /* a nil of two bytes */
        FRAME("\x08\0\0\0\3\0\0\0\0\0\0\0"),      /* seven bytes of an integer */
        FRAME("\7\0\0\0\2\3\0\0\0ab"),            /* a string longer than its frame */
        FRAME("\x08\0\0\0\2\2\0\0\0abc"),         /* and one that is shorter */
        FRAME("\6\0\0\0\4\1\0\0\0\7"),            /* an element of no known type */
        FRAME("\7\0\0\0\4\1\0\0\0\0\0"),          /* two elements where one is said */
        FRAME("\x0a\0\0\0\4\1\0\0\0\5\0\0\0\0"),  /* a push in an array */
        FRAME("\x0b\0\0\0\4\1\0\0\0\2\2\0\0\0a"), /* an element that ends behind the frame */
    };
#undef FRAME
    struct shoal_reply reply;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memcpy(frame, bad[i].bytes, bad[i].size);
        frame_size = bad[i].size;
        assert_int_equal(read_frame(&reply), SHOAL_ERR_PROTOCOL);
        assert_null(reply.elements);
        assert_null(reply.text);
    }
}

/* Arrays of one array each, the innermost holds a nil. */
static void arrays_nest_32_deep(void **state)
{
    (void)state;
    struct shoal_reply reply;
    for (uint32_t depth = 31; depth <= 33; depth++) {
        uint32_t length = depth * 5 + 1, one = 1;
        frame_size = 4 + length;
        memset(frame, 0, sizeof(frame));
        memcpy(frame, &length, 4);
        for (uint32_t i = 0; i < depth; i++) {
            frame[4 + i * 5] = 4;
            memcpy(frame + 5 + i * 5, &one, 4);
        }
        assert_int_equal(read_frame(&reply), depth <= 32 ? SHOAL_OK : SHOAL_ERR_PROTOCOL);
        assert_int_equal(reply.count, depth <= 32);
        shoal_reply_free(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_split_and_nested_replies),
        cmocka_unit_test(frames_that_do_not_add_up_are_refused),
        cmocka_unit_test(arrays_nest_32_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
