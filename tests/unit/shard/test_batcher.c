/*
 * test_batcher.c - commands gathered and run in lots: in order, together, and timed together.
 */
#include "shoal/shard/batcher.h"

#include "support/reactors.h"

static bool out_of_memory;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return out_of_memory ? NULL : __real_malloc(size);
}

static struct batcher *batcher(void)
{
    return &reactor_at(0)->shard->batcher;
}

/* A GET of this connection as dispatch() would hand it over. */
static void add_get(struct client *client)
{
    static const char text[] = "GETa";
    struct request *request = request_new(client->conn);
    request->command = registry_find(bytes_str("get"));
    request->base = text;
    request->argc = 2;
    request->spans[0] = (struct span){ 0, 3 };
    request->spans[1] = (struct span){ 3, 1 };
    request->hash = hash_key(bytes_str("a"));
    request->proto = PROTO_RESP2;
    request_append(client->conn, request);
    batcher_add(reactor_at(0), request);
}

static uint32_t unanswered(const struct client *client)
{
    return client->conn->requests;
}

/* ---- lots ---------------------------------------------------------------- */

static void a_lot_waits_until_the_next_is_full(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_false(batcher_waits(batcher()));
    for (uint32_t i = 0; i < 2 * BATCH_MAX - 1; i++)
        add_get(client);
    assert_int_equal(unanswered(client), 2 * BATCH_MAX - 1);
    add_get(client);
    assert_int_equal(unanswered(client), BATCH_MAX);
    assert_true(batcher_waits(batcher()));
}

static void running_leaves_nothing_behind(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t count = 1; count < 3 * BATCH_MAX; count++) {
        for (uint32_t i = 0; i < count; i++)
            add_get(client);
        batcher_run(reactor_at(0));
        assert_int_equal(unanswered(client), 0);
        assert_false(batcher_waits(batcher()));
    }
}

static void nothing_else_begins_while_a_lot_runs(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    batcher()->running = true;
    for (uint32_t i = 0; i < 3 * BATCH_MAX; i++)
        add_get(client);
    batcher_run(reactor_at(0));
    assert_int_equal(unanswered(client), 3 * BATCH_MAX);
    batcher()->running = false;
    add_get(client);
    batcher_run(reactor_at(0)); /* and takes up what came meanwhile */
    assert_int_equal(unanswered(client), 0);
    assert_null(batcher()->later.first);
}

/* ---- order --------------------------------------------------------------- */

static void commands_of_a_connection_run_in_order(void **state)
{
    (void)state;
    enum { ROUNDS = 100 };
    char expected[4096] = "";
    size_t at = 0;
    for (uint32_t owner = 0; owner < 2; owner++) {
        struct client *client = client_open(0);
        for (int i = 1; i <= ROUNDS; i++) {
            tell(client, "APPEND %s x", key(owner, 0));
            tell(client, "STRLEN %s", key(owner, 0)); /* a quick one between slow ones */
        }
        at = 0;
        for (int i = 1; i <= ROUNDS; i++)
            at += (size_t)sprintf(expected + at, "%s:%d :%d", i > 1 ? " " : "", i, i);
        turn_until_quiet();
        assert_string_equal(heard(client), expected);
    }
}

static void commands_of_all_reactors_meet_in_one_order(void **state)
{
    (void)state;
    enum { EACH = 70 };
    struct client *client[3];
    for (uint32_t i = 0; i < 3; i++) {
        client[i] = client_open(i);
        for (int k = 0; k < EACH; k++)
            tell(client[i], "INCR %s", key(1, 0));
    }
    turn_until_quiet();
    bool seen[3 * EACH + 1] = { false };
    for (uint32_t i = 0; i < 3; i++) {
        const char *reply = heard(client[i]);
        for (int before = 0, now, size; sscanf(reply, ":%d %n", &now, &size) == 1; reply += size) {
            assert_in_range(now, before + 1, 3 * EACH);
            assert_false(seen[now]);
            seen[now] = true;
            before = now;
        }
    }
    for (int i = 1; i <= 3 * EACH; i++)
        assert_true(seen[i]);
}

/* ---- time ---------------------------------------------------------------- */

enum { LOT = 16, LOTS = 12 }; /* chance divides LOTS sums by LOT once in 10^14 runs */

static uint64_t ticks_of_a_lot(struct client *client)
{
    const struct command *get = registry_find(bytes_str("get"));
    struct counter *ticks = &reactor_at(0)->stats->command[get->id].ticks;
    uint64_t before = counter_get(ticks);
    for (uint32_t i = 0; i < LOT; i++)
        tell(client, "GET a");
    turn_until_quiet();
    return counter_get(ticks) - before;
}

static bool lots_share_their_time(struct client *client)
{
    bool shared = true;
    for (uint32_t i = 0; i < LOTS; i++)
        shared &= ticks_of_a_lot(client) % LOT == 0;
    return shared;
}

static void quick_commands_are_timed_together(void **state)
{
    (void)state;
    assert_true(lots_share_their_time(client_open(0)));
}

static void each_is_timed_if_the_slow_log_wants_it(void **state)
{
    (void)state;
    reactors_begin(1, "--slowlog-log-slower-than", "0");
    assert_false(lots_share_their_time(client_open(0)));
}

static void forwarded_ones_learn_their_time(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    const struct command *get = registry_find(bytes_str("get"));
    for (int i = 0; i < 5; i++)
        tell(client, "GET %s", key(1, 0));
    turn_until_quiet();
    assert_int_equal(counter_get(&reactor_at(0)->stats->command[get->id].calls), 5);
    assert_true(counter_get(&reactor_at(0)->stats->command[get->id].ticks) > 0);
}

/* ---- refused ------------------------------------------------------------- */

/* A transaction of reactor 2 that has its keys, and goes on with that reactor's next turn. */
static void hold_key(struct client *client)
{
    tell(client, "MSET %s 1 %s 2", key(0, 0), key(1, 0));
    turn(2);
    turn(0);
    turn(1);
    assert_true(key_queues_active(reactor_at(1)->shard->queues));
}

/* Even when there is no memory to keep a reply: neither in the pair's reply space nor elsewhere. */
static void without_memory_to_wait_it_is_refused(void **state)
{
    (void)state;
    struct client *holder = client_open(2), *own = client_open(1), *other = client_open(0);
    hold_key(holder);
    tell(own, "GET %s", key(1, 0));
    tell(other, "GET %s", key(1, 0));
    turn(0);
    out_of_memory = true;
    turn(1);
    out_of_memory = false;
    turn_until_quiet();
    assert_string_equal(heard(holder), "+OK");
    assert_string_equal(heard(own), "-OOM the allocator has no memory");
    assert_string_equal(heard(other), "-OOM the allocator has no memory");
    assert_int_equal(counter_get(&reactor_at(0)->stats->error_replies), 1);
    assert_int_equal(counter_get(&reactor_at(1)->stats->error_replies), 1);
}

static void one_that_waited_runs_afterwards(void **state)
{
    (void)state;
    struct client *holder = client_open(2), *own = client_open(1), *other = client_open(0);
    hold_key(holder);
    tell(own, "GET %s", key(1, 0));
    tell(other, "APPEND %s x", key(1, 0));
    turn(0);
    turn(1);
    assert_int_equal(own->conn->requests, 1);
    assert_int_equal(other->conn->requests, 1);
    turn_until_quiet();
    assert_string_equal(heard(own), "$1 2");
    assert_string_equal(heard(other), ":2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(1, a_lot_waits_until_the_next_is_full),
        with_reactors(1, running_leaves_nothing_behind),
        with_reactors(1, nothing_else_begins_while_a_lot_runs),
        with_reactors(2, commands_of_a_connection_run_in_order),
        with_reactors(3, commands_of_all_reactors_meet_in_one_order),
        with_reactors(1, quick_commands_are_timed_together),
        cmocka_unit_test_teardown(each_is_timed_if_the_slow_log_wants_it, reactors_finish),
        with_reactors(2, forwarded_ones_learn_their_time),
        with_reactors(3, without_memory_to_wait_it_is_refused),
        with_reactors(3, one_that_waited_runs_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
