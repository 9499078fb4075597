/*
 * test_mesh_stress.c - reactors on threads (pthread) that all talk to each other and sleep whenever
 * they may.
 *
 * Rings of two, so that credits and slots run out all the time; an eventfd stands in for the ring's
 * wake-up. A reactor that sleeps for SILENCE_MS has lost a wake-up: then the others have nothing
 * more to say to it either.
 */
#include "shoal/base/must.h"
#include "shoal/mesh/mesh.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    REACTORS_MAX = 4,
    WINDOW = 12,    /* unanswered calls of one reactor */
    URGENT_MAX = 2, /* of them to one peer: the room that response rings keep for these */
    LATER_MAX = 16, /* calls that an owner answers in a later turn */
    SILENCE_MS = 20000,
};

enum trait { ORDINARY, URGENT, TRAITS };

struct call {
    struct message message;
    uint32_t number; /* among those of its trait from its maker to its owner */
    enum trait trait;
    bool busy;
    char *place; /* reply space, or NULL */
    uint32_t size;
};

struct reactor {
    uint32_t id, seed;
    struct stress *stress;
    struct mesh_port *port;
    int event_fd;
    struct call calls[WINDOW];
    struct message *later[LATER_MAX];
    uint32_t later_count;
    uint32_t sent[REACTORS_MAX][TRAITS], arrived[REACTORS_MAX][TRAITS];
    uint32_t urgent_out[REACTORS_MAX], one_way_sent;
    uint32_t to_send, unanswered, one_way_seen;
    uint32_t disorder, damage, sleeps;
    bool finished;
};

struct stress {
    struct mesh *mesh;
    uint32_t count;
    struct reactor reactor[REACTORS_MAX];
    _Atomic uint32_t finished;
    _Atomic uint32_t one_ways; /* under way; nobody goes before all have arrived */
    _Atomic uint32_t silences; /* sleeps that nobody ended */
};

static uint32_t dice(struct reactor *reactor, uint32_t sides)
{
    reactor->seed = reactor->seed * 1664525 + 1013904223;
    return (reactor->seed >> 8) % sides;
}

static void knock(struct reactor *reactor)
{
    uint64_t one = 1;
    must(write(reactor->event_fd, &one, sizeof(one)) == sizeof(one));
}

static void wake(void *context, uint32_t to)
{
    struct stress *stress = context;
    knock(&stress->reactor[to]);
}

static void send_one_way(struct reactor *here, uint32_t to)
{
    struct message *message = malloc(sizeof(*message));
    *message =
        (struct message){ .kind = MESSAGE_ONEWAY, .magic = MESSAGE_MAGIC, .to = (uint16_t)to };
    atomic_fetch_add(&here->stress->one_ways, 1);
    mesh_send(here->port, message);
}

static void send_call(struct reactor *here, struct call *call, uint32_t to)
{
    enum trait trait = here->urgent_out[to] < URGENT_MAX && dice(here, 4) == 0 ? URGENT : ORDINARY;
    *call = (struct call){
        .message = { .kind = MESSAGE_CALL,
                     .magic = MESSAGE_MAGIC,
                     .to = (uint16_t)to,
                     .urgent = trait == URGENT },
        .number = here->sent[to][trait]++,
        .trait = trait,
        .busy = true,
    };
    here->urgent_out[to] += trait == URGENT;
    here->unanswered++;
    here->to_send--;
    mesh_send(here->port, &call->message);
}

static uint32_t calls_send(struct reactor *here)
{
    uint32_t begun = here->unanswered;
    for (int i = 0; i < WINDOW && here->to_send > 0; i++) {
        uint32_t to = (here->id + 1 + dice(here, here->stress->count - 1)) % here->stress->count;
        if (here->calls[i].busy || dice(here, 3) == 0)
            continue;
        send_call(here, &here->calls[i], to);
        if (dice(here, 10) == 0)
            send_one_way(here, to);
    }
    return here->unanswered - begun;
}

static void answer(struct reactor *here, struct message *message)
{
    struct call *call = (struct call *)message;
    call->size = 1 + dice(here, 3000);
    call->place = mesh_reply_space(here->port, message->from, call->size);
    if (call->place != NULL)
        memset(call->place, (int)(call->number + here->id), call->size);
    mesh_respond(here->port, message);
}

static void request_take(struct reactor *here, struct message *message)
{
    if (message->kind == MESSAGE_ONEWAY) {
        free(message);
        atomic_fetch_sub(&here->stress->one_ways, 1);
        return;
    }
    const struct call *call = (const struct call *)message;
    here->disorder += call->number != here->arrived[message->from][call->trait]++;
    if (here->later_count < LATER_MAX && dice(here, 3) == 0)
        here->later[here->later_count++] = message;
    else
        answer(here, message);
}

static void response_take(struct reactor *here, struct message *message)
{
    struct call *call = (struct call *)message;
    for (uint32_t i = 0; call->place != NULL && i < call->size; i++)
        here->damage +=
            (unsigned char)call->place[i] != (unsigned char)(call->number + call->message.to);
    here->urgent_out[message->to] -= call->trait == URGENT;
    here->unanswered--;
    call->busy = false;
}

static uint32_t turn(struct reactor *here)
{
    uint32_t done = 0;
    struct message *message;
    for (; here->later_count > 0 && dice(here, 2) == 0; done++)
        answer(here, here->later[--here->later_count]);
    for (; (message = mesh_next_request(here->port)) != NULL; done++)
        request_take(here, message);
    for (; (message = mesh_next_response(here->port)) != NULL; done++)
        response_take(here, message);
    mesh_release(here->port);
    done += calls_send(here);
    return done + mesh_publish(here->port, wake, here->stress) + here->later_count;
}

/* As the reactor does: a backlog means polling, since a ring is emptied without a word. */
static void sleep_if_idle(struct reactor *here)
{
    struct pollfd poll_fd = { .fd = here->event_fd, .events = POLLIN };
    uint64_t knocks;
    if (mesh_backlogged(here->port)) {
        sched_yield();
        return;
    }
    if (!mesh_may_sleep(here->port))
        return;
    here->sleeps++;
    if (poll(&poll_fd, 1, SILENCE_MS) == 0)
        atomic_fetch_add(&here->stress->silences, 1);
    else
        must(read(here->event_fd, &knocks, sizeof(knocks)) == sizeof(knocks));
    mesh_awake(here->port);
}

static bool all_is_done(struct reactor *here)
{
    struct stress *stress = here->stress;
    if (!here->finished && here->to_send == 0 && here->unanswered == 0) {
        here->finished = true;
        if (atomic_fetch_add(&stress->finished, 1) + 1 == stress->count)
            for (uint32_t i = 0; i < stress->count; i++)
                knock(&stress->reactor[i]);
    }
    return atomic_load(&stress->finished) == stress->count && !mesh_backlogged(here->port) &&
           atomic_load(&stress->one_ways) == 0;
}

static void *run(void *argument)
{
    struct reactor *here = argument;
    while (!all_is_done(here) && atomic_load(&here->stress->silences) == 0) {
        if (turn(here) > 0)
            continue;
        if (atomic_load(&here->stress->finished) == here->stress->count)
            sched_yield(); /* the last one-way messages are on their way */
        else if (here->to_send == 0 || here->unanswered > 0)
            sleep_if_idle(here);
    }
    return NULL;
}

static void run_stress(uint32_t count, uint32_t ring_size, uint32_t calls, uint32_t seed)
{
    static struct stress stress;
    pthread_t thread[REACTORS_MAX];
    memset(&stress, 0, sizeof(stress));
    stress.count = count;
    stress.mesh = mesh_new(count, ring_size);
    for (uint32_t i = 0; i < count; i++)
        stress.reactor[i] = (struct reactor){
            .id = i,
            .seed = seed * 7919 + i,
            .stress = &stress,
            .port = mesh_port_new(stress.mesh, i),
            .event_fd = eventfd(0, EFD_NONBLOCK),
            .to_send = calls,
        };
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &stress.reactor[i]), 0);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    uint32_t sleeps = 0;
    assert_int_equal(atomic_load(&stress.silences), 0);
    for (uint32_t i = 0; i < count; i++) {
        struct reactor *reactor = &stress.reactor[i];
        assert_int_equal(reactor->disorder, 0);
        assert_int_equal(reactor->damage, 0);
        assert_int_equal(reactor->to_send + reactor->unanswered, 0);
        sleeps += reactor->sleeps;
        close(reactor->event_fd);
        mesh_port_free(&reactor->port);
    }
    assert_true(sleeps > 0); /* or nothing was tested */
    mesh_free(&stress.mesh);
}

static uint32_t seed;

#ifdef __SANITIZE_THREAD__
enum { CALLS = 5000 };
#else
enum { CALLS = 40000 };
#endif

static void two_reactors_with_rings_of_two(void **state)
{
    (void)state;
    run_stress(2, 2, CALLS, seed);
}

static void four_reactors_with_rings_of_two(void **state)
{
    (void)state;
    run_stress(4, 2, CALLS, seed + 1);
}

static void three_reactors_with_larger_rings(void **state)
{
    (void)state;
    run_stress(3, 16, CALLS, seed + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_reactors_with_rings_of_two),
        cmocka_unit_test(four_reactors_with_rings_of_two),
        cmocka_unit_test(three_reactors_with_larger_rings),
    };
    const char *given = getenv("SEED");
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL);
    print_message("seed %u\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
