/*
 * test_input.c - received bytes to requests: wherever they are cut, and whatever is wrong in them.
 */
#include "shoal/conn/input.h"

#include "support/reactors.h"

static bool out_of_memory; /* for large blocks alone: those are the inputs */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return out_of_memory && size > 100000 ? NULL : __real_malloc(size);
}

/* Requests of every kind, over both shards, and an inline one. */
static void put_dialogue(struct client *client)
{
    tell(client, "SET %s one", key(0, 0));
    tell(client, "SET %s \"\"", key(1, 0));
    client_put_text(client, "PING  hello\r\n*0\r\n\r\n");
    tell(client, "MGET %s %s nothing", key(0, 0), key(1, 0));
    client_put_text(client, "set a \"quoted\\x41 text\"\r\nget a\r\n");
    tell(client, "MULTI");
    tell(client, "INCR n");
    tell(client, "EXEC");
    tell(client, "NOSUCH thing");
    tell(client, "DEL %s %s a n 5 6 7 8 9 10 11", key(0, 0), key(1, 0));
}

static const char dialogue_replies[] =
    "+OK +OK $5 hello *3 $3 one $0  $-1 +OK $12 quotedA text +OK +QUEUED *1 :1 "
    "-ERR unknown command 'NOSUCH', with args beginning with: 'thing'  :4";

static void pieces_of_any_size_give_the_same_replies(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 64; piece++) {
        struct client *client = client_open(0);
        client->line->piece = piece;
        put_dialogue(client);
        turn_until_quiet();
        assert_string_equal(heard(client), dialogue_replies);
        conn_kill(client->conn);
    }
}

static void a_cut_at_any_byte_gives_the_same_replies(void **state)
{
    (void)state;
    size_t size = SIZE_MAX;
    for (size_t cut = 1; cut < size; cut++) {
        struct client *client = client_open(0);
        put_dialogue(client);
        size = client->line->in.size;
        client->line->piece = cut;
        turn(0);
        turn(0);
        client->line->piece = 0;
        turn_until_quiet();
        assert_string_equal(heard(client), dialogue_replies);
        conn_kill(client->conn);
    }
}

/* ---- memory -------------------------------------------------------------- */

static void whole_requests_are_not_copied(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(1, 0));
    turn(0);
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS - 1);
    assert_int_equal(budget_request_bytes(&reactor_at(0)->conns->budget), 0);
    turn_until_quiet();
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS);
}

static void half_a_request_holds_memory_and_no_buffer(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_text(client, "*2\r\n$3\r\nGET\r\n$3\r\nab");
    turn_until_quiet();
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS);
    assert_in_range(budget_request_bytes(&reactor_at(0)->conns->budget), 22, 1024);
    client_put_text(client, "c\r\n");
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1");
    assert_int_equal(budget_request_bytes(&reactor_at(0)->conns->budget), 0);
}

static void what_is_only_declared_takes_no_memory(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_text(client, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$500000000\r\n");
    turn_until_quiet();
    assert_true(budget_request_bytes(&reactor_at(0)->conns->budget) < 1024);
    assert_int_equal(reactor_at(0)->conns->budget.promised_bytes, 0);
}

static void a_large_request_is_received_where_it_is_assembled(void **state)
{
    (void)state;
    enum { SIZE = 1000000 };
    struct client *client = client_open(0);
    client_put_set(client, "a", SIZE, 'v');
    tell(client, "STRLEN a");
    tell(client, "GETRANGE a 999998 -1");
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK :1000000 $2 vv");
    /* by few receives: one of 16 KB after the other would be sixty */
    assert_in_range(client->line->receives, 2, 20);
    assert_int_equal(reactor_at(0)->conns->budget.promised_bytes, 0);
}

static void one_that_sends_small_requests_again_is_read_as_before(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client_put_set(client, "a", 1000000, 'v');
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
    assert_true(client->line->once);
    for (int i = 0; i < CONN_PORTIONS_MIN; i++)
        assert_reply("+PONG", client, "PING");
    assert_false(client->line->once);
}

static void a_request_without_memory_ends_the_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    client_put_set(client, "a", 1000000, 'v');
    out_of_memory = true;
    turn_until_quiet();
    out_of_memory = false;
    assert_false(client_is_open(client));
    assert_reply(":0", other, "EXISTS a");
}

/* ---- limits and errors --------------------------------------------------- */

static void an_error_is_the_last_reply(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(1, 0));
    client_put_text(client, "*1\r\n!3\r\nfoo\r\n");
    tell(client, "PING");
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1 -ERR Protocol error: expected '$', got '!'");
    assert_false(client_is_open(client));
}

static void a_request_is_no_longer_than_allowed(void **state)
{
    (void)state;
    reactors_begin(1, "--client-query-buffer-limit", "1mb");
    struct client *client = client_open(0);
    client_put_set(client, "a", 2000000, 'v');
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_int_equal(counter_get(&reactor_at(0)->stats->input_limit_closed), 1);
}

static void the_unauthenticated_may_send_little(void **state)
{
    (void)state;
    reactors_begin(1, "--requirepass", "secret");
    struct client *client = client_open(0);
    assert_reply("-NOAUTH Authentication required.", client, "GET a");
    client_put_text(client, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100000\r\n");
    turn_until_quiet();
    assert_string_equal(heard(client), "-ERR Protocol error: unauthenticated bulk length");
    assert_false(client_is_open(client));
}

/* What waits for long must not hold one of the few buffers. */
static void a_paused_request_gives_its_buffer_back(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(0);
    assert_reply("+OK", admin, "CLIENT PAUSE 1000");
    tell(client, "SET a value");
    turn_until_quiet();
    assert_int_equal(client->conn->requests, 1);
    assert_int_equal(fake_buffers_available(reactor_at(0)->ring), FAKE_BUFFERS);
    assert_reply("+OK", admin, "CLIENT UNPAUSE");
    assert_string_equal(heard(client), "+OK");
    assert_reply("$5 value", client, "GET a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, pieces_of_any_size_give_the_same_replies),
        with_reactors(2, a_cut_at_any_byte_gives_the_same_replies),
        with_reactors(2, whole_requests_are_not_copied),
        with_reactors(1, half_a_request_holds_memory_and_no_buffer),
        with_reactors(1, what_is_only_declared_takes_no_memory),
        with_reactors(1, a_large_request_is_received_where_it_is_assembled),
        with_reactors(1, one_that_sends_small_requests_again_is_read_as_before),
        with_reactors(1, a_request_without_memory_ends_the_connection),
        with_reactors(2, an_error_is_the_last_reply),
        cmocka_unit_test_teardown(a_request_is_no_longer_than_allowed, reactors_finish),
        cmocka_unit_test_teardown(the_unauthenticated_may_send_little, reactors_finish),
        with_reactors(1, a_paused_request_gives_its_buffer_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
