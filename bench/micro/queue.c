/*
 * queue.c - nanoseconds per message of the queue between two threads: one way in batches of several
 * sizes, there and back, and there and back with a consumer that sleeps (futex in place of a ring's
 * wait).
 */
#include "shoal/base/spsc.h"
#include "shoal/mesh/sleep.h"
#include "timing.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING = 256, MESSAGES = 4000000, HOPS = 200000, SLEEPY_HOPS = 20000 };

static struct spsc *there, *back;
static struct sleeper sleeper;
static _Atomic uint32_t wake_count; /* the futex word */

static void *consume(void *unused)
{
    (void)unused;
    for (uint32_t seen = 0; seen < MESSAGES;) {
        uint32_t ready = spsc_ready(there);
        for (uint32_t i = 0; i < ready; i++)
            spsc_pop(there);
        seen += ready;
        spsc_release(there);
    }
    return NULL;
}

static double one_way_ns(uint32_t batch)
{
    pthread_t thread;
    static int message;
    there = spsc_new(RING);
    pthread_create(&thread, NULL, consume, NULL);
    double start = now_ns();
    for (uint32_t sent = 0; sent < MESSAGES;) {
        for (uint32_t i = 0; i < batch && sent < MESSAGES && spsc_push(there, &message); i++)
            sent++;
        spsc_publish(there);
    }
    pthread_join(thread, NULL);
    double ns = (now_ns() - start) / MESSAGES;
    spsc_free(&there);
    return ns;
}

static void *echo(void *hops)
{
    for (int i = 0; i < *(int *)hops; i++) {
        void *message;
        while ((message = spsc_pop(there)) == NULL)
            continue;
        spsc_release(there);
        spsc_push(back, message);
        spsc_publish(back);
    }
    return NULL;
}

static void *echo_sleeping(void *hops)
{
    for (int i = 0; i < *(int *)hops; i++) {
        void *message;
        while ((message = spsc_pop(there)) == NULL) {
            uint32_t count = atomic_load(&wake_count);
            sleep_begin(&sleeper);
            if (spsc_ready(there) == 0)
                syscall(SYS_futex, &wake_count, FUTEX_WAIT_PRIVATE, count, NULL, NULL, 0);
            sleep_end(&sleeper);
        }
        spsc_release(there);
        spsc_push(back, message);
        spsc_publish(back);
    }
    return NULL;
}

static double round_trip_ns(int hops, void *(*peer)(void *), bool wakes)
{
    pthread_t thread;
    static int message;
    there = spsc_new(RING);
    back = spsc_new(RING);
    pthread_create(&thread, NULL, peer, &hops);
    double start = now_ns();
    for (int i = 0; i < hops; i++) {
        spsc_push(there, &message);
        spsc_publish(there);
        if (wakes) {
            sleep_fence();
            if (sleep_wake_claim(&sleeper)) {
                atomic_fetch_add(&wake_count, 1);
                syscall(SYS_futex, &wake_count, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
            }
        }
        while (spsc_pop(back) == NULL)
            continue;
        spsc_release(back);
    }
    pthread_join(thread, NULL);
    double ns = (now_ns() - start) / hops;
    spsc_free(&there);
    spsc_free(&back);
    return ns;
}

int main(void)
{
    printf("one way, ns a message\n");
    for (uint32_t batch = 1; batch <= 64; batch *= 4)
        printf("  published every %2u   %8.1f\n", batch, one_way_ns(batch));
    printf("there and back, ns\n");
    printf("  both poll            %8.1f\n", round_trip_ns(HOPS, echo, false));
    printf("  the peer sleeps      %8.1f\n", round_trip_ns(SLEEPY_HOPS, echo_sleeping, true));
    return 0;
}
