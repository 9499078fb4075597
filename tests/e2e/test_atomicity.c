/*
 * test_atomicity.c - MSET, MSETNX, MULTI/EXEC with WATCH and FLUSHALL over several shards, by eight
 * clients at once: nobody may ever see a half of one, and nobody who dies in the middle may leave a
 * key locked.
 *
 *     SECONDS_STRESS=60 test_atomicity   runs that long, 8 s by default, spread over the phases
 *     test_atomicity --plant             has writers that write key by key, which must be found out
 *
 * The checker checks itself: each run first plants that bug for a moment and fails if it sees
 * nothing.
 */
#include "shoal/client.h"
#include "support/started.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#define PLANTED_SECONDS 0.3

enum {
    SHARDS = 4,
    CLIENTS = 8,
    KEYS = 8,
    ACCOUNTS = 12,
    BALANCE = 1000,
    TIMEOUT_MS = 120000,
    VALUE_MAX = 20000,
    REQUEST_MAX = 64,
};

struct shared {
    int port;
    bool planted;
    atomic_bool stop;
    atomic_ulong done, torn, lost; /* operations; half-seen writes; failures of another kind */
};

struct worker {
    struct shared *shared;
    struct shoal_client *client;
    unsigned id;
    uint64_t random, serial;
    void (*step)(struct worker *);
};

/* ---- requests ------------------------------------------------------------ */

static uint64_t next_random(struct worker *w)
{
    uint64_t x = w->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    w->random = x;
    return x * 0x2545f4914f6cdd1dull;
}

static void lose(struct worker *w, const char *what)
{
    if (atomic_fetch_add(&w->shared->lost, 1) < 5)
        printf("client %u: %s (%s)\n", w->id, what, shoal_error(w->client));
    atomic_store(&w->shared->stop, true);
}

static void tear(struct worker *w, const char *what)
{
    if (atomic_fetch_add(&w->shared->torn, 1) < 3 && !w->shared->planted)
        printf("client %u: %s\n", w->id, what);
}

/* Queues one request; words separated by spaces, %s without spaces in it. */
static void ask(struct worker *w, const char *format, ...)
{
    static _Thread_local char text[VALUE_MAX * KEYS * 2];
    const char *words[REQUEST_MAX];
    size_t count = 0;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    char *rest = text;
    for (char *word; (word = strsep(&rest, " ")) != NULL && count < REQUEST_MAX;)
        words[count++] = word;
    if (shoal_append(w->client, count, words, NULL) != SHOAL_OK)
        lose(w, "a request could not be sent");
}

/* The next reply; one of the wrong type ends the test. */
static struct shoal_reply take(struct worker *w, enum shoal_type type)
{
    struct shoal_reply reply = { .type = SHOAL_NIL };
    if (shoal_read(w->client, &reply) != SHOAL_OK) {
        lose(w, "no reply");
    } else if (reply.type != type && type != SHOAL_NIL) {
        if (reply.type == SHOAL_ERROR)
            printf("error reply: %s\n", reply.text);
        lose(w, "a reply of another type");
    }
    return reply;
}

static void skip(struct worker *w, int count)
{
    for (int i = 0; i < count; i++) {
        struct shoal_reply reply = take(w, SHOAL_STRING);
        shoal_reply_free(&reply);
    }
}

static int64_t take_integer(struct worker *w)
{
    struct shoal_reply reply = take(w, SHOAL_INTEGER);
    int64_t value = reply.type == SHOAL_INTEGER ? reply.integer : -1;
    shoal_reply_free(&reply);
    return value;
}

/* "command a0 v a1 v ..." in `out`, the keys from a random one on; v NULL: keys only. */
static void list_keys(struct worker *w, char *out, const char *command, const char *value)
{
    size_t at = (size_t)sprintf(out, "%s", command), from = next_random(w) % KEYS;
    for (size_t i = 0; i < KEYS; i++) {
        at += (size_t)sprintf(out + at, " a%zu", (from + i) % KEYS);
        if (value != NULL)
            at += (size_t)sprintf(out + at, " %s", value);
    }
}

/* A value nobody else writes: sometimes long enough to travel by reference. */
static void make_value(struct worker *w, char *value)
{
    static const size_t sizes[] = { 16, 16, 16, 200, 3000, 18000 };
    size_t size = sizes[next_random(w) % 6];
    size_t at = (size_t)sprintf(value, "%u-%lu-", w->id, (unsigned long)++w->serial);
    while (at < size)
        value[at++] = 'x';
    value[at] = '\0';
}

static bool same(const struct shoal_reply *a, const struct shoal_reply *b)
{
    return a->type == b->type && a->size == b->size &&
           (a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
}

/* ---- all keys always have one value -------------------------------------- */

static void write_all(struct worker *w)
{
    static _Thread_local char value[VALUE_MAX], text[VALUE_MAX * KEYS * 2];
    make_value(w, value);
    if (w->shared->planted) {
        for (int i = 0; i < KEYS; i++)
            ask(w, "SET a%d %s", i, value);
        skip(w, KEYS);
    } else if (next_random(w) % 2) {
        list_keys(w, text, "MSET", value);
        ask(w, "%s", text);
        skip(w, 1);
    } else {
        bool watch = next_random(w) % 2;
        if (watch)
            ask(w, "WATCH a0 a3");
        ask(w, "MULTI");
        for (int i = 0; i < KEYS; i++)
            ask(w, "SET a%d %s", i, value);
        ask(w, "EXEC");
        skip(w, watch + 1 + KEYS);
        struct shoal_reply reply =
            take(w, SHOAL_NIL); /* an array, or nil when a watched key changed */
        shoal_reply_free(&reply);
    }
}

static void read_all(struct worker *w)
{
    static _Thread_local char text[1024];
    if (next_random(w) % 2) {
        list_keys(w, text, "MGET", NULL);
        ask(w, "%s", text);
    } else {
        ask(w, "MULTI");
        for (int i = 0; i < KEYS; i++)
            ask(w, "GET a%d", i);
        ask(w, "EXEC");
        skip(w, 1 + KEYS);
    }
    struct shoal_reply reply = take(w, SHOAL_ARRAY);
    if (reply.type == SHOAL_ARRAY && reply.count != KEYS)
        lose(w, "an array of another length");
    for (size_t i = 1; i < reply.count; i++) {
        if (same(&reply.elements[0], &reply.elements[i]))
            continue;
        tear(w, "two keys of one write differ");
        break;
    }
    shoal_reply_free(&reply);
}

static void one_value(struct worker *w)
{
    w->id % 2 ? write_all(w) : read_all(w);
}

static void one_value_or_none(struct worker *w)
{
    if (w->id == 1 && next_random(w) % 8 == 0) {
        ask(w, next_random(w) % 2 ? "FLUSHALL" : "FLUSHDB");
        skip(w, 1);
    } else {
        one_value(w);
    }
}

/* ---- one writer counts up: nobody goes back ------------------------------ */

static void only_forwards(struct worker *w)
{
    if (w->id == 0) {
        char value[32], text[1024];
        sprintf(value, "%lu", (unsigned long)++w->serial);
        list_keys(w, text, "MSET", value);
        ask(w, "%s", text);
        skip(w, 1);
        return;
    }
    ask(w, "GET a%d", (int)(next_random(w) % KEYS));
    struct shoal_reply reply = take(w, SHOAL_NIL);
    uint64_t seen = reply.type == SHOAL_STRING ? strtoull(reply.text, NULL, 10) : 0;
    if (seen < w->serial)
        tear(w, "an older write than the one seen before");
    w->serial = seen;
    shoal_reply_free(&reply);
}

/* ---- money is moved, none is made ---------------------------------------- */

static void transfer_watching(struct worker *w, int from, int to, int amount)
{
    ask(w, "WATCH b%d b%d", from, to);
    ask(w, "GET b%d", from);
    ask(w, "GET b%d", to);
    skip(w, 1);
    struct shoal_reply a = take(w, SHOAL_STRING), b = take(w, SHOAL_STRING);
    if (a.type == SHOAL_STRING && b.type == SHOAL_STRING) {
        ask(w, "MULTI");
        ask(w, "SET b%d %d", from, atoi(a.text) - amount);
        ask(w, "SET b%d %d", to, atoi(b.text) + amount);
        ask(w, "EXEC");
        skip(w, 3);
        struct shoal_reply reply = take(w, SHOAL_NIL);
        shoal_reply_free(&reply);
    }
    shoal_reply_free(&a);
    shoal_reply_free(&b);
}

static void transfer(struct worker *w)
{
    int from = (int)(next_random(w) % ACCOUNTS), to = (int)(next_random(w) % ACCOUNTS);
    int amount = (int)(next_random(w) % 50);
    if (from == to)
        return;
    if (w->shared->planted) {
        ask(w, "DECRBY b%d %d", from, amount);
        take_integer(w);
        ask(w, "INCRBY b%d %d", to, amount);
        take_integer(w);
    } else if (next_random(w) % 2) {
        transfer_watching(w, from, to, amount);
    } else {
        ask(w, "MULTI");
        ask(w, "DECRBY b%d %d", from, amount);
        ask(w, "INCRBY b%d %d", to, amount);
        ask(w, "EXEC");
        skip(w, 3);
        struct shoal_reply reply = take(w, SHOAL_ARRAY);
        shoal_reply_free(&reply);
    }
}

static void audit(struct worker *w)
{
    char text[512];
    size_t at = (size_t)sprintf(text, "MGET");
    for (int i = 0; i < ACCOUNTS; i++)
        at += (size_t)sprintf(text + at, " b%d", i);
    ask(w, "%s", text);
    struct shoal_reply reply = take(w, SHOAL_ARRAY);
    int sum = 0;
    for (size_t i = 0; i < reply.count; i++)
        sum += reply.elements[i].text != NULL ? atoi(reply.elements[i].text) : 0;
    if (reply.type == SHOAL_ARRAY && sum != ACCOUNTS * BALANCE)
        tear(w, "money was made or lost");
    shoal_reply_free(&reply);
}

static void bank(struct worker *w)
{
    w->id % 4 ? transfer(w) : audit(w);
}

/* ---- MSETNX as a lock: who gets it has all of it ------------------------- */

static bool try_lock(struct worker *w, const char *text)
{
    if (w->shared->planted) {
        ask(w, "EXISTS a0 a1 a2 a3 a4 a5 a6 a7");
        if (take_integer(w) != 0)
            return false;
        ask(w, "MSET%s", text + strlen("MSETNX"));
        skip(w, 1);
        return true;
    }
    ask(w, "%s", text);
    return take_integer(w) == 1;
}

static void lock_all(struct worker *w)
{
    char value[32], text[1024];
    sprintf(value, "%u-%lu", w->id, (unsigned long)++w->serial);
    list_keys(w, text, "MSETNX", value);
    if (!try_lock(w, text))
        return;
    list_keys(w, text, "MGET", NULL);
    ask(w, "%s", text);
    struct shoal_reply reply = take(w, SHOAL_ARRAY);
    for (size_t i = 0; i < reply.count; i++) {
        if (reply.elements[i].text != NULL && strcmp(reply.elements[i].text, value) == 0)
            continue;
        tear(w, "MSETNX has said 1, and a key is another's");
        break;
    }
    shoal_reply_free(&reply);
    list_keys(w, text, "DEL", NULL);
    ask(w, "%s", text);
    if (take_integer(w) != KEYS)
        tear(w, "a key of the holder was gone");
}

/* ---- clients that die in the middle -------------------------------------- */

static void resp_word(char *out, size_t *at, const char *word)
{
    *at += (size_t)sprintf(out + *at, "$%zu\r\n%s\r\n", strlen(word), word);
}

static void resp_set(char *out, size_t *at, int key, const char *value)
{
    char name[16];
    sprintf(name, "a%d", key);
    *at += (size_t)sprintf(out + *at, "*3\r\n");
    resp_word(out, at, "SET");
    resp_word(out, at, name);
    resp_word(out, at, value);
}

/* A transaction over all shards, sent whole or nearly so, and a reset at once. */
static void die_in_exec(struct worker *w)
{
    static _Thread_local char value[VALUE_MAX], text[VALUE_MAX * KEYS * 2];
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)w->shared->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct linger linger = { 1, 0 };
    size_t at = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        lose(w, "cannot connect");
        return;
    }
    make_value(w, value);
    if (next_random(w) % 2)
        at += (size_t)sprintf(text + at, "*3\r\n$5\r\nWATCH\r\n$2\r\na1\r\n$2\r\na2\r\n");
    at += (size_t)sprintf(text + at, "*1\r\n$5\r\nMULTI\r\n");
    for (int i = 0; i < KEYS; i++)
        resp_set(text, &at, i, value);
    at += (size_t)sprintf(text + at, "*1\r\n$4\r\nEXEC\r\n");
    bool whole = next_random(w) % 4 != 0;
    if (!whole)
        at -= next_random(w) % at;
    for (size_t sent = 0; sent < at;) {
        ssize_t n = send(fd, text + sent, at - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    if (next_random(w) % 2)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    if (whole && next_random(w) % 3 == 0)
        recv(fd, text, 7, 0); /* the first reply has begun: the rest is under way */
    close(fd);
}

static void dying(struct worker *w)
{
    if (w->id < 3)
        die_in_exec(w);
    else
        one_value(w);
}

/* What all clients do at the same time, for a while. */
struct phase {
    const char *name;
    void (*step)(struct worker *);
    bool plant; /* writing key by key can be planted in it */
};

/* ---- running ------------------------------------------------------------- */

static void *worker_main(void *argument)
{
    struct worker *w = argument;
    while (!atomic_load(&w->shared->stop)) {
        w->step(w);
        atomic_fetch_add(&w->shared->done, 1);
    }
    return NULL;
}

static void prepare(struct worker *w)
{
    ask(w, "FLUSHALL");
    skip(w, 1);
    for (int i = 0; i < ACCOUNTS; i++)
        ask(w, "SET b%d %d", i, BALANCE);
    skip(w, ACCOUNTS);
}

/* Afterwards every key is free at once: alone, together, and in a transaction. */
static void check_free(struct worker *w)
{
    char text[1024];
    for (int i = 0; i < KEYS; i++)
        ask(w, "SET a%d free", i);
    skip(w, KEYS);
    list_keys(w, text, "MSET", "free");
    ask(w, "%s", text);
    skip(w, 1);
    read_all(w);
    list_keys(w, text, "DEL", NULL);
    ask(w, "%s", text);
    if (take_integer(w) != KEYS)
        lose(w, "not every key could be deleted");
}

static bool run_phase(const struct started *server, const struct phase *phase, bool planted,
                      double seconds)
{
    struct shared shared = { .port = server->port, .planted = planted };
    struct worker workers[CLIENTS];
    pthread_t threads[CLIENTS];
    struct timespec wait = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    for (unsigned i = 0; i < CLIENTS; i++) {
        workers[i] = (struct worker){
            .shared = &shared,
            .client = shoal_connect("127.0.0.1", server->port, TIMEOUT_MS),
            .id = i,
            .random = (i + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)time(NULL),
            .step = phase->step,
        };
        if (i == 0)
            prepare(&workers[0]);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, worker_main, &workers[i]);
    while (nanosleep(&wait, &wait) != 0)
        ;
    atomic_store(&shared.stop, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    check_free(&workers[0]);
    for (unsigned i = 0; i < CLIENTS; i++)
        shoal_close(&workers[i].client);
    bool good = shared.lost == 0 && (planted ? shared.torn > 0 : shared.torn == 0);
    printf("%-4s %s%s: %lu operations, %lu torn, %lu lost\n", good ? "ok" : "FAIL", phase->name,
           planted ? ", planted" : "", shared.done, shared.torn, shared.lost);
    fflush(stdout);
    return good;
}

static const struct phase phases[] = {
    { "one value", one_value, true },
    { "one value or none", one_value_or_none, false },
    { "only forwards", only_forwards, false },
    { "bank", bank, true },
    { "MSETNX", lock_all, true },
    { "clients that die", dying, false },
};

int main(int argc, char **argv)
{
    const size_t count = sizeof(phases) / sizeof(*phases);
    const char *given = getenv("SECONDS_STRESS");
    double seconds = (given != NULL ? atof(given) : 8) / (double)count;
    bool only_planted = argc > 1 && strcmp(argv[1], "--plant") == 0;
    struct started_counts counts = { 0 };
    struct started server;
    setenv("SHOAL_STRICT_MGET", "yes", 1);
    started_begin(&server, SHARDS, 0);
    for (size_t i = 0; i < count; i++) {
        if (phases[i].plant)
            started_count(&counts, run_phase(&server, &phases[i], true, PLANTED_SECONDS),
                          phases[i].name, &server, "planted");
        if (!only_planted)
            started_count(&counts, run_phase(&server, &phases[i], false, seconds), phases[i].name,
                          &server, "native");
    }
    started_count(&counts, started_end(&server), "a clean end", &server, "");
    return started_finish(&counts);
}
