/*
 * test_attachment.c - what rooms above keep of a connection is found by its kind, and goes with it.
 */
#include "shoal/conn/attachment.h"

#include "support/reactors.h"

static uint32_t dropped;

static void drop(struct conn *conn, struct attachment *attachment)
{
    assert_null(conn_attached(conn, attachment->kind));
    dropped++;
    free(attachment);
}

static const struct attachment_kind first = { drop }, second = { drop };

static void attach(struct client *client, const struct attachment_kind *kind)
{
    struct attachment *attachment = calloc(1, sizeof(*attachment));
    attachment->kind = kind;
    conn_attach(client->conn, attachment);
    assert_ptr_equal(conn_attached(client->conn, kind), attachment);
}

static void each_kind_is_found(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    dropped = 0;
    assert_null(conn_attached(client->conn, &first));
    attach(client, &first);
    assert_null(conn_attached(client->conn, &second));
    attach(client, &second);
    assert_non_null(conn_attached(client->conn, &first));
    conn_detach_all(client->conn);
    assert_int_equal(dropped, 2);
    assert_null(conn_attached(client->conn, &first));
}

static void all_go_with_the_connection_or_by_reset(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    dropped = 0;
    attach(client, &first);
    attach(client, &second);
    assert_reply("+RESET", client, "RESET");
    assert_int_equal(dropped, 2);
    attach(client, &second);
    client_ends(client, 0);
    turn_until_quiet();
    assert_int_equal(dropped, 3);
}

/* A request on its way may still work on it. */
static void none_goes_while_a_request_is_under_way(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    dropped = 0;
    attach(client, &first);
    tell(client, "GET %s", key(1, 0));
    turn(0);
    conn_kill(client->conn);
    turn(0);
    turn(0);
    assert_int_equal(dropped, 0);
    turn_until_quiet();
    assert_int_equal(dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, each_kind_is_found),
        with_reactors(1, all_go_with_the_connection_or_by_reset),
        with_reactors(2, none_goes_while_a_request_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
