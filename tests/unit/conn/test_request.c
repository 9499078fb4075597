/*
 * test_request.c - where requests come from and go back to.
 */
#include "shoal/conn/request.h"

#include "shoal/base/list.h"
#include "support/reactors.h"

static bool out_of_memory;
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return out_of_memory ? NULL : __real_aligned_alloc(align, size);
}

static struct request_pool *pool(void)
{
    return &reactor_at(0)->conns->requests;
}

static void a_new_one_is_empty_and_knows_its_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    client->conn->db = 3;
    client->conn->proto = PROTO_RESP3;
    struct request *request = request_new(client->conn);
    assert_ptr_equal(request->conn, client->conn);
    assert_int_equal(request->db, 3);
    assert_int_equal(request->proto, PROTO_RESP3);
    assert_int_equal(request->message.from, 0);
    assert_int_equal(request->message.kind, MESSAGE_COMMAND);
    assert_int_equal(request_args(request).count, 0);
    assert_int_equal(request->buffer, NO_BUFFER);
    assert_null(request->plan);
    assert_int_equal(request->flags, 0);
    request_free(reactor_at(0), request);
}

static void a_used_one_comes_back_clean(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct request *first = request_new(client->conn);
    first->flags = REQUEST_DONE | REQUEST_SILENT;
    first->answer.place = ANSWER_IN_REF;
    first->answer.failed = true;
    first->message.urgent = true;
    first->argc = 5;
    request_free(reactor_at(0), first);
    struct request *second = request_new(client->conn);
    assert_ptr_equal(second, first);
    assert_int_equal(second->flags, 0);
    assert_int_equal(second->answer.place, ANSWER_NONE);
    assert_false(second->answer.failed);
    assert_false(second->message.urgent);
    assert_int_equal(second->argc, 0);
    request_free(reactor_at(0), second);
}

static void the_queue_is_in_order_and_counted(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    struct request *first = request_new(client->conn), *second = request_new(client->conn);
    request_append(client->conn, first);
    request_append(client->conn, second);
    assert_int_equal(client->conn->requests, 2);
    assert_ptr_equal(list_take(&client->conn->unanswered, next), first);
    assert_ptr_equal(list_take(&client->conn->unanswered, next), second);
    client->conn->requests = 0;
    request_free(reactor_at(0), first);
    request_free(reactor_at(0), second);
}

static void the_pool_keeps_a_bounded_number(void **state)
{
    (void)state;
    enum { MANY = 6000 };
    static struct request *request[MANY];
    struct client *client = client_open(0);
    for (uint32_t i = 0; i < MANY; i++)
        request[i] = request_new(client->conn);
    assert_int_equal(pool()->count, MANY);
    assert_int_equal(pool()->free_count, 0);
    for (uint32_t i = 0; i < MANY; i++)
        request_free(reactor_at(0), request[i]);
    assert_in_range(pool()->count, 1, MANY - 1);
    assert_int_equal(pool()->free_count, pool()->count);
}

static void many_arguments_are_kept_and_freed(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply(":0", client, "EXISTS 1 2 3 4 5 6 7 8 9 10 11 12");
    assert_reply(":0", client, "EXISTS %s %s %s %s %s %s %s %s", key(1, 0), key(1, 1), key(1, 2),
                 key(1, 3), key(1, 4), key(1, 5), key(1, 6), key(1, 7));
}

static void without_memory_the_connection_ends(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(0);
    out_of_memory = true;
    assert_null(request_new(client->conn));
    tell(client, "PING");
    turn_until_quiet();
    out_of_memory = false;
    assert_false(client_is_open(client));
    assert_reply("+PONG", other, "PING");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, a_new_one_is_empty_and_knows_its_connection),
        with_reactors(1, a_used_one_comes_back_clean),
        with_reactors(1, the_queue_is_in_order_and_counted),
        with_reactors(1, the_pool_keeps_a_bounded_number),
        with_reactors(2, many_arguments_are_kept_and_freed),
        with_reactors(1, without_memory_the_connection_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
