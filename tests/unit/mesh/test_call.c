/*
 * test_call.c - calls between reactors: run there, ended here, never on top of the one that answers.
 */
#include "shoal/mesh/call.h"

#include "support/mesh_turns.h"

static struct message *kept; /* run, and not answered yet */
static char order[16];       /* of the calls that have ended, by their letter */

struct named {
    struct message message; /* first */
    char letter;
};

static void answer_at_once(struct reactor *here, struct message *message)
{
    ran[here->id]++;
    call_answer(here, message);
    assert_int_equal(ended, 0); /* its end comes later */
}

static void answer_later(struct reactor *here, struct message *message)
{
    ran[here->id]++;
    kept = message;
}

static void note_done(struct reactor *home, struct message *message)
{
    assert_int_equal(home->id, message->from);
    ended++;
}

static void note_letter(struct reactor *home, struct message *message)
{
    (void)home;
    order[ended++] = ((struct named *)message)->letter;
}

static struct message call_to(uint16_t to, message_fn run)
{
    return (struct message){
        .run = run, .done = note_done, .kind = MESSAGE_CALL, .magic = MESSAGE_MAGIC, .to = to
    };
}

static void a_call_to_oneself_ends_later(void **state)
{
    (void)state;
    struct message message = call_to(2, answer_at_once);
    call_send(&reactor[2], &message);
    assert_int_equal(ran[2], 1);
    assert_int_equal(ended, 0);
    assert_true(call_own_waits(&reactor[2]));
    assert_int_equal(call_finish_own(&reactor[2]), 1);
    assert_int_equal(ended, 1);
    assert_false(call_own_waits(&reactor[2]));
    assert_int_equal(call_finish_own(&reactor[2]), 0);
}

static void a_call_to_another_comes_home(void **state)
{
    (void)state;
    struct message message = call_to(0, answer_at_once);
    call_send(&reactor[2], &message);
    assert_int_equal(ran[0], 0);
    turn_until_quiet();
    assert_int_equal(ran[0], 1);
    assert_int_equal(ended, 1);
    assert_false(call_own_waits(&reactor[2]));
}

static void an_answer_may_come_much_later(void **state)
{
    (void)state;
    for (uint16_t to = 0; to < 2; to++) { /* another, then ourselves */
        struct message message = call_to(to, answer_later);
        ended = 0;
        call_send(&reactor[1], &message);
        turn_until_quiet();
        assert_int_equal(ran[to], 1);
        assert_int_equal(ended, 0);
        call_answer(&reactor[to], kept);
        turn_until_quiet();
        assert_int_equal(ended, 1);
    }
}

static void calls_end_in_the_order_they_were_answered_in(void **state)
{
    (void)state;
    for (uint16_t to = 0; to < 2; to++) {
        struct named call[3];
        ended = 0;
        memset(order, 0, sizeof(order));
        for (uint32_t i = 0; i < 3; i++) {
            call[i] = (struct named){ call_to(to, answer_later), (char)('a' + i) };
            call[i].message.done = note_letter;
            call_send(&reactor[1], &call[i].message);
        }
        turn_until_quiet();
        call_answer(&reactor[to], &call[2].message);
        call_answer(&reactor[to], &call[0].message);
        call_answer(&reactor[to], &call[1].message);
        turn_until_quiet();
        assert_string_equal(order, "cab");
    }
}

/* A call's end may make the next call. */
static struct message second;

static void call_again(struct reactor *home, struct message *message)
{
    (void)message;
    second = call_to((uint16_t)home->id, answer_later);
    call_send(home, &second);
    call_answer(home, &second);
}

static void a_call_made_at_the_end_of_another_ends_too(void **state)
{
    (void)state;
    struct message message = call_to(0, answer_at_once);
    message.done = call_again;
    call_send(&reactor[0], &message);
    assert_int_equal(call_finish_own(&reactor[0]), 2);
    assert_int_equal(ended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_to_oneself_ends_later, begin, end),
        cmocka_unit_test_setup_teardown(a_call_to_another_comes_home, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_may_come_much_later, begin, end),
        cmocka_unit_test_setup_teardown(calls_end_in_the_order_they_were_answered_in, begin, end),
        cmocka_unit_test_setup_teardown(a_call_made_at_the_end_of_another_ends_too, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
