/*
 * test_topics.c - topics and their subscribers, against a list of pairs.
 */
#include "shoal/pubsub/topics.h"

#include "shoal/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SUBSCRIBERS = 20, NAMES = 300 };

static struct topics topics;
static struct subscriber subscriber[SUBSCRIBERS];
static bool has[SUBSCRIBERS][TOPIC_KINDS][NAMES];

static struct bytes name_of(uint32_t n)
{
    static char text[16];
    return bytes_of(text, (size_t)snprintf(text, sizeof(text), "n%u", n));
}

static struct topic *find(enum topic_kind kind, uint32_t n)
{
    struct bytes name = name_of(n);
    return topics_find(&topics, kind, name, topic_hash(kind, name));
}

static void check(void)
{
    uint32_t with_any = 0;
    for (int kind = 0; kind < TOPIC_KINDS; kind++) {
        for (uint32_t n = 0; n < NAMES; n++) {
            uint32_t count = 0;
            struct topic *topic = find(kind, n);
            for (int s = 0; s < SUBSCRIBERS; s++) {
                count += has[s][kind][n];
                bool found = topic != NULL && subscription_find(&subscriber[s], topic) != NULL;
                assert_int_equal(found, has[s][kind][n]);
            }
            assert_int_equal(topic != NULL ? topic->count : 0, count);
            with_any += count > 0;
        }
    }
    assert_int_equal(topics.count, with_any);
    for (int s = 0; s < SUBSCRIBERS; s++)
        for (int kind = 0; kind < TOPIC_KINDS; kind++) {
            uint32_t count = 0, listed = 0;
            for (uint32_t n = 0; n < NAMES; n++)
                count += has[s][kind][n];
            for (struct subscription *it = subscriber[s].own[kind].first; it != NULL;
                 it = it->next_own)
                listed++;
            assert_int_equal(subscriber[s].own[kind].count, count);
            assert_int_equal(listed, count);
        }
}

static void flip(int s, enum topic_kind kind, uint32_t n)
{
    struct bytes name = name_of(n);
    if (has[s][kind][n]) {
        struct subscription *it = subscription_find(&subscriber[s], find(kind, n));
        topics_unsubscribe(&topics, it);
        free(it);
    } else {
        assert_true(topics_subscribe(&topics, &subscriber[s], kind, name, topic_hash(kind, name)));
    }
    has[s][kind][n] = !has[s][kind][n];
}

static void random_changes(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 20000; round++) {
        flip(rand() % SUBSCRIBERS, rand() % TOPIC_KINDS, (uint32_t)rand() % NAMES);
        if (round % 2000 == 0)
            check();
    }
    for (int s = 0; s < SUBSCRIBERS; s++)
        for (int kind = 0; kind < TOPIC_KINDS; kind++)
            for (uint32_t n = 0; n < NAMES; n++)
                if (has[s][kind][n])
                    flip(s, kind, n);
    check();
    assert_int_equal(topics.bytes, 0);
    assert_true(topics.size <= 16);
    topics_fini(&topics);
}

static void subscribers_stand_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    for (int s = 0; s < SUBSCRIBERS; s++)
        flip(s, TOPIC_CHANNEL, 1);
    flip(3, TOPIC_CHANNEL, 1);
    flip(0, TOPIC_CHANNEL, 1);
    flip(0, TOPIC_CHANNEL, 1);
    int next = 1;
    for (struct subscription *it = find(TOPIC_CHANNEL, 1)->first; it != NULL; it = it->next) {
        assert_ptr_equal(it->subscriber, &subscriber[next % SUBSCRIBERS]);
        next += next == 2 ? 2 : 1;
    }
    assert_int_equal(next, SUBSCRIBERS + 1);
    for (int s = 0; s < SUBSCRIBERS; s++)
        if (has[s][TOPIC_CHANNEL][1])
            flip(s, TOPIC_CHANNEL, 1);
    topics_fini(&topics);
}

static void kinds_have_names_of_their_own(void **state)
{
    (void)state;
    flip(0, TOPIC_PATTERN, 5);
    assert_null(find(TOPIC_CHANNEL, 5));
    assert_null(find(TOPIC_SHARD, 5));
    uint64_t hash = topic_hash(TOPIC_PATTERN, name_of(5));
    assert_ptr_equal(topics_find_pattern(&topics, hash), find(TOPIC_PATTERN, 5));
    assert_true(hash != topic_hash(TOPIC_CHANNEL, name_of(5)));
    flip(0, TOPIC_PATTERN, 5);
    assert_null(topics_find_pattern(&topics, hash));
    topics_fini(&topics);
}

static int set_up(void **state)
{
    (void)state;
    hash_seed_fixed(1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(subscribers_stand_in_the_order_in_which_they_came),
        cmocka_unit_test(kinds_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
