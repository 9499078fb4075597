/*
 * test_backpressure.c - connections within the budget of their buffers: who waits, who goes on, who
 * is closed.
 */
#include "shoal/conn/backpressure.h"

#include "support/reactors.h"

enum {
    LARGE = 1500 * 1000, /* two of them do not fit one half of the budget of 4 MB */
    BEGUN = 20 * 1000,   /* enough of one to be let in */
    REPLY = 8000,
    PIECE = 3000, /* of a pipeline: 120 requests; all buffers of the ring would take 480 */
};

static int with_4mb(uint32_t reactors)
{
    reactors_begin(reactors, "--maxmemory-clients", "4mb");
    return 0;
}

static int with_4mb_1(void **state)
{
    (void)state;
    return with_4mb(1);
}

static int with_4mb_2(void **state)
{
    (void)state;
    return with_4mb(2);
}

#define with_budget(count, test)                                                                   \
    cmocka_unit_test_setup_teardown(test, with_4mb_##count, reactors_finish)

static struct conns *conns(void)
{
    return reactor_at(0)->conns;
}

static const struct reactor_stats *stats(void)
{
    return reactor_at(0)->stats;
}

/* A SET of LARGE bytes, of which so many have arrived by now. */
static struct client *begin_large(const char *name, size_t begun)
{
    struct client *client = client_open(0);
    client_put_set(client, name, LARGE, 'v');
    client->line->in.size = begun;
    turn_until_quiet();
    return client;
}

/* The rest of it is there, and read when the connection may. */
static void finish_large(struct client *client, const char *name)
{
    client->line->in.size =
        (size_t)snprintf(NULL, 0, "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%d\r\n\r\n", strlen(name),
                         name, LARGE) +
        LARGE;
}

/* ---- requests ------------------------------------------------------------ */

static void a_large_request_reserves_all_it_will_take(void **state)
{
    (void)state;
    struct client *client = begin_large("a", BEGUN);
    assert_true(input_bytes(client->conn->input) + client->conn->claim.promised >= LARGE);
    assert_in_range(conns()->budget.taken[BUDGET_PART], LARGE, 2 * 1024 * 1024);
    finish_large(client, "a");
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
    assert_int_equal(conns()->budget.taken[BUDGET_PART], 0);
}

/* The second goes beside the budget, so that there is always one that goes on; the third waits. */
static void who_does_not_fit_waits_unread(void **state)
{
    (void)state;
    struct client *first = begin_large("a", BEGUN), *second = begin_large("b", BEGUN);
    struct client *third = begin_large("c", BEGUN);
    assert_false(conn_is_waiting(first->conn));
    assert_false(conn_is_waiting(second->conn));
    assert_true(conn_is_waiting(third->conn));
    assert_null(third->line->recv);
    assert_int_equal(counter_get(&stats()->buffer_waits), 1);
    finish_large(third, "c");
    turn_until_quiet();
    assert_true(fake_has_arrived(third->line));

    finish_large(first, "a");
    finish_large(second, "b");
    live_ms(50, 10);
    assert_string_equal(heard(first), "+OK");
    assert_string_equal(heard(second), "+OK");
    assert_string_equal(heard(third), "+OK");
    assert_int_equal(conns()->budget.waiting, 0);
}

static void small_requests_do_not_wait(void **state)
{
    (void)state;
    begin_large("a", BEGUN);
    begin_large("b", BEGUN);
    begin_large("c", BEGUN);
    struct client *client = client_open(0);
    assert_reply("+PONG", client, "PING");
    client_put_set(client, "d", BUDGET_FREE_BYTES / 2, 'v');
    turn_until_quiet();
    assert_string_equal(heard(client), "+OK");
}

static void one_that_is_killed_in_line_leaves_it(void **state)
{
    (void)state;
    struct client *first = begin_large("a", BEGUN);
    begin_large("b", BEGUN);
    struct client *third = begin_large("c", BEGUN);
    conn_kill(third->conn);
    turn_until_quiet();
    assert_int_equal(conns()->budget.waiting, 0);
    conn_kill(first->conn);
    turn_until_quiet();
    assert_false(client_is_open(first));
    assert_false(client_is_open(third));
}

static void one_that_waits_is_not_idle(void **state)
{
    (void)state;
    reactors_begin(1, "--maxmemory-clients", "4mb", "--timeout", "10");
    struct client *first = begin_large("a", BEGUN);
    begin_large("b", BEGUN);
    struct client *third = begin_large("c", BEGUN);
    live_ms(12000, 1000);
    assert_false(client_is_open(first)); /* it could have sent */
    assert_true(client_is_open(third));
}

/* ---- what has arrived whole ---------------------------------------------- */

enum { SMALL = 100 * 1000 };

/* Two hold all there is and have stopped, and others wait for them. */
static void fill_the_budget(void)
{
    begin_large("a", BEGUN);
    begin_large("b", BEGUN);
    for (int i = 0; i < 5; i++)
        assert_true(conn_is_waiting(begin_large("c", BEGUN)->conn));
}

/* Of all that was put in, so much has arrived: the connection has its beginning, and the rest is in
 * the kernel's buffer. */
static void arrive(struct client *client, size_t begun, size_t size)
{
    client->line->in.size = begun;
    turn_until_quiet();
    assert_true(conn_is_waiting(client->conn));
    assert_int_equal(write(client->peer, client->line->in.data + client->line->in.taken,
                           size - client->line->in.taken),
                     size - client->line->in.taken);
    client->line->in.size = size;
}

static void one_that_has_arrived_whole_does_not_wait(void **state)
{
    (void)state;
    fill_the_budget();
    struct client *client = client_open(0);
    client_put_set(client, "small", SMALL, 'v');
    arrive(client, BEGUN, client->line->in.size);
    live_ms(20, 10);
    assert_string_equal(heard(client), "+OK");
    assert_int_equal(conns()->budget.waiting, 5);
    assert_int_equal(conns()->budget.taken[BUDGET_WHOLE], 0);
}

/* So that nobody can hold what is kept for those that are whole. */
static void all_but_the_end_is_not_whole(void **state)
{
    (void)state;
    fill_the_budget();
    struct client *client = client_open(0);
    client_put_text(client, "*5\r\n$3\r\nSET\r\n$5\r\nsmall\r\n");
    char *value = calloc(1, SMALL);
    client_put_word(client, value, SMALL);
    free(value);
    client_put_word(client, "EX", 2);
    client_put_text(client, "$3\r\n10");
    arrive(client, BEGUN, client->line->in.size);
    live_ms(1000, 10);
    assert_true(conn_is_waiting(client->conn));
    assert_int_equal(conns()->budget.taken[BUDGET_WHOLE], 0);
    assert_int_equal(write(client->peer, "0\r\n", 3), 3);
    client_put_text(client, "0\r\n");
    live_ms(20, 10);
    assert_string_equal(heard(client), "+OK");
}

/* Its client does not read the replies before it: it would hold the room until then. */
static void one_that_could_not_run_is_not_let_in(void **state)
{
    (void)state;
    struct client *writer = client_open(0), *client = client_open(0);
    client_put_set(writer, "a", 700 * 1000, 'v');
    turn_until_quiet();
    fill_the_budget();
    client->line->blocked = true;
    tell(client, "GET a");
    tell(client, "GET a");
    size_t begun = client->line->in.size + BEGUN;
    client_put_set(client, "small", SMALL, 'v');
    arrive(client, begun, client->line->in.size);
    assert_int_equal(conn_wait(client->conn), CONN_WAIT_READER);
    live_ms(100, 10);
    assert_true(conn_is_waiting(client->conn));
    client->line->blocked = false;
    live_ms(100, 10);
    assert_false(conn_is_waiting(client->conn));
    assert_int_equal(heard_bytes(client),
                     strlen("+OK\r\n") + 2 * strlen("$700000\r\n\r\n") + 2 * 700 * 1000);
}

/* Not before it has been answered: CLIENT PAUSE must not have them pile up. */
static void those_that_are_whole_have_a_limit(void **state)
{
    (void)state;
    enum { COUNT = 2 * BUDGET_WHOLE_BYTES / SMALL };
    struct client *admin = client_open(0), *client[COUNT];
    int answered = 0;
    fill_the_budget();
    assert_reply("+OK", admin, "CLIENT PAUSE 5000");
    for (int i = 0; i < COUNT; i++) {
        client[i] = client_open(0);
        client_put_set(client[i], "small", SMALL, 'v');
        arrive(client[i], BEGUN, client[i]->line->in.size);
    }
    live_ms(1000, 10);
    assert_in_range(conns()->budget.taken[BUDGET_WHOLE], BUDGET_WHOLE_BYTES / 2,
                    BUDGET_WHOLE_BYTES);
    assert_in_range(conns()->budget.waiting, 5 + COUNT / 2, 5 + COUNT - 2);
    assert_reply("+OK", admin, "CLIENT UNPAUSE");
    live_ms(100, 10);
    for (int i = 0; i < COUNT; i++)
        answered += strcmp(heard(client[i]), "+OK") == 0;
    assert_int_equal(answered, COUNT);
}

/* ---- who is in the way --------------------------------------------------- */

/* Two megabytes are the part: room that is only promised to one that has stopped is the others'. */
static void room_that_is_not_used_is_taken_back(void **state)
{
    (void)state;
    struct client *stopped = client_open(0), *other = client_open(0);
    client_put_set(stopped, "a", 2000 * 1000, 'v');
    stopped->line->in.size = BEGUN;
    turn_until_quiet();
    begin_large("b", BEGUN);
    client_put_set(other, "c", 600 * 1000, 'v');
    turn_until_quiet();
    assert_true(conn_is_waiting(other->conn));
    live_ms(3000, 500);
    assert_string_equal(heard(other), "+OK");
    assert_true(client_is_open(stopped));
    stopped->line->in.size += 2000 * 1000;
    stopped->line->in.size -= BEGUN - strlen("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2000000\r\n\r\n");
    live_ms(100, 10);
    assert_string_equal(heard(stopped), "+OK");
}

/* A SET of LARGE bytes of which more is in the kernel's buffer than has arrived. */
static struct client *begin_more(size_t begun)
{
    static const char more[8192];
    struct client *client = begin_large("a", begun);
    assert_int_equal(write(client->peer, more, sizeof(more)), sizeof(more));
    return client;
}

/* Twenty send all but the end, and again when they are closed; one sends a megabyte a second. */
static void one_that_moves_has_its_turn(void **state)
{
    (void)state;
    enum { HOARDERS = 20, STEP_MS = 500, STEP = 500 * 1000 };
    struct client *hoarder[HOARDERS], *honest;
    int ms = 0;
    for (int i = 0; i < HOARDERS; i++)
        hoarder[i] = begin_more(LARGE - 100);
    honest = begin_more(BEGUN);
    for (size_t left = LARGE; left > 0; ms += STEP_MS) {
        assert_true(ms < 100 * 1000);
        live_ms(STEP_MS, 100);
        assert_true(client_is_open(honest));
        left -= left < STEP ? left : conn_is_waiting(honest->conn) ? 0 : STEP;
        if (left == 0)
            finish_large(honest, "a");
        else
            honest->line->in.size = BEGUN + LARGE - left;
        for (int i = 0; i < HOARDERS; i++)
            if (!client_is_open(hoarder[i]))
                hoarder[i] = begin_more(LARGE - 100);
    }
    turn_until_quiet();
    assert_string_equal(heard(honest), "+OK");
    assert_true(ms > 3000);
}

/* Else each that comes brings half a megabyte before it can be told to wait. */
static void one_that_comes_when_there_is_too_much_is_read_by_portions(void **state)
{
    (void)state;
    assert_false(client_open(0)->line->once);
    for (int i = 0; i < 40; i++) {
        struct client *client = client_open(0);
        client_put_set(client, "a", BUDGET_FREE_BYTES - 1000, 'v');
        client->line->in.size -= 10;
    }
    turn_until_quiet();
    pass_ms(1);
    turn_until_quiet();
    assert_true(client_open(0)->line->once);
}

static void one_that_others_wait_for_is_closed_when_it_stops(void **state)
{
    (void)state;
    struct client *stuck = begin_large("a", BEGUN), *beside = begin_large("b", BEGUN);
    struct client *waits = begin_large("c", BEGUN);
    finish_large(waits, "c");
    live_ms(BACKPRESSURE_STALL_MIN_MS, 100);
    assert_true(client_is_open(stuck));
    live_ms(BACKPRESSURE_STALL_MS + 2000, 1000);
    assert_false(client_is_open(stuck));
    assert_false(client_is_open(beside));
    assert_string_equal(heard(waits), "+OK");
    assert_int_equal(counter_get(&stats()->buffers_closed), 2);
}

static void nobody_is_closed_while_nobody_waits(void **state)
{
    (void)state;
    struct client *stuck = begin_large("a", BEGUN);
    live_ms(3 * BACKPRESSURE_STALL_MS, 1000);
    assert_true(client_is_open(stuck));
    assert_int_equal(counter_get(&stats()->buffers_closed), 0);
}

static void one_that_moves_is_left_alone(void **state)
{
    (void)state;
    struct client *slow = begin_large("a", BEGUN);
    begin_large("b", BEGUN);
    begin_large("c", BEGUN);
    for (int second = 0; second < 60; second++) {
        slow->line->in.size += 10 * 1000;
        live_ms(1000, 500);
    }
    assert_true(client_is_open(slow));
}

static void one_that_may_not_be_evicted_is_not(void **state)
{
    (void)state;
    struct client *stuck = client_open(0);
    assert_reply("+OK", stuck, "CLIENT NO-EVICT on");
    client_put_set(stuck, "a", LARGE, 'v');
    stuck->line->in.size = stuck->line->in.taken + BEGUN;
    turn_until_quiet();
    begin_large("b", BEGUN);
    begin_large("c", BEGUN);
    live_ms(2 * BACKPRESSURE_STALL_MS, 1000);
    assert_true(client_is_open(stuck));
}

static void patience_shrinks_with_the_wait(void **state)
{
    (void)state;
    enum { HOLDS = 1 << 20 };
    assert_int_equal(backpressure_stall_ms(HOLDS, 0), BACKPRESSURE_STALL_MS);
    assert_int_equal(backpressure_stall_ms(HOLDS, BACKPRESSURE_STALL_MS), BACKPRESSURE_STALL_MS);
    assert_int_equal(backpressure_stall_ms(HOLDS, BACKPRESSURE_STALL_MS + 10000),
                     BACKPRESSURE_STALL_MS - 10000);
    assert_int_equal(backpressure_stall_ms(HOLDS, 10 * BACKPRESSURE_STALL_MS),
                     BACKPRESSURE_STALL_MIN_MS);
    /* not with one that is in the way by its replies */
    assert_int_equal(backpressure_stall_ms(BACKPRESSURE_HELD_BYTES - 1, 10 * BACKPRESSURE_STALL_MS),
                     BACKPRESSURE_STALL_MS);
}

/* ---- replies ------------------------------------------------------------- */

/* So many replies wait behind one that never comes. */
static struct client *pile_up(uint32_t count)
{
    struct client *client = client_open(0);
    client_put_set(client, key(0, 0), REPLY, 'v');
    turn_until_quiet();
    heard_bytes(client);
    tell(client, "GET %s", key(1, 0));
    client->line->piece = PIECE; /* time passes between them */
    for (uint32_t i = 0; i < count; i++)
        tell(client, "GET %s", key(0, 0));
    for (uint32_t i = 0; i < count; i++) {
        pass_ms(1);
        turn(0);
    }
    return client;
}

static void the_more_replies_wait_the_fewer_may(void **state)
{
    (void)state;
    struct client *client = pile_up(1000);
    assert_int_equal(conns()->budget.level, BUDGET_TIGHT);
    assert_in_range(client->conn->requests, 1024 * 1024 / REPLY, 1024 * 1024 / REPLY + 125);
    assert_int_equal(conns()->backpressure.limits.requests, 64);
    turn_until_quiet();
    assert_int_equal(heard_bytes(client),
                     strlen("$-1\r\n") + 1000 * (REPLY + strlen("$8000\r\n\r\n")));
    pass_ms(1);
    turn(0);
    assert_int_equal(conns()->budget.level, BUDGET_EASY);
}

static void replies_of_all_reactors_count(void **state)
{
    (void)state;
    pile_up(1000);
    pass_ms(1);
    turn(1);
    assert_int_equal(reactor_at(1)->conns->budget.level, BUDGET_TIGHT);
}

/* ---- MULTI --------------------------------------------------------------- */

static void a_transaction_may_queue_half_of_the_part(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    ask(client, "MULTI");
    for (int i = 0; i < 10; i++)
        client_put_set(client, "a", 100 * 1000, 'v');
    turn_until_quiet();
    assert_int_equal(heard_bytes(client), 10 * strlen("+QUEUED\r\n"));
    assert_in_range(conns()->backpressure.queued_bytes, 1000 * 1000, 1024 * 1024);
    client_put_set(client, "a", 100 * 1000, 'v');
    turn_until_quiet();
    assert_string_not_equal(heard(client), "+QUEUED");
    assert_reply("-EXECABORT Transaction discarded because of previous errors.", client, "EXEC");
    assert_int_equal(conns()->backpressure.queued_bytes, 0);
    assert_int_equal(client->conn->queued_bytes, 0);
}

static void small_transactions_always_queue(void **state)
{
    (void)state;
    struct client *large = client_open(0), *small = client_open(0);
    ask(large, "MULTI");
    for (int i = 0; i < 10; i++)
        client_put_set(large, "a", 100 * 1000, 'v');
    ask(small, "MULTI");
    client_put_set(small, "a", BUDGET_FREE_BYTES / 2, 'v');
    turn_until_quiet();
    assert_string_equal(heard(small), "+QUEUED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_budget(1, a_large_request_reserves_all_it_will_take),
        with_budget(1, who_does_not_fit_waits_unread),
        with_budget(1, small_requests_do_not_wait),
        with_budget(1, one_that_is_killed_in_line_leaves_it),
        cmocka_unit_test_teardown(one_that_waits_is_not_idle, reactors_finish),
        with_budget(1, one_that_has_arrived_whole_does_not_wait),
        with_budget(1, all_but_the_end_is_not_whole),
        with_budget(1, one_that_could_not_run_is_not_let_in),
        with_budget(1, those_that_are_whole_have_a_limit),
        with_budget(1, room_that_is_not_used_is_taken_back),
        with_budget(1, one_that_moves_has_its_turn),
        with_budget(1, one_that_comes_when_there_is_too_much_is_read_by_portions),
        with_budget(1, one_that_others_wait_for_is_closed_when_it_stops),
        with_budget(1, nobody_is_closed_while_nobody_waits),
        with_budget(1, one_that_moves_is_left_alone),
        with_budget(1, one_that_may_not_be_evicted_is_not),
        cmocka_unit_test(patience_shrinks_with_the_wait),
        with_budget(2, the_more_replies_wait_the_fewer_may),
        with_budget(2, replies_of_all_reactors_count),
        with_budget(1, a_transaction_may_queue_half_of_the_part),
        with_budget(1, small_transactions_always_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
