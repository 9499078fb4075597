/*
 * test_spsc.c - the queue between two threads: bounds, batches, and order under stress.
 */
#include "shoal/base/spsc.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STRESS = 300000 };

static void *number(uintptr_t i)
{
    return (void *)i;
}

static void it_holds_its_capacity(void **state)
{
    (void)state;
    struct spsc *queue = spsc_new(4);
    for (uintptr_t i = 1; i <= 4; i++)
        assert_true(spsc_push(queue, number(i)));
    assert_false(spsc_push(queue, number(5)));
    assert_int_equal(spsc_pushed(queue), 4);
    spsc_free(&queue);
    assert_null(queue);
}

static void what_is_pushed_shows_when_published(void **state)
{
    (void)state;
    struct spsc *queue = spsc_new(4);
    assert_false(spsc_publish(queue));
    spsc_push(queue, number(1));
    spsc_push(queue, number(2));
    assert_int_equal(spsc_ready(queue), 0);
    assert_null(spsc_pop(queue));
    assert_true(spsc_publish(queue));
    assert_false(spsc_publish(queue));
    assert_int_equal(spsc_ready(queue), 2);
    assert_ptr_equal(spsc_peek(queue, 1), number(2));
    assert_ptr_equal(spsc_pop(queue), number(1));
    assert_ptr_equal(spsc_pop(queue), number(2));
    assert_null(spsc_pop(queue));
    spsc_free(&queue);
}

static void slots_come_back_when_released(void **state)
{
    (void)state;
    struct spsc *queue = spsc_new(2);
    spsc_push(queue, number(1));
    spsc_push(queue, number(2));
    spsc_publish(queue);
    assert_ptr_equal(spsc_pop(queue), number(1));
    assert_false(spsc_push(queue, number(3)));
    assert_int_equal(spsc_released(queue), 0);
    spsc_release(queue);
    assert_int_equal(spsc_released(queue), 1);
    assert_true(spsc_push(queue, number(3)));
    assert_false(spsc_push(queue, number(4)));
    spsc_publish(queue);
    assert_ptr_equal(spsc_pop(queue), number(2));
    assert_ptr_equal(spsc_pop(queue), number(3));
    spsc_free(&queue);
}

static void indices_may_pass_32_bits(void **state)
{
    (void)state;
    struct spsc *queue = spsc_new(2);
    queue->_next_tail = queue->_head_seen = queue->_next_head = queue->_tail_seen = UINT32_MAX;
    atomic_store(&queue->_tail, UINT32_MAX);
    atomic_store(&queue->_head, UINT32_MAX);
    for (uintptr_t i = 1; i < 10; i++) {
        assert_true(spsc_push(queue, number(2 * i)));
        assert_true(spsc_push(queue, number(2 * i + 1)));
        assert_false(spsc_push(queue, number(0)));
        spsc_publish(queue);
        assert_int_equal(spsc_ready(queue), 2);
        assert_ptr_equal(spsc_pop(queue), number(2 * i));
        assert_ptr_equal(spsc_pop(queue), number(2 * i + 1));
        spsc_release(queue);
    }
    spsc_free(&queue);
}

/* Each item is written before it is pushed and read after it is popped: TSan sees a missing
 * order. */
struct stress {
    struct spsc *queue;
    uint64_t *item; /* STRESS of them */
    uint32_t batch;
    uint32_t wrong;
};

static void *produce(void *argument)
{
    struct stress *stress = argument;
    for (uint32_t i = 0; i < STRESS;) {
        stress->item[i] = i * 3ull;
        if (spsc_push(stress->queue, &stress->item[i])) {
            i++;
            if (i % stress->batch == 0 || i == STRESS)
                spsc_publish(stress->queue);
        } else {
            spsc_publish(stress->queue);
            sched_yield();
        }
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct stress *stress = argument;
    for (uint32_t i = 0; i < STRESS;) {
        const uint64_t *item = spsc_pop(stress->queue);
        if (item == NULL) {
            spsc_release(stress->queue);
            sched_yield();
            continue;
        }
        stress->wrong += item != &stress->item[i] || *item != i * 3ull;
        if (++i % 3 == 0)
            spsc_release(stress->queue);
    }
    return NULL;
}

static void run_stress(uint32_t capacity, uint32_t batch)
{
    struct stress stress = { .queue = spsc_new(capacity), .batch = batch };
    pthread_t producer, consumer;
    stress.item = calloc(STRESS, sizeof(*stress.item));
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    assert_int_equal(pthread_create(&consumer, NULL, consume, &stress), 0);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    assert_int_equal(stress.wrong, 0);
    free(stress.item);
    spsc_free(&stress.queue);
}

static void order_and_contents_hold_between_threads(void **state)
{
    (void)state;
    run_stress(256, 7);
    run_stress(16, 1);
    run_stress(2, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_its_capacity),
        cmocka_unit_test(what_is_pushed_shows_when_published),
        cmocka_unit_test(slots_come_back_when_released),
        cmocka_unit_test(indices_may_pass_32_bits),
        cmocka_unit_test(order_and_contents_hold_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
