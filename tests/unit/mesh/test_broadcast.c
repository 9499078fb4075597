/*
 * test_broadcast.c - calls and broadcasts between three reactors whose queues are real.
 *
 * The reactors are turned by hand, one after another, until nothing is under way.
 */
#include "shoal/mesh/broadcast.h"

#include "shoal/mesh/call.h"
#include "shoal/mesh/mesh.h"
#include "shoal/reactor/reactor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REACTORS = 3 };

static struct mesh *mesh;
static struct reactor *reactor;
static uint32_t ran[REACTORS], ended;

static void wake_nobody(void *context, uint32_t to)
{
    (void)context;
    (void)to;
}

static uint32_t turn(struct reactor *here)
{
    uint32_t done = 0;
    struct message *message;
    for (; (message = mesh_next_request(here->port)) != NULL; done++)
        message->run(here, message);
    for (; (message = mesh_next_response(here->port)) != NULL; done++)
        message->done(here, message);
    done += call_finish_own(here);
    mesh_release(here->port);
    return done + mesh_publish(here->port, wake_nobody, NULL);
}

static void turn_until_quiet(void)
{
    uint32_t done;
    do {
        done = 0;
        for (uint32_t i = 0; i < REACTORS; i++)
            done += turn(&reactor[i]);
    } while (done > 0);
}

static int begin(void **state)
{
    (void)state;
    memset(ran, 0, sizeof(ran));
    ended = 0;
    mesh = mesh_new(REACTORS, 4);
    reactor = calloc(REACTORS, sizeof(*reactor));
    for (uint32_t i = 0; i < REACTORS; i++) {
        reactor[i].id = i;
        reactor[i].count = REACTORS;
        reactor[i].port = mesh_port_new(mesh, i);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < REACTORS; i++)
        mesh_port_free(&reactor[i].port);
    mesh_free(&mesh);
    free(reactor);
    return 0;
}

static void note_run(struct reactor *here, struct broadcast *broadcast)
{
    (void)broadcast;
    ran[here->id]++;
}

static void note_done(struct reactor *home, struct broadcast *broadcast)
{
    assert_int_equal(home->id, broadcast->number);
    ended++;
}

static void every_reactor_runs_it_once(void **state)
{
    (void)state;
    struct broadcast *broadcast = broadcast_new(REACTORS, note_run, note_done);
    for (uint32_t home = 0; home < REACTORS; home++) {
        broadcast->number = home;
        broadcast_send(&reactor[home], broadcast);
        assert_int_equal(ended, home); /* not before the others have run it */
        turn_until_quiet();
        assert_int_equal(ended, home + 1);
        for (uint32_t i = 0; i < REACTORS; i++)
            assert_int_equal(ran[i], home + 1);
    }
    free(broadcast);
}

static void it_needs_no_end(void **state)
{
    (void)state;
    struct broadcast *broadcast = broadcast_new(REACTORS, note_run, NULL);
    broadcast_send(&reactor[1], broadcast);
    assert_int_equal(broadcast->outstanding, REACTORS);
    turn_until_quiet();
    assert_int_equal(broadcast->outstanding, 0);
    free(broadcast);
}

/* ---- calls --------------------------------------------------------------- */

static void call_run(struct reactor *here, struct message *message)
{
    ran[here->id]++;
    call_answer(here, message);
}

static void call_done(struct reactor *home, struct message *message)
{
    assert_int_equal(home->id, message->from);
    ended++;
}

static void a_call_to_oneself_ends_later(void **state)
{
    (void)state;
    struct message message = {
        .run = call_run, .done = call_done, .kind = MESSAGE_CALL, .magic = MESSAGE_MAGIC, .to = 2
    };
    call_send(&reactor[2], &message);
    assert_int_equal(ran[2], 1);
    assert_int_equal(ended, 0);
    assert_true(call_own_waits(&reactor[2]));
    assert_int_equal(call_finish_own(&reactor[2]), 1);
    assert_int_equal(ended, 1);
    assert_false(call_own_waits(&reactor[2]));
}

static void a_call_to_another_comes_home(void **state)
{
    (void)state;
    struct message message = {
        .run = call_run, .done = call_done, .kind = MESSAGE_CALL, .magic = MESSAGE_MAGIC, .to = 0
    };
    call_send(&reactor[2], &message);
    assert_int_equal(ran[0], 0);
    turn_until_quiet();
    assert_int_equal(ran[0], 1);
    assert_int_equal(ended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_reactor_runs_it_once, begin, end),
        cmocka_unit_test_setup_teardown(it_needs_no_end, begin, end),
        cmocka_unit_test_setup_teardown(a_call_to_oneself_ends_later, begin, end),
        cmocka_unit_test_setup_teardown(a_call_to_another_comes_home, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
