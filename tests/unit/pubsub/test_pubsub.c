/*
 * test_pubsub.c - the rows of publish and subscribe, and many clients that come and go at random.
 */
#include "shoal/pubsub/pubsub.h"

#include "support/reactors.h"

#include "shoal/cmd/registry.h"

static void rows(void **state)
{
    (void)state;
    commands_register();
    for (const struct command *row = pubsub_commands; row->name != NULL; row++) {
        const struct command *found = registry_find(bytes_str(row->name));
        assert_non_null(found);
        assert_string_equal(found->group, "pubsub");
        bool publishes = strstr(row->name, "publish") != NULL || row->subs != NULL;
        assert_int_equal((row->flags & CMD_SUBSCRIBER) == 0, publishes);
    }
}

enum { CLIENTS = 30, CHANNELS = 6, STEPS = 3000 };

/* Numbers that are published to each channel; a client that has subscribed must hear every one. */
struct hearer {
    struct client *client;
    bool has[CHANNELS];
    uint32_t next[CHANNELS];
};

static uint32_t published[CHANNELS];

static void hear(struct hearer *listener)
{
    uint32_t channel, number;
    const char *at = heard(listener->client);
    while ((at = strstr(at, "message $1 ")) != NULL) {
        at += strlen("message $1 ");
        assert_int_equal(sscanf(at, "%u $%*u %u", &channel, &number), 2);
        assert_true(listener->has[channel]);
        assert_int_equal(number, listener->next[channel]++);
    }
    for (channel = 0; channel < CHANNELS; channel++)
        if (listener->has[channel])
            assert_int_equal(listener->next[channel], published[channel]);
}

static void flip(struct hearer *listener, uint32_t channel)
{
    ask(listener->client, "%s %u", listener->has[channel] ? "UNSUBSCRIBE" : "SUBSCRIBE", channel);
    listener->has[channel] = !listener->has[channel];
    listener->next[channel] = published[channel];
}

static void replace(struct hearer *listener)
{
    conn_kill(listener->client->conn);
    *listener = (struct hearer){ .client = client_open((uint32_t)rand() % server->count) };
}

static void at_random(void **state)
{
    (void)state;
    static struct hearer listener[CLIENTS];
    unsigned seed = (unsigned)reactors_clock_ns;
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < CLIENTS; i++)
        listener[i] = (struct hearer){ .client = client_open((uint32_t)i % 4) };
    struct client *publisher[4];
    for (uint32_t i = 0; i < 4; i++)
        publisher[i] = client_open(i);
    for (int step = 0; step < STEPS; step++) {
        struct hearer *one = &listener[rand() % CLIENTS];
        uint32_t channel = (uint32_t)rand() % CHANNELS, receivers = 0;
        if (rand() % 50 == 0 && reactors_clients < REACTORS_CLIENTS_MAX)
            replace(one);
        else if (rand() % 3 == 0)
            flip(one, channel);
        turn_until_quiet();
        for (int i = 0; i < CLIENTS; i++)
            receivers += listener[i].has[channel];
        char wanted[16];
        snprintf(wanted, sizeof(wanted), ":%u", receivers);
        assert_reply(wanted, publisher[rand() % 4], "PUBLISH %u %u", channel, published[channel]);
        published[channel]++;
        for (int i = 0; i < CLIENTS; i++)
            hear(&listener[i]);
    }
}

static int four(void **state)
{
    (void)state;
    reactors_begin(4);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test_setup_teardown(at_random, four, reactors_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
