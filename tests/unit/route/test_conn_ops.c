/*
 * test_conn_ops.c - what a connection asks for arrives where requests are routed.
 */
#include "shoal/conn/conn_ops.h"

#include "shoal/route/plan.h"
#include "support/reactors.h"

static uint32_t ended;

static void note_end(struct conn *conn)
{
    (void)conn;
    ended++;
}

static void a_request_is_dispatched(void **state)
{
    (void)state;
    static const char text[] = "PING";
    struct client *client = client_open(0);
    client->conn->proto = PROTO_RESP2;
    struct request *request = request_new(client->conn);
    request->command = registry_find(bytes_str("ping"));
    request->base = text;
    request->argc = 1;
    request->spans[0] = (struct span){ 0, 4 };
    conn_ops_request(client->conn, request);
    turn_until_quiet();
    assert_string_equal(heard(client), "+PONG");
}

static void a_held_request_is_resumed(void **state)
{
    (void)state;
    struct client *admin = client_open(0), *client = client_open(0);
    ask(admin, "CLIENT PAUSE 1000");
    assert_reply("", client, "SET a 1");
    conn_ops_resume(client->conn);
    turn_until_quiet();
    assert_string_equal(heard(client), ""); /* the pause goes on */
    pass_ms(1000);
    reactor_at(0)->now_ms = clock_now_ms();
    conn_ops_resume(client->conn);
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
}

static void a_plan_is_composed_and_finished(void **state)
{
    (void)state;
    char lent[64];
    struct reply reply;
    struct client *client = client_open(0);
    struct request *request = request_new(client->conn);
    struct plan *plan = plan_new(request);
    plan_add_error(plan, "ERR composed");
    plan->at_end = note_end;
    plan->phase = PLAN_END; /* as if its one step had run */
    reply_init(&reply, PROTO_RESP2, lent, sizeof(lent), NULL, 0);
    conn_ops_compose(plan, &reply);
    assert_int_equal(reply.size, strlen("-ERR composed\r\n"));
    assert_memory_equal(reply.base, "-ERR composed\r\n", reply.size);
    ended = 0;
    conn_ops_finish(&plan);
    assert_null(plan);
    assert_int_equal(ended, 1);
    request_free(reactor_at(0), request);
}

static void a_closed_connection_gives_back_its_watches(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "WATCH a");
    assert_int_equal(reactor_at(0)->keyspace->watched, 1);
    conn_ops_closed(client->conn);
    turn_until_quiet();
    assert_int_equal(reactor_at(0)->keyspace->watched, 0);
    assert_null(client->conn->transaction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, a_request_is_dispatched),
        with_reactors(1, a_held_request_is_resumed),
        with_reactors(1, a_plan_is_composed_and_finished),
        with_reactors(1, a_closed_connection_gives_back_its_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
