/*
 * test_engine_waiting.c - what ring.h promises of waiting: it ends in time, by a wake-up, and not for
 * what nobody waits for. On each engine that this system has.
 */
#include "support/ring_probe.h"

#include <errno.h>
#include <pthread.h>

/* ---- waiting ------------------------------------------------------------- */

/* A signal may end a wait, and so may an io_uring of the thread whose end is not over yet. */
static void it_waits_as_long_as_it_is_told(void **state)
{
    (void)state;
    enum { TIMES = 3 };
    int64_t longest = 0;
    for (int i = 0; i < TIMES; i++) {
        int64_t before = mono_ns();
        assert_int_equal(ring_turn(ring, 20 * 1000 * 1000), 0);
        int64_t took = mono_ns() - before;
        longest = took > longest ? took : longest;
    }
    assert_true(longest >= 19 * 1000 * 1000);
    assert_int_equal(ring_turn(ring, 0), 0);
}

/* A millisecond would be long for a turn that only waits for room in a queue. */
static void it_waits_less_than_a_millisecond_if_told(void **state)
{
    (void)state;
    enum { TIMES = 20 };
    int short_ones = 0;
    for (int i = 0; i < TIMES; i++) {
        int64_t before = mono_ns();
        assert_int_equal(ring_turn(ring, 20 * 1000), 0);
        short_ones += mono_ns() - before < 1000 * 1000;
    }
    assert_true(short_ones > TIMES / 4);
}

struct sleeper {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct ring *ring;
    int error;
    uint32_t completions;
};

static void *sleep_in_a_turn(void *argument)
{
    struct sleeper *sleeper = argument;
    int error = 0;
    struct ring *own = make(8, 16, &error);
    pthread_mutex_lock(&sleeper->lock);
    sleeper->ring = own;
    sleeper->error = error;
    pthread_cond_signal(&sleeper->cond);
    pthread_mutex_unlock(&sleeper->lock);
    if (own != NULL)
        sleeper->completions = ring_turn(own, -1);
    return NULL;
}

static void it_is_woken_by_another_ring(void **state)
{
    (void)state;
    struct sleeper sleeper = { .lock = PTHREAD_MUTEX_INITIALIZER,
                               .cond = PTHREAD_COND_INITIALIZER };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sleep_in_a_turn, &sleeper), 0);
    pthread_mutex_lock(&sleeper.lock);
    while (sleeper.ring == NULL && sleeper.error == 0)
        pthread_cond_wait(&sleeper.cond, &sleeper.lock);
    pthread_mutex_unlock(&sleeper.lock);
    assert_int_equal(sleeper.error, 0);
    ring_wake(ring, sleeper.ring);
    ring_turn(ring, 0);
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.completions, 0); /* a wake-up is none */
    ring_free(&sleeper.ring);
}

static void a_wake_up_before_the_sleep_ends_it(void **state)
{
    (void)state;
    struct ring *target = make_another(8, 16);
    for (int i = 0; i < 3; i++) { /* each of them does */
        ring_wake(ring, target);
        ring_turn(ring, 0);
        int64_t before = mono_ns();
        assert_int_equal(ring_turn(target, 60 * 1000000000ll), 0);
        assert_true(mono_ns() - before < 30 * 1000000000ll);
    }
    int64_t before = mono_ns();
    for (int i = 0; i < 5; i++) /* and no more than that */
        ring_turn(target, 20 * 1000 * 1000);
    assert_true(mono_ns() - before >= 50 * 1000 * 1000);
    ring_free(&target);
}

/* Nobody has asked for what has come: no thread may spin for it. */
static void what_nobody_waits_for_wakes_nobody(void **state)
{
    (void)state;
    enum { NEARLY_ALL_NS = 50 * 1000 * 1000 };
    int fd[2];
    struct probe *in = probe_new();
    pair_open(fd);
    assert_true(ring_keep(ring, fd[0]));
    ring_recv(ring, &in->op, fd[0]);
    cancel(in);
    put(fd[1], "unread", 6);
    assert_true(slept_ns() >= NEARLY_ALL_NS);
    shutdown(fd[1], SHUT_RDWR);
    assert_true(slept_ns() >= NEARLY_ALL_NS);
    ring_shutdown(ring, fd[0], SHUT_RDWR);
    assert_true(slept_ns() >= NEARLY_ALL_NS);
    ring_recv(ring, &in->op, fd[0]);
    turn_until(!in->op.in_flight);
    assert_true(in->size == 6 || in->size == 0); /* unread bytes may be gone by shutdown() */
    assert_int_equal(in->result, 0);
    assert_true(slept_ns() >= NEARLY_ALL_NS);
    pair_close(fd);
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_every_engine(it_waits_as_long_as_it_is_told),
        on_every_engine(it_waits_less_than_a_millisecond_if_told),
        on_every_engine(it_is_woken_by_another_ring),
        on_every_engine(a_wake_up_before_the_sleep_ends_it),
        on_every_engine(what_nobody_waits_for_wakes_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
