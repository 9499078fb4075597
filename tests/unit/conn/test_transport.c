/*
 * test_transport.c - connections whose bytes mean something else than they are: a transport that
 * masks each of them, and sends little at a time.
 */
#include "shoal/conn/transport.h"

#include "support/reactors.h"

#include "shoal/conn/push.h"

enum { MASK = 0x5a, RECORD = 100 };

struct masked {
    struct transport transport;
    size_t flying; /* of `out`, in `record`; 0: no send is in flight */
    size_t gone;   /* of those */
    char record[RECORD];
};

static uint32_t open_count;

static void masked_received(struct conn *conn, struct transport *transport, const char *data,
                            size_t size)
{
    (void)transport;
    char *plain = malloc(size);
    for (size_t i = 0; i < size; i++)
        plain[i] = data[i] ^ MASK;
    input_given(conn, plain, size);
    free(plain);
}

static void send_record(struct conn *conn, struct masked *masked)
{
    ring_send(conn->reactor->ring, &conn->out.op, conn->fd, masked->record + masked->gone,
              masked->flying - masked->gone);
}

static void masked_send(struct conn *conn, struct transport *transport)
{
    struct masked *masked = (struct masked *)transport;
    const struct chunk *chunk = conn->out.chunks.first;
    if (masked->flying > 0)
        return;
    masked->gone = 0;
    masked->flying = chunk->size < RECORD ? chunk->size : RECORD;
    for (size_t i = 0; i < masked->flying; i++)
        masked->record[i] = chunk->data[i] ^ MASK;
    send_record(conn, masked);
}

static void masked_sent(struct conn *conn, struct transport *transport, int result)
{
    struct masked *masked = (struct masked *)transport;
    if (result <= 0) {
        conn_send_failed(conn, result);
        return;
    }
    masked->gone += (size_t)result;
    if (masked->gone < masked->flying) {
        send_record(conn, masked);
        return;
    }
    size_t size = masked->flying;
    masked->flying = 0;
    conn_sent(conn, size);
}

static void masked_close(struct conn *conn, struct transport *transport)
{
    (void)conn;
    open_count--;
    free(transport);
}

static const struct transport_kind masked_kind = {
    .received = masked_received,
    .send = masked_send,
    .sent = masked_sent,
    .close = masked_close,
};

static struct client *masked_open(uint32_t reactor)
{
    struct client *client = client_open(reactor);
    struct masked *masked = calloc(1, sizeof(*masked));
    masked->transport.kind = &masked_kind;
    conn_use_transport(client->conn, &masked->transport);
    open_count++;
    return client;
}

/* Masks what the client has put and not sent yet. */
static void mask_in(struct client *client)
{
    struct fake_bytes *in = &client->line->in;
    for (size_t i = in->taken; i < in->size; i++)
        in->data[i] ^= MASK;
}

/* What has come back, in the short form of heard(). */
static const char *unmasked(struct client *client)
{
    struct fake_bytes *out = &client->line->out;
    for (size_t i = out->taken; i < out->size; i++)
        out->data[i] ^= MASK;
    return heard(client);
}

__attribute__((format(printf, 2, 3))) static const char *ask_masked(struct client *client,
                                                                    const char *format, ...)
{
    va_list list;
    va_start(list, format);
    tell_list(client, format, list);
    va_end(list);
    mask_in(client);
    turn_until_quiet();
    return unmasked(client);
}

static int nobody_is_left(void **state)
{
    reactors_finish(state);
    assert_int_equal(open_count, 0);
    return 0;
}

static void commands_and_replies_pass_through_it(void **state)
{
    (void)state;
    struct client *client = masked_open(0), *plain = client_open(1);
    assert_string_equal(ask_masked(client, "SET %s hello", key(1, 0)), "+OK");
    assert_string_equal(ask_masked(client, "GET %s", key(1, 0)), "$5 hello");
    assert_reply("$5 hello", plain, "GET %s", key(1, 0));
    assert_int_equal(heard_bytes(client), 0);
}

static void a_pipeline_in_pieces(void **state)
{
    (void)state;
    struct client *client = masked_open(0);
    client->line->piece = 7;
    client->line->send_most = 9;
    for (int i = 0; i < 50; i++)
        tell(client, "ECHO %d", i + 10);
    tell(client, "GET %s", key(1, 1));
    mask_in(client);
    turn_until_quiet();
    const char *at = unmasked(client);
    for (int i = 0; i < 50; i++, at += 6) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "$2 %d ", i + 10);
        assert_memory_equal(at, wanted, 6);
    }
    assert_string_equal(at, "$-1");
}

/* Larger than what is received in portions otherwise, and a reply by reference. */
static void large_values(void **state)
{
    (void)state;
    struct client *client = masked_open(0), *plain = client_open(0);
    client_put_set(client, key(1, 0), 200000, 'v');
    mask_in(client);
    turn_until_quiet();
    assert_string_equal(unmasked(client), "+OK");
    assert_reply(":200000", plain, "STRLEN %s", key(1, 0));
    tell(client, "GET %s", key(1, 0));
    mask_in(client);
    turn_until_quiet();
    assert_int_equal(heard_bytes(client), strlen("$200000\r\n\r\n") + 200000);
}

static void pushes_pass_through_it(void **state)
{
    (void)state;
    struct client *client = masked_open(0), *publisher = client_open(1);
    assert_string_equal(ask_masked(client, "SUBSCRIBE a"), "*3 $9 subscribe $1 a :1");
    ask(publisher, "PUBLISH a x");
    assert_string_equal(unmasked(client), "*3 $7 message $1 a $1 x");
}

static void what_is_owed_is_sent_before_the_end(void **state)
{
    (void)state;
    struct client *client = masked_open(0);
    tell(client, "GET %s", key(1, 0));
    tell(client, "QUIT");
    mask_in(client);
    turn_until_quiet();
    assert_string_equal(unmasked(client), "$-1 +OK");
    assert_false(client_is_open(client));
}

static void a_failed_send_ends_it(void **state)
{
    (void)state;
    struct client *client = masked_open(0);
    client->line->send_error = -EPIPE;
    tell(client, "PING");
    mask_in(client);
    turn_until_quiet();
    assert_false(client_is_open(client));
}

static void killed_while_it_sends(void **state)
{
    (void)state;
    struct client *client = masked_open(0);
    client->line->blocked = true;
    tell(client, "PING");
    mask_in(client);
    turn_until_quiet();
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
}

#define with_transports(count, test)                                                               \
    cmocka_unit_test_setup_teardown(test, reactors_##count, nobody_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_transports(2, commands_and_replies_pass_through_it),
        with_transports(2, a_pipeline_in_pieces),
        with_transports(2, large_values),
        with_transports(2, pushes_pass_through_it),
        with_transports(2, what_is_owed_is_sent_before_the_end),
        with_transports(1, a_failed_send_ends_it),
        with_transports(1, killed_while_it_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
