/*
 * test_mesh_push.c - pushes: they go last, are bounded in bytes, and do not pass responses.
 */
#include "support/mesh_ports.h"

static struct push_message pushed(uint32_t to, uint32_t bytes, bool ordered)
{
    return (struct push_message){
        .message = { .kind = MESSAGE_PUSH, .magic = MESSAGE_MAGIC, .to = (uint16_t)to },
        .bytes = bytes,
        .ordered = ordered,
    };
}

static uint32_t taken_home(uint32_t reactor)
{
    uint32_t count = 0;
    while (mesh_next_response(port[reactor]) != NULL)
        count++;
    mesh_release(port[reactor]);
    return count;
}

/* Whatever arrives at B, answered at once: how many pushes were among it. */
static uint32_t pushes_taken(struct message *first_job)
{
    uint32_t count = 0;
    for (struct message *message; (message = mesh_next_request(port[B])) != NULL;) {
        count += message->kind == MESSAGE_PUSH;
        assert_true(message->kind == MESSAGE_PUSH || message == first_job);
        mesh_respond(port[B], message);
    }
    mesh_release(port[B]);
    publish(B);
    return count;
}

static void pushes_go_last_and_leave_half_of_the_credits(void **state)
{
    (void)state;
    start(4);
    struct push_message pushes[5];
    struct job request = job(B, 1);
    for (int i = 0; i < 5; i++) {
        pushes[i] = pushed(B, 10, false);
        mesh_push(port[A], &pushes[i]);
    }
    assert_false(mesh_congested(port[A], B));
    send(A, &request);
    assert_false(mesh_congested(port[A], B)); /* two credits were left for it */
    publish(A);
    assert_int_equal(pushes_taken(&request.message), 2);
    assert_int_equal(taken_home(A), 3);
    publish(A);
    assert_int_equal(pushes_taken(NULL), 2);
    assert_int_equal(taken_home(A), 2);
    publish(A);
    assert_int_equal(pushes_taken(NULL), 1);
    assert_false(mesh_backlogged(port[A]));
    stop();
}

static void a_request_that_waits_goes_before_pushes_that_wait(void **state)
{
    (void)state;
    start(2);
    struct push_message pushes[] = { pushed(B, 1, false), pushed(B, 1, false) };
    struct job jobs[] = { job(B, 1), job(B, 2) };
    mesh_push(port[A], &pushes[0]);
    mesh_push(port[A], &pushes[1]);
    send(A, &jobs[0]);
    send(A, &jobs[1]);
    publish(A);
    struct message *message = mesh_next_request(port[B]);
    assert_ptr_equal(message, &pushes[0]);
    mesh_respond(port[B], message);
    assert_ptr_equal(mesh_next_request(port[B]), &jobs[0]);
    mesh_release(port[B]);
    publish(B);
    taken_home(A);
    publish(A);
    assert_ptr_equal(mesh_next_request(port[B]), &jobs[1]);
    assert_null(mesh_next_request(port[B]));
    assert_true(mesh_backlogged(port[A]));
    stop();
}

static void bytes_of_pushes_are_counted_until_they_are_back(void **state)
{
    (void)state;
    start(4);
    struct push_message all = pushed(B, MESH_PUSH_BYTES, false), one = pushed(B, 1, false);
    mesh_push(port[A], &all);
    assert_false(mesh_push_congested(port[A], B));
    mesh_push(port[A], &one);
    assert_true(mesh_push_congested(port[A], B));
    assert_false(mesh_push_congested(port[A], C));
    publish(A);
    assert_int_equal(pushes_taken(NULL), 2);
    assert_true(mesh_push_congested(port[A], B));
    assert_int_equal(taken_home(A), 2);
    assert_false(mesh_push_congested(port[A], B));
    stop();
}

/* B answers two requests of A and then pushes: the push must not run before both were taken. */
static void an_ordered_push_waits_for_the_responses_before_it(void **state)
{
    (void)state;
    start(4);
    struct job jobs[] = { job(B, 1), job(B, 2), job(B, 3) };
    struct push_message push = pushed(A, 1, true), behind = pushed(A, 1, false);
    send(A, &jobs[0]);
    send(A, &jobs[1]);
    send(A, &jobs[2]);
    publish(A);
    for (int i = 0; i < 2; i++)
        mesh_respond(port[B], mesh_next_request(port[B]));
    mesh_push(port[B], &push);
    mesh_push(port[B], &behind);
    mesh_respond(port[B], mesh_next_request(port[B]));
    mesh_release(port[B]);
    publish(B);
    assert_ptr_equal(mesh_next_request(port[A]), &push);
    assert_false(mesh_push_arrived(port[A], &push.message));
    assert_ptr_equal(mesh_next_request(port[A]), &behind);
    assert_false(mesh_push_arrived(port[A], &behind.message)); /* they keep their order */
    assert_null(mesh_next_push(port[A]));
    assert_non_null(mesh_next_response(port[A]));
    assert_null(mesh_next_push(port[A]));
    assert_non_null(mesh_next_response(port[A]));
    assert_ptr_equal(mesh_next_push(port[A]), &push);
    assert_ptr_equal(mesh_next_push(port[A]), &behind);
    assert_null(mesh_next_push(port[A]));
    mesh_respond(port[A], &push.message);
    mesh_respond(port[A], &behind.message);
    mesh_release(port[A]);
    publish(A);
    assert_int_equal(taken_home(B), 2);
    stop();
}

/* There was no memory for the ring of responses: they are on their way all the same. */
static void an_ordered_push_waits_for_responses_without_a_ring(void **state)
{
    (void)state;
    start(4);
    struct job request = job(B, 1);
    struct push_message push = pushed(A, 1, true);
    send(A, &request);
    publish(A);
    memory_is_out = true;
    mesh_respond(port[B], mesh_next_request(port[B]));
    memory_is_out = false;
    mesh_push(port[B], &push);
    assert_int_equal(push.after, 1);
    mesh_release(port[B]);
    publish(B);
    assert_ptr_equal(mesh_next_request(port[A]), &push);
    assert_false(mesh_push_arrived(port[A], &push.message));
    assert_ptr_equal(mesh_next_response(port[A]), &request);
    assert_ptr_equal(mesh_next_push(port[A]), &push);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_go_last_and_leave_half_of_the_credits),
        cmocka_unit_test(a_request_that_waits_goes_before_pushes_that_wait),
        cmocka_unit_test(bytes_of_pushes_are_counted_until_they_are_back),
        cmocka_unit_test(an_ordered_push_waits_for_the_responses_before_it),
        cmocka_unit_test(an_ordered_push_waits_for_responses_without_a_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
