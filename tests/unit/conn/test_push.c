/*
 * test_push.c - where pushes stand among the replies of a connection, and what limits them.
 */
#include "shoal/conn/push.h"

#include "support/reactors.h"

#include "shoal/mesh/mesh.h"

static void push(struct client *client, const char *text, enum push_order order)
{
    conn_push(client->conn, bytes_str(text), order);
}

/* A push that reactor `from` makes for a client of another. */
struct remote_push {
    struct push_message push;
    struct client *client;
    enum push_order order;
    char text[32];
};

static uint32_t gone_home;

static void remote_run(struct reactor *here, struct message *message)
{
    struct remote_push *remote = (struct remote_push *)message;
    struct conn *conn = conn_by_id(here, remote->client->conn->id);
    assert_ptr_equal(conn, remote->client->conn);
    conn_push(conn, bytes_str(remote->text), remote->order);
    mesh_respond(here->port, message);
}

static void remote_done(struct reactor *home, struct message *message)
{
    (void)home;
    gone_home++;
    free(message);
}

static void push_from(uint32_t from, struct client *client, const char *text, bool ordered)
{
    struct remote_push *remote = calloc(1, sizeof(*remote));
    *remote = (struct remote_push){
        .push = { .message = { .run = remote_run,
                               .done = remote_done,
                               .kind = MESSAGE_PUSH,
                               .magic = MESSAGE_MAGIC,
                               .to = (uint16_t)client->reactor->id },
                  .bytes = sizeof(*remote),
                  .ordered = ordered },
        .client = client,
        .order = ordered ? PUSH_BEHIND : PUSH_AT_ONCE,
    };
    snprintf(remote->text, sizeof(remote->text), "%s", text);
    mesh_push(reactor_at(from)->port, &remote->push);
}

/* ---- order --------------------------------------------------------------- */

static void a_push_needs_no_request(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    push(client, "+a\r\n", PUSH_AT_ONCE);
    push(client, "+b\r\n", PUSH_BEHIND);
    turn_until_quiet();
    assert_string_equal(heard(client), "+a +b");
    assert_int_equal(client->conn->out.push_bytes, 0);
}

static void one_at_once_passes_what_is_unanswered(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(1, 0));
    turn(0);
    push(client, "+now\r\n", PUSH_AT_ONCE);
    push(client, "+behind\r\n", PUSH_BEHIND); /* nothing has been answered: behind nothing */
    turn_until_quiet();
    assert_string_equal(heard(client), "+now +behind $-1");
}

/* The answer of shard 2 is kept for that of shard 1. */
static void push_behind_a_kept_answer(struct client *client)
{
    tell(client, "GET %s", key(1, 0));
    tell(client, "GET %s", key(2, 0));
    turn(0);
    turn(2);
    turn(0);
    push(client, "+behind\r\n", PUSH_BEHIND);
}

static void one_behind_waits_for_kept_answers(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s old", key(2, 0));
    push_behind_a_kept_answer(client);
    push(client, "+after it\r\n", PUSH_AT_ONCE);
    pass_ms(2);
    turn(0);
    assert_string_equal(heard(client), "");
    assert_true(client->conn->push_bytes > 0);
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1 $3 old +behind +after it");
    assert_int_equal(client->conn->push_bytes, 0);
}

/* Answer and push of one shard are on their way in two queues. */
static void an_ordered_push_comes_behind_its_shard_s_answers(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s old", key(1, 0));
    for (int i = 0; i < 20; i++) {
        tell(client, "GET %s", key(1, 0));
        turn(0);
        turn(1);
        push_from(1, client, "+changed\r\n", true);
        turn(1);
        turn_until_quiet();
        assert_string_equal(heard(client), "$3 old +changed");
    }
    assert_int_equal(gone_home, 20);
    gone_home = 0;
}

static void an_ordered_push_waits_until_the_answer_is_taken(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "SET %s old", key(1, 0));
    tell(client, "GET %s", key(2, 0)); /* holds up the other */
    tell(client, "GET %s", key(1, 0));
    turn(0);
    turn(1);
    push_from(1, client, "+changed\r\n", true);
    turn(1);
    pass_ms(2);
    turn(0);
    turn(0);
    assert_string_equal(heard(client), "");
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1 $3 old +changed");
    gone_home = 0;
}

static void pushes_of_one_reactor_keep_their_order(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    char text[32];
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "+%d\r\n", i);
        push_from(1 + (uint32_t)i % 2, client, text, false);
    }
    turn_until_quiet();
    int next[2] = { 0, 1 };
    for (const char *at = heard(client); *at != '\0'; at += strcspn(at, "+")) {
        int number = atoi(++at);
        assert_int_equal(number, next[number % 2]);
        next[number % 2] += 2;
    }
    assert_int_equal(next[0], 40);
    assert_int_equal(next[1], 41);
    gone_home = 0;
}

/* ---- the connection ------------------------------------------------------ */

static void a_closing_connection_gets_none(void **state)
{
    (void)state;
    struct client *client = client_open(0), *dead = client_open(0);
    conn_close_later(client->conn);
    push(client, "+late\r\n", PUSH_AT_ONCE);
    conn_kill(dead->conn);
    push(dead, "+late\r\n", PUSH_AT_ONCE);
    turn_until_quiet();
    assert_string_equal(heard(client), "");
    assert_string_equal(heard(dead), "");
}

static void what_waits_goes_with_the_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    push_behind_a_kept_answer(client);
    conn_kill(client->conn);
    turn_until_quiet();
    assert_false(client_is_open(client));
}

static struct reply_ref *shared(const char *text, size_t size)
{
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    for (size_t i = 0; i < size; i++)
        reply_raw(&reply, bytes_str(text));
    return reply_ref_new(reactor_at(0), &reply, false);
}

/* One copy of a large push for all, and it is freed when the last has been sent. */
static void a_large_push_is_shared(void **state)
{
    (void)state;
    struct client *client[8];
    struct reply_ref *ref = shared("+0123456789\r\n", 10000);
    size_t size = ref->size;
    for (int i = 0; i < 8; i++) {
        client[i] = client_open(0);
        conn_push_ref(client[i]->conn, ref, PUSH_AT_ONCE);
        assert_int_equal(client[i]->conn->out.push_bytes, size);
    }
    assert_int_equal(reactor_at(0)->conns->budget.reply_bytes, size);
    reply_ref_unuse(reactor_at(0), ref);
    turn_until_quiet();
    for (int i = 0; i < 8; i++)
        assert_int_equal(heard_bytes(client[i]), size);
    assert_int_equal(reactor_at(0)->conns->budget.reply_bytes, 0);
}

/* Replies have the class normal, without a limit here; pushes have theirs. */
static void unread_pushes_close_their_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    struct reply_ref *ref = shared("+0123456789\r\n", 10000);
    client->line->blocked = true;
    for (size_t sent = 0; sent <= 32 << 20; sent += ref->size) {
        assert_true(client_is_open(client));
        conn_push_ref(client->conn, ref, PUSH_AT_ONCE);
        conn_push_ref(other->conn, ref, PUSH_AT_ONCE);
        turn_until_quiet();
    }
    reply_ref_unuse(reactor_at(0), ref);
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_true(client_is_open(other));
    assert_int_equal(counter_get(&reactor_at(0)->stats->output_limit_closed), 1);
}

/* A client that does not read what is pushed can still be asked. */
static void unread_pushes_do_not_throttle(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct reply_ref *ref = shared("+0123456789\r\n", 10000);
    client->line->blocked = true;
    for (size_t sent = 0; sent <= 4 << 20; sent += ref->size)
        conn_push_ref(client->conn, ref, PUSH_AT_ONCE);
    reply_ref_unuse(reactor_at(0), ref);
    turn_until_quiet();
    uint64_t before = client->conn->commands;
    tell(client, "PING");
    turn_until_quiet();
    assert_int_equal(client->conn->commands, before + 1);
    assert_false(client->conn->throttled);
    client->line->blocked = false;
}

/* ---- to another reactor -------------------------------------------------- */

static void whoever_pushes_too_much_is_congested(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct mesh_port *port = reactor_at(1)->port;
    uint32_t count = 0;
    for (; !mesh_push_congested(port, 0); count++)
        push_from(1, client, "+a\r\n", false);
    assert_true(count * sizeof(struct remote_push) > MESH_PUSH_BYTES);
    assert_false(mesh_congested(port, 0)); /* commands go on */
    turn_until_quiet();
    assert_false(mesh_push_congested(port, 0));
    assert_int_equal(gone_home, count);
    assert_int_equal(heard_bytes(client), 4 * (size_t)count);
    gone_home = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, a_push_needs_no_request),
        with_reactors(2, one_at_once_passes_what_is_unanswered),
        with_reactors(3, one_behind_waits_for_kept_answers),
        with_reactors(2, an_ordered_push_comes_behind_its_shard_s_answers),
        with_reactors(3, an_ordered_push_waits_until_the_answer_is_taken),
        with_reactors(3, pushes_of_one_reactor_keep_their_order),
        with_reactors(1, a_closing_connection_gets_none),
        with_reactors(3, what_waits_goes_with_the_connection),
        with_reactors(1, a_large_push_is_shared),
        with_reactors(1, unread_pushes_close_their_connection),
        with_reactors(1, unread_pushes_do_not_throttle),
        with_reactors(2, whoever_pushes_too_much_is_congested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
