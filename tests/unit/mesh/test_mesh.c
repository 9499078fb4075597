/*
 * test_mesh.c - the queues between reactors: order, credits, overtaking, reply space, wake-ups.
 *
 * The first tests run both ends on one thread, turn by turn. test_mesh_stress.c does it with
 * threads.
 */
#include "shoal/mesh/mesh.h"

#include "support/mesh_ports.h"

static void requests_and_responses_keep_their_order(void **state)
{
    (void)state;
    start(4);
    struct job jobs[] = { job(B, 1), job(B, 2), job(C, 3), job(B, 4) };
    for (int i = 0; i < 4; i++)
        send(A, &jobs[i]);
    assert_string_equal(take(B, true), ""); /* not published yet */
    assert_true(publish(A));
    assert_false(publish(A));
    assert_string_equal(take(B, true), "1 2 4");
    assert_string_equal(take(C, true), "3");
    assert_string_equal(take_responses(A), "1 2 4 3");
    assert_int_equal(jobs[0].message.from, A);
    stop();
}

static void a_request_takes_a_credit_that_its_response_gives_back(void **state)
{
    (void)state;
    start(2);
    for (uint32_t round = 0; round < 20; round++) {
        struct job jobs[] = { job(B, 1), job(B, 2), job(B, 3) };
        send(A, &jobs[0]);
        send(A, &jobs[1]);
        assert_false(mesh_congested(port[A], B));
        publish(A);
        assert_string_equal(take(B, false), "1 2");
        /* The ring is empty again, but both are unanswered. */
        send(A, &jobs[2]);
        assert_true(mesh_congested(port[A], B));
        assert_true(mesh_backlogged(port[A]));
        assert_false(mesh_congested(port[A], C));
        assert_false(publish(A));
        assert_string_equal(take(B, false), "");
        mesh_respond(port[B], &jobs[1].message); /* in any order */
        publish(B);
        assert_string_equal(take_responses(A), "2");
        assert_true(publish(A));
        assert_false(mesh_backlogged(port[A]));
        assert_string_equal(take(B, true), "3");
        mesh_respond(port[B], &jobs[0].message);
        publish(B);
        assert_string_equal(take_responses(A), "3 1");
    }
    stop();
}

static void a_backlog_keeps_its_order(void **state)
{
    (void)state;
    start(2);
    struct job jobs[9];
    for (uint32_t i = 0; i < 9; i++) {
        jobs[i] = job(B, i);
        send(A, &jobs[i]);
    }
    const char *wanted[] = { "0 1", "2 3", "4 5", "6 7", "8" };
    for (int i = 0; i < 5; i++) {
        publish(A);
        assert_string_equal(take(B, true), wanted[i]);
        assert_string_equal(take_responses(A), wanted[i]);
    }
    assert_false(mesh_backlogged(port[A]));
    stop();
}

static void urgent_messages_overtake_and_take_no_credit(void **state)
{
    (void)state;
    start(2);
    struct job jobs[] = { job(B, 0), job(B, 1), job(B, 2), job(B, 3), job(B, 4) };
    jobs[3].message.urgent = jobs[4].message.urgent = true;
    for (int i = 0; i < 5; i++)
        send(A, &jobs[i]);
    publish(A);
    assert_string_equal(take(B, false), "0 1"); /* its credits are used up: */
    publish(A);
    assert_string_equal(take(B, false), "3 4");
    publish(A);
    assert_string_equal(take(B, false), "");
    for (int i = 0; i < 5; i++)
        if (i != 2)
            mesh_respond(port[B], &jobs[i].message); /* the response ring has room for all four */
    publish(B);
    assert_string_equal(take_responses(A), "0 1 3 4");
    publish(A);
    assert_string_equal(take(B, true), "2");
    /* Two credits, not four, came back. */
    struct job more[] = { job(B, 5), job(B, 6), job(B, 7) };
    assert_string_equal(take_responses(A), "2");
    for (int i = 0; i < 3; i++)
        send(A, &more[i]);
    assert_true(mesh_congested(port[A], B));
    publish(A);
    assert_string_equal(take(B, false), "5 6");
    stop();
}

static void one_way_messages_need_no_credit_and_give_none(void **state)
{
    (void)state;
    start(2);
    struct job jobs[] = { job(B, 0), job(B, 1), job(B, 2), job(B, 3) };
    jobs[2].message.kind = jobs[3].message.kind = MESSAGE_ONEWAY;
    send(A, &jobs[0]);
    send(A, &jobs[1]);
    publish(A);
    assert_string_equal(take(B, false), "0 1");
    send(A, &jobs[2]);
    send(A, &jobs[3]);
    assert_false(mesh_congested(port[A], B));
    publish(A);
    assert_string_equal(take(B, false), "2 3");
    stop();
}

static void the_sequencer_forwards_for_others(void **state)
{
    (void)state;
    start(2);
    /* B's credits towards C are used up; it forwards for A all the same, and C answers A. */
    struct job own[] = { job(C, 0), job(C, 1) }, forwarded[] = { job(C, 2), job(C, 3) };
    send(B, &own[0]);
    send(B, &own[1]);
    publish(B);
    assert_string_equal(take(C, false), "0 1");
    for (int i = 0; i < 2; i++) {
        forwarded[i].message.from = A;
        forwarded[i].message.urgent = true;
        mesh_forward(port[B], &forwarded[i].message);
    }
    publish(B);
    assert_string_equal(take(C, true), "2 3");
    assert_string_equal(take_responses(B), "");
    assert_string_equal(take_responses(A), "2 3");
    /* A has gained no credit by it. */
    struct job more[] = { job(C, 4), job(C, 5), job(C, 6) };
    for (int i = 0; i < 3; i++)
        send(A, &more[i]);
    assert_true(mesh_congested(port[A], C));
    stop();
}

static void sources_take_turns_and_a_turn_has_an_end(void **state)
{
    (void)state;
    enum { EACH = MESH_DRAIN_TURN };
    start(EACH);
    static struct job jobs[2][EACH];
    for (uint32_t i = 0; i < EACH; i++) {
        jobs[0][i] = job(C, i);
        jobs[1][i] = job(C, i);
        send(A, &jobs[0][i]);
        send(B, &jobs[1][i]);
    }
    publish(A);
    publish(B);
    uint32_t first[2];
    for (int turn = 0; turn < 2; turn++) {
        uint32_t taken = 0, in_a_row = 0, last = REACTORS;
        struct message *message;
        while ((message = mesh_next_request(port[C])) != NULL) {
            if (taken++ == 0)
                first[turn] = message->from;
            in_a_row = message->from == last ? in_a_row + 1 : 1;
            last = message->from;
            assert_in_range(in_a_row, 1, MESH_DRAIN_SOURCE);
        }
        assert_int_equal(taken, MESH_DRAIN_TURN);
        mesh_release(port[C]);
    }
    assert_int_not_equal(first[0], first[1]);
    assert_null(mesh_next_request(port[C]));
    stop();
}

/* Or one pair's bound would end the turn of a reactor that has just one busy peer. */
static void one_source_alone_has_all_of_the_turn(void **state)
{
    (void)state;
    enum { COUNT = 3 * MESH_DRAIN_SOURCE };
    start(128);
    static struct job jobs[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = job(C, i);
        send(A, &jobs[i]);
    }
    publish(A);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_ptr_equal(mesh_next_request(port[C]), &jobs[i].message);
    assert_null(mesh_next_request(port[C]));
    stop();
}

static void many_reactors_have_smaller_rings(void **state)
{
    (void)state;
    assert_int_equal(mesh_ring_size(1), MESH_RING);
    assert_int_equal(mesh_ring_size(8), MESH_RING);
    assert_int_equal(mesh_ring_size(16), MESH_RING / 2);
    assert_int_equal(mesh_ring_size(MESH_REACTORS_MAX), MESH_RING_MIN);
}

/* ---- reply space --------------------------------------------------------- */

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

struct spoken {
    struct job job;
    char *place;
    uint32_t size;
    unsigned char fill;
};

/* Requests of A to B with replies of all sizes, several unanswered or unreleased at a time. */
static void replies_stay_until_their_response_was_taken(void **state)
{
    (void)state;
    enum { RING = 8, JOBS = 20000 };
    seed = (uint32_t)time(NULL);
    print_message("seed %u\n", seed);
    start(RING);
    static struct spoken spoken[RING];
    uint32_t sent = 0, taken = 0, refused = 0;
    while (taken < JOBS) {
        while (sent - taken < RING && sent < JOBS && dice(4) != 0) {
            spoken[sent % RING].job = job(B, sent);
            send(A, &spoken[sent % RING].job);
            sent++;
        }
        publish(A);
        struct message *message;
        while ((message = mesh_next_request(port[B])) != NULL) {
            struct spoken *it = (struct spoken *)message;
            it->size = 1 + dice(dice(3) == 0 ? MESH_REPLY_BYTES / 3 : 5000);
            it->fill = (unsigned char)it->job.number;
            it->place = mesh_reply_space(port[B], A, it->size);
            refused += it->place == NULL;
            if (it->place != NULL)
                memset(it->place, it->fill, it->size);
            mesh_respond(port[B], message);
        }
        mesh_release(port[B]);
        publish(B);
        if (dice(3) == 0)
            continue;
        while ((message = mesh_next_response(port[A])) != NULL) {
            struct spoken *it = (struct spoken *)message;
            assert_int_equal(it->job.number, taken);
            for (uint32_t i = 0; it->place != NULL && i < it->size; i++)
                if ((unsigned char)it->place[i] != it->fill)
                    fail_msg("reply %u, byte %u of %u is another's", taken, i, it->size);
            taken++;
        }
        mesh_release(port[A]);
    }
    assert_true(refused > 0 && refused < JOBS / 2); /* both have been seen */
    stop();
}

static void reply_space_is_bounded(void **state)
{
    (void)state;
    start(4);
    struct job jobs[] = { job(B, 0), job(B, 1), job(B, 2) };
    for (int i = 0; i < 3; i++)
        send(A, &jobs[i]);
    publish(A);
    while (mesh_next_request(port[B]) != NULL)
        continue;
    assert_null(mesh_reply_space(port[B], A, MESH_REPLY_BYTES / 2 + 1));
    assert_non_null(mesh_reply_space(port[B], A, MESH_REPLY_BYTES / 2));
    mesh_respond(port[B], &jobs[0].message);
    assert_non_null(mesh_reply_space(port[B], A, MESH_REPLY_BYTES / 2));
    mesh_respond(port[B], &jobs[1].message);
    assert_null(mesh_reply_space(port[B], A, 1));
    publish(B);
    assert_string_equal(take_responses(A), "0 1");
    assert_non_null(mesh_reply_space(port[B], A, MESH_REPLY_BYTES / 2));
    stop();
}

/* ---- sleep --------------------------------------------------------------- */

static void a_sleeper_is_woken_once(void **state)
{
    (void)state;
    start(4);
    struct job jobs[] = { job(B, 0), job(B, 1), job(B, 2) };
    assert_true(mesh_may_sleep(port[B]));
    send(A, &jobs[0]);
    assert_int_equal(woken[B], 0);
    publish(A);
    assert_int_equal(woken[B], 1);
    send(C, &jobs[1]);
    publish(C);
    assert_int_equal(woken[B], 1); /* the first has claimed it */
    mesh_awake(port[B]);
    assert_string_equal(take(B, true), "0 1");
    assert_string_equal(take_responses(B), "");
    assert_true(mesh_may_sleep(port[B]));
    mesh_awake(port[B]);
    send(A, &jobs[2]);
    publish(A);
    assert_int_equal(woken[B], 1); /* it was awake */
    stop();
}

static void nobody_sleeps_on_a_message(void **state)
{
    (void)state;
    start(4);
    struct job it = job(B, 0);
    send(A, &it);
    assert_true(mesh_may_sleep(port[B])); /* not published */
    mesh_awake(port[B]);
    publish(A);
    assert_false(mesh_may_sleep(port[B]));
    assert_string_equal(take(B, true), "0");
    assert_false(mesh_may_sleep(port[A])); /* nor on a response */
    assert_int_equal(woken[A] + woken[B], 0);
    assert_string_equal(take(A, true), "");
    assert_string_equal(take_responses(A), "0");
    assert_true(mesh_may_sleep(port[A]));
    stop();
}

/* What the turn's bound has left in a queue is announced no more. */
static void nobody_sleeps_on_what_a_turn_has_left(void **state)
{
    (void)state;
    enum { COUNT = MESH_DRAIN_TURN + 3 };
    static struct job jobs[COUNT];
    start(1024);
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = job(B, i);
        send(A, &jobs[i]);
    }
    publish(A);
    take(B, true);
    take_responses(B);
    assert_false(mesh_may_sleep(port[B]));
    assert_non_null(strstr(take(B, true), " 514"));
    take_responses(B);
    assert_true(mesh_may_sleep(port[B]));
    stop();
}

/* ---- the work of a turn -------------------------------------------------- */

static uint64_t looks_at_each(uint32_t reactors)
{
    struct mesh *wide = mesh_new(reactors, 8);
    struct mesh_port *ports[MESH_REACTORS_MAX];
    struct job jobs[] = { job(3, 0), job(3, 1) };
    uint64_t looks;
    for (uint32_t i = 0; i < reactors; i++)
        ports[i] = mesh_port_new(wide, i);
    mesh_send(ports[1], &jobs[0].message);
    mesh_send(ports[reactors - 1], &jobs[1].message);
    mesh_publish(ports[1], count_wake, NULL);
    mesh_publish(ports[reactors - 1], count_wake, NULL);
    assert_ptr_equal(mesh_next_request(ports[3]), &jobs[0].message);
    assert_ptr_equal(mesh_next_request(ports[3]), &jobs[1].message);
    assert_null(mesh_next_request(ports[3]));
    assert_null(mesh_next_response(ports[3]));
    mesh_release(ports[3]);
    looks = mesh_looks(ports[3]);
    for (uint32_t i = 0; i < reactors; i++)
        mesh_port_free(&ports[i]);
    mesh_free(&wide);
    return looks;
}

static void a_turn_looks_at_lanes_with_something_in_them(void **state)
{
    (void)state;
    assert_int_equal(looks_at_each(5), 2);
    assert_int_equal(looks_at_each(64), 2);
    assert_int_equal(looks_at_each(65), 2);
    assert_int_equal(looks_at_each(MESH_REACTORS_MAX), 2);
}

static void without_memory_for_a_ring_it_waits(void **state)
{
    (void)state;
    start(4);
    struct job first = job(B, 1), second = job(B, 2);
    memory_is_out = true;
    send(A, &first);
    publish(A);
    assert_true(mesh_wants_room(port[A]));
    memory_is_out = false;
    assert_true(publish(A));
    memory_is_out = true;
    assert_string_equal(take(B, true), "1");
    assert_true(mesh_wants_room(port[B])); /* to answer */
    send(A, &second);
    publish(A);
    assert_string_equal(take(B, true), "2");
    assert_string_equal(take_responses(A), "");
    memory_is_out = false;
    assert_true(publish(B));
    assert_false(mesh_backlogged(port[B]));
    assert_string_equal(take_responses(A), "1 2");
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_responses_keep_their_order),
        cmocka_unit_test(without_memory_for_a_ring_it_waits),
        cmocka_unit_test(a_request_takes_a_credit_that_its_response_gives_back),
        cmocka_unit_test(a_backlog_keeps_its_order),
        cmocka_unit_test(urgent_messages_overtake_and_take_no_credit),
        cmocka_unit_test(one_way_messages_need_no_credit_and_give_none),
        cmocka_unit_test(the_sequencer_forwards_for_others),
        cmocka_unit_test(sources_take_turns_and_a_turn_has_an_end),
        cmocka_unit_test(one_source_alone_has_all_of_the_turn),
        cmocka_unit_test(many_reactors_have_smaller_rings),
        cmocka_unit_test(replies_stay_until_their_response_was_taken),
        cmocka_unit_test(reply_space_is_bounded),
        cmocka_unit_test(a_sleeper_is_woken_once),
        cmocka_unit_test(nobody_sleeps_on_a_message),
        cmocka_unit_test(nobody_sleeps_on_what_a_turn_has_left),
        cmocka_unit_test(a_turn_looks_at_lanes_with_something_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
