/*
 * reactors.h - one to four whole reactors in one thread, without a kernel's ring and without time.
 *
 * Queues, connections, shards, router and keyspaces are the server's, with its defaults; the rings
 * are those of ring_fake.h. The clock stands still until a test moves it. Nothing happens but in
 * turns that the test takes: turn() takes one, turn_until_quiet() all that there are.
 *
 * ask(client, "SET %s 1", key(1, 0)) sends one command, words between blanks, as RESP2; "" is the
 * empty word. What comes back is written with a blank for every CR LF, the last one left out:
 * "*2 $1 a $-1". key(shard, n) are the names of keys of a shard.
 *
 * reactors_end() kills what connections are left and fails if anything of them stays: requests,
 * bytes in a budget, held keys, watches, receive buffers. Every test ends so.
 */
#ifndef SHOAL_TESTS_SUPPORT_REACTORS_H
#define SHOAL_TESTS_SUPPORT_REACTORS_H

#include "support/ring_fake.h"

#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/base/log.h"
#include "shoal/commands.h"
#include "shoal/conn/conn.h"
#include "shoal/conn/conns.h"
#include "shoal/options/load.h"
#include "shoal/options/options.h"
#include "shoal/route/router.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/shard/key_queues.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmocka.h>

enum {
    REACTORS_MAX = 4,
    REACTORS_KEYS = 16, /* key(shard, 0..15) */
    REACTORS_CLIENTS_MAX = 1000,
    REACTORS_WORDS_MAX = 64,
    REACTORS_TEXT_MAX = 1 << 16, /* of a command line, and of what heard() returns */
    REACTORS_TURNS_MAX = 100000, /* of all in a row: then they never become quiet */
};

struct client {
    struct reactor *reactor;
    struct fake_line *line;
    struct conn *conn; /* while line->open */
    int peer;          /* the other end of its descriptor */
};

static struct server *server;
static struct settings reactors_settings;
static struct client reactors_client[REACTORS_CLIENTS_MAX];
static uint32_t reactors_clients;
static char reactors_key[REACTORS_MAX][REACTORS_KEYS][12];
static int64_t reactors_clock_ns; /* 0: the system's */

/* ---- time ---------------------------------------------------------------- */

/* Stands before the C library's, for all clocks: time passes when a test says so. */
int clock_gettime(clockid_t id, struct timespec *time)
{
    if (reactors_clock_ns == 0)
        return (int)syscall(SYS_clock_gettime, id, time);
    time->tv_sec = reactors_clock_ns / 1000000000;
    time->tv_nsec = reactors_clock_ns % 1000000000;
    return 0;
}

static inline void pass_us(int64_t us)
{
    reactors_clock_ns += us * 1000;
}

static inline void pass_ms(int64_t ms)
{
    pass_us(ms * 1000);
}

/* Afterwards all clocks say the same, the time of day at the start. */
static inline void clock_stop(void)
{
    struct timespec now;
    if (reactors_clock_ns != 0)
        return;
    clock_init();
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    reactors_clock_ns = now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- turns --------------------------------------------------------------- */

static inline struct reactor *reactor_at(uint32_t id)
{
    return server->reactor[id];
}

static inline struct ring_fake *ring_at(uint32_t id)
{
    return fake_of(reactor_at(id)->ring);
}

static inline void turn(uint32_t id)
{
    if (!reactor_at(id)->loop->stopped)
        loop_turn(reactor_at(id));
}

/* Until every reactor has found nothing to do in the same round. */
static inline void turn_until_quiet(void)
{
    bool quiet = false;
    for (int rounds = 0; !quiet; rounds++) {
        if (rounds == REACTORS_TURNS_MAX)
            fail_msg("the reactors do not come to rest");
        quiet = true;
        pass_us(reactors_settings.busy_poll_us); /* else those that poll never come to rest */
        for (uint32_t i = 0; i < server->count; i++) {
            turn(i);
            quiet &= reactor_at(i)->loop->idle || reactor_at(i)->loop->stopped;
        }
        for (uint32_t i = 0; i < server->count; i++)
            quiet &= !fake_ring_is_busy(reactor_at(i)->ring) || reactor_at(i)->loop->stopped;
    }
}

/* Lets time pass, a step at a time, with all turns in between. */
static inline void live_ms(int64_t ms, int64_t step_ms)
{
    for (int64_t passed = 0; passed < ms; passed += step_ms) {
        pass_ms(step_ms);
        turn_until_quiet();
    }
}

/* ---- clients ------------------------------------------------------------- */

static inline struct client *client_open(uint32_t reactor)
{
    int fd[2];
    assert_true(reactors_clients < REACTORS_CLIENTS_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
    struct client *client = &reactors_client[reactors_clients++];
    *client = (struct client){ .reactor = reactor_at(reactor), .peer = fd[1] };
    server->acceptor.handed[reactor]++;
    conn_open(client->reactor, fd[0], true);
    client->conn = client->reactor->conns->first;
    assert_int_equal(client->conn->fd, fd[0]);
    client->line = fake_line_of(client->reactor->ring, fd[0]);
    fake_bytes_reserve(&client->line->out, 4096); /* a test may have memory run out */
    return client;
}

static inline bool client_is_open(const struct client *client)
{
    return client->line->open;
}

/* Bytes that the connection will receive. */
static inline void client_put(struct client *client, const void *data, size_t size)
{
    fake_bytes_add(&client->line->in, data, size);
}

static inline void client_put_text(struct client *client, const char *text)
{
    client_put(client, text, strlen(text));
}

static inline void client_put_word(struct client *client, const void *data, size_t size)
{
    char head[32];
    client_put(client, head, (size_t)snprintf(head, sizeof(head), "$%zu\r\n", size));
    client_put(client, data, size);
    client_put_text(client, "\r\n");
}

static inline void client_put_command(struct client *client, const char *line)
{
    const char *word[REACTORS_WORDS_MAX];
    size_t size[REACTORS_WORDS_MAX], count = 0;
    char head[32];
    while (*line != '\0') {
        size_t length = strcspn(line, " ");
        assert_true(count < REACTORS_WORDS_MAX);
        word[count] = line;
        size[count++] = length == 2 && memcmp(line, "\"\"", 2) == 0 ? 0 : length;
        line += length + (line[length] == ' ');
    }
    client_put(client, head, (size_t)snprintf(head, sizeof(head), "*%zu\r\n", count));
    for (size_t i = 0; i < count; i++)
        client_put_word(client, word[i], size[i]);
}

/* SET with a value of so many bytes, all of them `fill`. */
static inline void client_put_set(struct client *client, const char *name, size_t size, char fill)
{
    char *value = malloc(size);
    memset(value, fill, size);
    client_put_text(client, "*3\r\n");
    client_put_word(client, "SET", 3);
    client_put_word(client, name, strlen(name));
    client_put_word(client, value, size);
    free(value);
}

static inline void client_ends(struct client *client, int how)
{
    client->line->ends = true;
    client->line->end = how;
}

/* What has come back and was not looked at yet: how much, and the text. Valid until the next. */
static inline size_t heard_bytes(struct client *client)
{
    size_t size = client->line->out.size - client->line->out.taken;
    client->line->out.taken = client->line->out.size;
    return size;
}

static inline const char *heard(struct client *client)
{
    static char text[REACTORS_TEXT_MAX];
    const char *from = client->line->out.data + client->line->out.taken;
    size_t size = heard_bytes(client), to = 0;
    for (size_t i = 0; i < size && to + 1 < sizeof(text); i++)
        if (from[i] != '\r')
            text[to++] = from[i] == '\n' ? ' ' : from[i];
    text[to > 0 ? to - 1 : 0] = '\0';
    return text;
}

static inline void tell_list(struct client *client, const char *format, va_list list)
{
    static char line[REACTORS_TEXT_MAX];
    assert_true(vsnprintf(line, sizeof(line), format, list) < (int)sizeof(line));
    client_put_command(client, line);
}

/* Sends a command and takes no turn. */
__attribute__((format(printf, 2, 3))) static inline void tell(struct client *client,
                                                              const char *format, ...)
{
    va_list list;
    va_start(list, format);
    tell_list(client, format, list);
    va_end(list);
}

/* The reply of a command, and whatever else had not been looked at. */
__attribute__((format(printf, 2, 3))) static inline const char *ask(struct client *client,
                                                                    const char *format, ...)
{
    va_list list;
    va_start(list, format);
    tell_list(client, format, list);
    va_end(list);
    turn_until_quiet();
    return heard(client);
}

#define assert_reply(reply, client, ...) assert_string_equal(ask((client), __VA_ARGS__), (reply))

/* ---- beginning and end --------------------------------------------------- */

static inline const char *key(uint32_t shard, uint32_t n)
{
    assert_true(shard < server->count && n < REACTORS_KEYS);
    return reactors_key[shard][n];
}

static inline void reactors_name_keys(void)
{
    uint32_t named[REACTORS_MAX] = { 0 }, missing = server->count * REACTORS_KEYS;
    for (uint32_t i = 0; missing > 0; i++) {
        char name[12];
        snprintf(name, sizeof(name), "k%u", i);
        uint32_t shard = reactor_of_slot(reactor_at(0), hash_slot(bytes_of(name, strlen(name))));
        if (named[shard] == REACTORS_KEYS)
            continue;
        memcpy(reactors_key[shard][named[shard]++], name, sizeof(name));
        missing--;
    }
}

/* `options` are words of the command line, ended by NULL. */
static inline void reactors_begin_with(uint32_t count, const char *const *options)
{
    char shards[8];
    char *words[32] = { "reactors", "--shards",   shards,   "--maxmemory",
                        "100mb",    "--loglevel", "nothing" };
    int words_count = 7;
    snprintf(shards, sizeof(shards), "%u", count);
    for (; *options != NULL; options++)
        words[words_count++] = (char *)*options;
    clock_stop();
    commands_register();
    hash_seed_fixed(1);
    log_set_level(LOG_NOTHING);
    assert_int_equal(options_load(&reactors_settings, words_count, words), OPTIONS_START);
    server = server_new(&reactors_settings);
    counter_set(&server->clients_max, (uint64_t)reactors_settings.maxclients);
    for (uint32_t i = 0; i < count; i++) {
        worker_begin(server_worker(server, i), fake_ring_new());
        random_seed(&reactor_at(i)->random, i + 1);
        random_seed(&reactor_at(i)->keyspace->random, i + 1);
    }
    reactors_clients = 0;
    reactors_name_keys();
}
#define reactors_begin(count, ...)                                                                 \
    reactors_begin_with((count), (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* Nothing of a connection that has gone may be left. */
static inline void reactors_check_empty(const struct reactor *reactor)
{
    const struct conns *conns = reactor->conns;
    assert_int_equal(conns->count, 0);
    assert_int_equal(counter_get(&reactor->stats->clients), 0);
    assert_null(conns->flush_first);
    assert_null(conns->stalled_first);
    assert_null(conns->reaping_first);
    assert_null(conns->starved.first);
    assert_int_equal(conns->lingering, 0);
    assert_int_equal(conns->requests.free_count, conns->requests.count);
    for (int share = 0; share < BUDGET_SHARES; share++)
        assert_int_equal(conns->budget.taken[share], 0);
    assert_int_equal(conns->budget.reply_bytes, 0);
    assert_int_equal(conns->budget.promised_bytes, 0);
    assert_int_equal(conns->budget.waiting, 0);
    assert_int_equal(conns->backpressure.queued_bytes, 0);
    assert_int_equal(conns->chunks.loose_bytes, 0);
    assert_int_equal(fake_buffers_available(reactor->ring), FAKE_BUFFERS);
    assert_int_equal(arena_lingering(reactor->keyspace->arena), 0);
    assert_int_equal(reactor->keyspace->watched, 0);
    assert_int_equal(counter_get(&reactor->stats->state[STATE_WATCHES]), 0);
    assert_int_equal(counter_get(&reactor->stats->state[STATE_PUSHES]), 0);
    assert_int_equal(counter_get(&reactor->stats->state[STATE_QUEUED]), 0);
    assert_false(key_queues_active(reactor->shard->queues));
    assert_int_equal(reactor->router->transactions, 0);
}

static inline void reactors_kill_all(void)
{
    for (uint32_t i = 0; i < server->count; i++)
        for (struct conn *conn = reactor_at(i)->conns->first; conn != NULL; conn = conn->next)
            conn_kill(conn);
    turn_until_quiet();
    pass_ms(2); /* nothing waits longer for a message that is late */
    turn_until_quiet();
}

static inline void reactors_end(void)
{
    bool any;
    reactors_kill_all();
    for (uint32_t i = 0; i < server->count; i++)
        reactors_check_empty(reactor_at(i));
    do {
        any = false;
        for (uint32_t i = 0; i < server->count; i++)
            any |= loop_finish(reactor_at(i));
    } while (any);
    for (uint32_t i = 0; i < reactors_clients; i++)
        close(reactors_client[i].peer);
    server_free(server);
    server = NULL;
}

/* Setup and teardown for tests over one, two or three reactors with the defaults. */
static inline int reactors_1(void **state)
{
    (void)state;
    reactors_begin(1);
    return 0;
}

static inline int reactors_2(void **state)
{
    (void)state;
    reactors_begin(2);
    return 0;
}

static inline int reactors_3(void **state)
{
    (void)state;
    reactors_begin(3);
    return 0;
}

static inline int reactors_finish(void **state)
{
    (void)state;
    reactors_end();
    return 0;
}

#define with_reactors(count, test)                                                                 \
    cmocka_unit_test_setup_teardown(test, reactors_##count, reactors_finish)

#endif
