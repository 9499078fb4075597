/*
 * test_sleep.c - arrivals, sleep and wake-up in their tightest loop: two threads (pthread) and one
 * message at a time.
 *
 * Sleeping is spinning on a count of knocks, so that the race is run some hundred thousand times a
 * second. Built without the consumer's fence this loses a wake-up in most runs on x86; the models
 * in tests/models/ find every case.
 */
#include "shoal/base/clock.h"
#include "shoal/base/spsc.h"
#include "shoal/mesh/sleep.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SPINS_BEFORE_YIELD = 2000, FROM = 77 };
static const uint64_t SILENCE_NS = 20ull * 1000 * 1000 * 1000;
static const uint64_t PLAY_NS = 5ull * 1000 * 1000 * 1000; /* no longer, where CPUs are busy */

#ifdef __SANITIZE_THREAD__
enum { ROUNDS = 20000 };
#else
enum { ROUNDS = 300000 };
#endif

/* Two ends that throw one message to and fro: each is the other's producer. */
struct end {
    struct spsc *in, *out;
    struct sleeper *own, *peers;
    _Atomic uint32_t *own_knocks, *peers_knocks;
    struct lane_set ready;
    uint32_t delay, sleeps, rounds;
    _Atomic bool *lost, *over; /* over: the next throw is the last */
};

static bool wait_for_knock(struct end *end, uint32_t seen)
{
    uint64_t begun = clock_mono_ns();
    for (uint32_t spins = 0; atomic_load(end->own_knocks) == seen; spins++) {
        if (spins < SPINS_BEFORE_YIELD)
            continue;
        spins = 0;
        sched_yield();
        if (atomic_load(end->lost) || clock_mono_ns() - begun > SILENCE_NS)
            return false;
    }
    return true;
}

/* As a reactor does, it looks at the queue only when the arrivals say so, and until it is empty. */
static void *take(struct end *end)
{
    if (lane_set_empty(&end->ready))
        arrivals_take(&end->own->arrivals, ARRIVAL_RESPONSES, &end->ready);
    if (lane_set_empty(&end->ready))
        return NULL;
    void *message = spsc_pop(end->in);
    if (message == NULL)
        lane_set_remove(&end->ready, FROM);
    return message;
}

static void *receive(struct end *end)
{
    void *message;
    while ((message = take(end)) == NULL) {
        uint32_t seen = atomic_load(end->own_knocks);
        sleep_begin(end->own);
        if (lane_set_empty(&end->ready) && !arrivals_any(&end->own->arrivals)) {
            end->sleeps++;
            if (!wait_for_knock(end, seen))
                atomic_store(end->lost, true);
        }
        sleep_end(end->own);
        if (atomic_load(end->lost))
            return NULL;
    }
    spsc_release(end->in);
    return message;
}

static void send(struct end *end, void *message)
{
    spsc_push(end->out, message);
    spsc_publish(end->out);
    arrivals_note(&end->peers->arrivals, ARRIVAL_RESPONSES, FROM);
    sleep_fence();
    if (sleep_wake_claim(end->peers))
        atomic_fetch_add(end->peers_knocks, 1);
}

/* A little later each time, so that the two meet at every step. */
static void dawdle(struct end *end, uint32_t round)
{
    for (volatile uint32_t i = 0; i < (round * end->delay) % 61; i++)
        continue;
}

/* Looks at the clock now and then only, since every delay makes the race a rarer one. */
static bool is_last(const struct end *end, uint64_t begun)
{
    return end->rounds == ROUNDS || (end->rounds % 64 == 0 && clock_mono_ns() - begun > PLAY_NS);
}

static void *throw_and_catch(void *argument)
{
    struct end *end = argument;
    uint64_t begun = clock_mono_ns();
    bool over = false;
    while (!over) {
        dawdle(end, end->rounds++);
        over = is_last(end, begun);
        if (over)
            atomic_store(end->over, true);
        send(end, end);
        if (receive(end) == NULL)
            break;
    }
    return NULL;
}

static void *catch_and_throw(void *argument)
{
    struct end *end = argument;
    bool over = false;
    while (!over && receive(end) != NULL) {
        over = atomic_load_explicit(end->over, memory_order_relaxed); /* published with the throw */
        dawdle(end, end->rounds++);
        send(end, end);
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    struct sleeper sleeper[2] = { 0 };
    _Atomic uint32_t knocks[2] = { 0 };
    _Atomic bool lost = false, over = false;
    struct spsc *queue[2] = { spsc_new(2), spsc_new(2) };
    struct end end[2];
    pthread_t thread;
    for (int i = 0; i < 2; i++)
        end[i] = (struct end){
            .in = queue[i],
            .out = queue[1 - i],
            .own = &sleeper[i],
            .peers = &sleeper[1 - i],
            .own_knocks = &knocks[i],
            .peers_knocks = &knocks[1 - i],
            .delay = i == 0 ? 7 : 13,
            .lost = &lost,
            .over = &over,
        };
    assert_int_equal(pthread_create(&thread, NULL, catch_and_throw, &end[1]), 0);
    throw_and_catch(&end[0]);
    pthread_join(thread, NULL);
    print_message("%u rounds, %u and %u sleeps\n", end[0].rounds, end[0].sleeps, end[1].sleeps);
    assert_false(atomic_load(&lost));
    assert_int_equal(end[0].rounds, end[1].rounds);
    assert_true(end[0].sleeps > 0 && end[1].sleeps > 0);
    spsc_free(&queue[0]);
    spsc_free(&queue[1]);
}

static void one_claims(void **state)
{
    (void)state;
    struct sleeper sleeper = { 0 };
    assert_false(sleep_wake_claim(&sleeper));
    sleep_begin(&sleeper);
    sleep_fence();
    assert_true(sleep_wake_claim(&sleeper));
    assert_false(sleep_wake_claim(&sleeper));
    sleep_begin(&sleeper);
    sleep_end(&sleeper);
    assert_false(sleep_wake_claim(&sleeper));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_claims),
        cmocka_unit_test(no_wake_up_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
