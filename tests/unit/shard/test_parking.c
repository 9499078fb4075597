/*
 * test_parking.c - waiters by arrival and by caller, the bound, and memory that is out.
 */
#include "shoal/shard/parking.h"

#include "support/reactors.h"

#include "shoal/shard/shard.h"

static bool memory_is_out, for_waiters_only;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    bool refused = memory_is_out && (!for_waiters_only || size == sizeof(struct waiter_parked));
    return refused ? NULL : __real_malloc(size);
}

static struct parking *parking(void)
{
    return &reactor_at(0)->shard->parking;
}

static struct waiter_parked *first_of(const char *name)
{
    return parking_find(parking(), NULL, hash_key(bytes_str(name)), 0);
}

/* Waiters of many clients that go in another order than they came. */
static void they_are_found_by_key_and_by_caller(void **state)
{
    (void)state;
    struct client *client[100];
    for (uint32_t i = 0; i < 100; i++) {
        client[i] = client_open(i % 2);
        ask(client[i], "DEBUGPARK %s", key(0, i % 3));
    }
    assert_int_equal(parking()->count, 100);
    assert_true(parking()->size >= 64);
    struct waiter_parked *waiter = first_of(key(0, 1));
    assert_int_equal(waiter->caller.client, client[1]->conn->id);
    waiter = parking_find(parking(), waiter->next, waiter->hash, 0);
    assert_int_equal(waiter->caller.client, client[4]->conn->id);
    assert_null(parking_find(parking(), NULL, waiter->hash, 1)); /* another database */
    for (uint32_t i = 0; i < 100; i += 7)
        conn_kill(client[i]->conn);
    turn_until_quiet();
    uint32_t left = 0;
    for (waiter = parking()->first; waiter != NULL; waiter = waiter->next)
        left++;
    assert_int_equal(left, 85);
    assert_int_equal(parking()->count, 85);
    assert_int_equal(first_of(key(0, 0))->caller.client, client[3]->conn->id);
}

static void beyond_the_bound_it_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0), *remote = client_open(1);
    parking()->count += PARKING_MAX;
    assert_reply("-ERR too many clients wait already", client, "DEBUGPARK %s", key(0, 0));
    assert_reply("-ERR too many clients wait already", remote, "DEBUGPARK %s", key(0, 0));
    parking()->count -= PARKING_MAX;
    assert_reply("+PONG", client, "PING"); /* nothing is held any more */
    assert_reply("", client, "DEBUGPARK %s", key(0, 0));
}

static void without_memory_it_is_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "PING");
    tell(client, "DEBUGPARK %s", key(1, 0));
    turn(0);
    memory_is_out = for_waiters_only = true;
    turn(1);
    memory_is_out = for_waiters_only = false;
    turn_until_quiet();
    assert_string_equal(heard(client), "-OOM out of memory: the allocator refused");
    assert_reply("+PONG", client, "PING");
}

/* The answer cannot be kept: the client must not wait for ever. */
static void without_memory_for_the_answer_the_connection_is_closed(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    ask(client, "DEBUGPARK %s", key(0, 0));
    tell(other, "PING");
    turn_until_quiet();
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    memory_is_out = true;
    reply_ok(&reply);
    parking_answer(reactor_at(0), first_of(key(0, 0)), &reply);
    memory_is_out = false;
    turn_until_quiet();
    assert_false(client_is_open(client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, they_are_found_by_key_and_by_caller),
        with_reactors(2, beyond_the_bound_it_is_refused),
        with_reactors(2, without_memory_it_is_refused),
        with_reactors(2, without_memory_for_the_answer_the_connection_is_closed),
    };
    /* Elsewhere there is no command that waits yet. */
    return DCHECK_ON ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
