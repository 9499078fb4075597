/*
 * instructions.c - the server's own work for a request, for callgrind to count.
 *
 * Two reactors take turns in one thread, so that counts repeat: connection, parsing, dispatch,
 * queues, shard and replies are the server's; the kernel's ring is ring_null.c, and the clock
 * stands still. The one connection is the first reactor's: requests for keys of the second are
 * forwarded. Only turns are counted; every reply is compared between them.
 *
 * run.py runs it. By itself it only checks the replies.
 */
#include "ring_null.h"
#include "shoal/base/hash.h"
#include "shoal/commands.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/options/load.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/store/keyspace/keyspace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <valgrind/callgrind.h>

enum {
    KEYS = 10000, /* of each shard */
    KEY_BYTES = 16,
    VALUE_BYTES = 32,
    PIPELINE_MAX = 16,
    REQUESTS = 8000, /* of each load */
    ROUNDS_MAX = 8,  /* turns of both that a batch may take */
    SETTLE_MS = 2000,
};

struct record {
    char key[KEY_BYTES + 1];
    uint32_t version; /* of the value */
};

enum place { LOCAL, FORWARDED, PLACES };

struct load {
    const char *name;
    enum place place;
    bool writes;
    uint32_t pipeline;
};

static const struct load loads[] = {
    { "local GET, pipeline 1", LOCAL, false, 1 },
    { "local SET, pipeline 1", LOCAL, true, 1 },
    { "forwarded GET, pipeline 1", FORWARDED, false, 1 },
    { "forwarded SET, pipeline 1", FORWARDED, true, 1 },
    { "local GET, pipeline 16", LOCAL, false, 16 },
    { "local SET, pipeline 16", LOCAL, true, 16 },
    { "forwarded GET, pipeline 16", FORWARDED, false, 16 },
    { "forwarded SET, pipeline 16", FORWARDED, true, 16 },
};

static struct record records[PLACES][KEYS];
static struct server *server;
static int64_t clock_ms = 1000 * 1000;
static uint32_t turns_in_vain;

/* Stands before the C library's for the server and for jemalloc: what they do by the clock is in
 * no figure. */
int clock_gettime(clockid_t id, struct timespec *time)
{
    (void)id;
    *time = (struct timespec){ clock_ms / 1000, clock_ms % 1000 * 1000000 };
    return 0;
}

static void fail(const char *what)
{
    fprintf(stderr, "instructions: %s\n", what);
    exit(1);
}

/* ---- set-up -------------------------------------------------------------- */

static void server_make(void)
{
    static struct settings settings;
    static char *options[] = { "instructions", "--shards", "2", "--maxmemory", "1gb", NULL };
    commands_register();
    if (options_load(&settings, 5, options) != OPTIONS_START)
        fail("options refused");
    hash_seed_fixed(1);
    server = server_new(&settings);
    for (uint32_t i = 0; i < server->count; i++) {
        worker_begin(server_worker(server, i), ring_null_new());
        random_seed(&server->reactor[i]->random, i);
        random_seed(&server->reactor[i]->keyspace->random, i);
    }
    conn_open(server->reactor[0], open("/dev/null", O_RDWR | O_CLOEXEC), true);
}

static void records_make(void)
{
    uint32_t made[PLACES] = { 0 };
    for (uint32_t id = 0; made[LOCAL] < KEYS || made[FORWARDED] < KEYS; id++) {
        struct record record = { .version = 0 };
        snprintf(record.key, sizeof(record.key), "key:%012u", id);
        uint16_t slot = hash_slot(bytes_of(record.key, KEY_BYTES));
        uint32_t place = reactor_of_slot(server->reactor[0], slot) == 0 ? LOCAL : FORWARDED;
        if (made[place] < KEYS)
            records[place][made[place]++] = record;
    }
}

/* ---- requests and replies ------------------------------------------------ */

static int value_print(char *to, size_t room, const struct record *record)
{
    return snprintf(to, room, "%.*s-%015u", KEY_BYTES, record->key, record->version);
}

static int request_print(char *to, size_t room, const struct record *record, bool writes)
{
    char value[VALUE_BYTES + 1];
    if (!writes)
        return snprintf(to, room, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", KEY_BYTES, record->key);
    value_print(value, sizeof(value), record);
    return snprintf(to, room, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", KEY_BYTES,
                    record->key, VALUE_BYTES, value);
}

static int reply_print(char *to, size_t room, const struct record *record, bool writes)
{
    char value[VALUE_BYTES + 1];
    if (writes)
        return snprintf(to, room, "+OK\r\n");
    value_print(value, sizeof(value), record);
    return snprintf(to, room, "$%d\r\n%s\r\n", VALUE_BYTES, value);
}

static void turn(struct reactor *reactor)
{
    reactor->loop->idle = false; /* it must not sleep */
    CALLGRIND_TOGGLE_COLLECT;
    loop_turn(reactor);
    CALLGRIND_TOGGLE_COLLECT;
    turns_in_vain += reactor->loop->idle;
}

/* Turns both until the replies are sent. The second one's turn is only for what is forwarded. */
static void answer(enum place place, const char *expected, size_t size)
{
    static char got[RING_NULL_BYTES];
    struct reactor *home = server->reactor[0], *owner = server->reactor[1];
    size_t sent = 0;
    uint32_t round = 0;
    for (; sent < size && round < ROUNDS_MAX; round++) {
        if (round > 0)
            turn(owner);
        turn(home);
        sent += ring_null_sent(home->ring, got + sent, sizeof(got) - sent);
    }
    if (sent != size || memcmp(got, expected, size) != 0)
        fail("a wrong reply");
    if ((place == FORWARDED) != (round > 1))
        fail("a request went another way than its name says");
    if (turns_in_vain > 0)
        fail("a turn had nothing to do");
}

static void batch(const struct load *load, struct record *const *chosen)
{
    static char expected[RING_NULL_BYTES];
    char *requests = ring_null_buffer(server->reactor[0]->ring);
    int size = 0, expected_size = 0;
    for (uint32_t i = 0; i < load->pipeline; i++) {
        chosen[i]->version += load->writes;
        size +=
            request_print(requests + size, RING_NULL_BYTES - (size_t)size, chosen[i], load->writes);
        expected_size +=
            reply_print(expected + expected_size, sizeof(expected) - (size_t)expected_size,
                        chosen[i], load->writes);
    }
    ring_null_deliver(server->reactor[0]->ring, (size_t)size);
    answer(load->place, expected, (size_t)expected_size);
}

/* ---- loads --------------------------------------------------------------- */

static void preload(enum place place)
{
    const struct load load = { .place = place, .writes = true, .pipeline = 1 };
    for (uint32_t i = 0; i < KEYS; i++) {
        struct record *record = &records[place][i];
        batch(&load, &record);
    }
}

/* Keys in an order that has no pattern, and is the same in every run. */
static void run(const struct load *load)
{
    uint64_t random = 1;
    for (uint32_t i = 0; i < REQUESTS; i += load->pipeline) {
        struct record *chosen[PIPELINE_MAX];
        for (uint32_t k = 0; k < load->pipeline; k++) {
            random = random * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
            chosen[k] = &records[load->place][(random >> 33) % KEYS];
        }
        batch(load, chosen);
    }
}

/* Lets time pass, until tables have grown and the reactors have nothing left to do. */
static void settle(void)
{
    for (int64_t end_ms = clock_ms + SETTLE_MS; clock_ms < end_ms; clock_ms++)
        for (uint32_t i = 0; i < server->count; i++) {
            server->reactor[i]->loop->idle = false;
            loop_turn(server->reactor[i]);
        }
}

static void close_all(void)
{
    conn_kill(server->reactor[0]->conns->first);
    settle();
    if (server->reactor[0]->conns->first != NULL)
        fail("the connection did not close");
    for (uint32_t i = 0; i < server->count; i++)
        if (loop_finish(server->reactor[i]))
            fail("messages were left");
    server_free(server);
}

int main(void)
{
    enum { LOADS = sizeof(loads) / sizeof(loads[0]) };
    server_make();
    records_make();
    preload(LOCAL);
    preload(FORWARDED);
    for (uint32_t i = 0; i < LOADS; i++)
        run(&loads[i]);
    settle();
    CALLGRIND_START_INSTRUMENTATION;
    for (uint32_t i = 0; i < LOADS; i++) {
        CALLGRIND_ZERO_STATS;
        run(&loads[i]);
        CALLGRIND_DUMP_STATS_AT(loads[i].name);
        printf("%d requests: %s\n", REQUESTS, loads[i].name);
    }
    CALLGRIND_STOP_INSTRUMENTATION;
    close_all();
    return 0;
}
