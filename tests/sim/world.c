/*
 * world.c - time, and whose turn it is: the reactors on stacks of their own, the clients between
 * them.
 *
 * A reactor leaves its stack where its ring waits (world_wait()) and at some reads of the clock
 * (world_yield()), and goes on when the seed says so. When nobody can go on, time passes until
 * somebody can.
 */
#include "sim.h"

#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/base/log.h"
#include "shoal/commands.h"
#include "shoal/conn/conns.h"
#include "shoal/options/load.h"
#include "shoal/route/router.h"
#include "shoal/server/server.h"
#include "shoal/server/worker.h"
#include "shoal/shard/key_queues.h"
#include "shoal/stats/stats.h"
#include "shoal/store/keyspace/keyspace.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define START_NS INT64_C(1750000000000000000)

enum {
    STACK_BYTES = 512 * 1024,
    READ_NS_MAX = 200, /* a read of a clock takes up to this */
    ASLEEP_NS_MAX =
        60 * 1000000, /* all sleep, and clients wait for replies: somebody was not woken */
    OVER_BYTES_MAX = 512 * 1024, /* over the memory limit, for a moment */
    STEPS_MAX = 3000000,         /* of a run: then it does not come to an end */
};

struct sim sim;
struct sim_totals totals;

/* A reactor's thread. */
struct fiber {
    ucontext_t context;
    bool asleep;      /* in world_wait(), and may stay there ... */
    int64_t until_ns; /* ... until then; INT64_MAX: until it is woken */
    bool ended;
};

static struct fiber fibers[SIM_REACTORS_MAX];
static ucontext_t scheduler;
static int running = -1;
static int64_t asleep_ns; /* how long all have slept since bytes have moved */
static struct settings settings;

/* ---- what is said -------------------------------------------------------- */

static void trace(const char *text)
{
    for (; *text != '\0'; text++)
        sim.trace = (sim.trace ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
}

void sim_note(const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    trace(text);
    sim.trace ^= (uint64_t)sim.now_ns;
    if (sim.verbose)
        fprintf(stderr, "%12.6f ms  r%d  %s\n", (double)sim.now_ns / 1e6, running, text);
}

void sim_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("at %.6f ms: ", (double)sim.now_ns / 1e6);
    vprintf(format, list);
    printf("\n");
    va_end(list);
    fflush(stdout);
    _exit(2);
}

/* ---- time ---------------------------------------------------------------- */

static int64_t read_ns(struct clock *clock, clockid_t id)
{
    (void)clock;
    sim.now_ns += 1 + (int64_t)sim_below(READ_NS_MAX);
    if (running >= 0 && sim_one_in(sim.profile.yields))
        world_yield();
    return id == CLOCK_REALTIME ? START_NS + sim.wall_off_ns + sim.now_ns : START_NS + sim.now_ns;
}

static struct clock sim_clock = { read_ns };

int64_t world_ms(void)
{
    return (START_NS + sim.now_ns) / 1000000;
}

int64_t world_low_ms(void)
{
    int64_t low_ms = world_ms();
    for (uint32_t i = 0; i < sim.server->count; i++) {
        const struct reactor *reactor = sim.server->reactor[i];
        if (!fibers[i].asleep && reactor->now_ms < low_ms)
            low_ms = reactor->now_ms;
    }
    return low_ms;
}

/* A process that was stopped, or a machine that slept; the wall clock is set now and then. */
static void jump(void)
{
    if (sim_one_in(2)) {
        sim.now_ns += (int64_t)sim_below(1500) * 1000000;
    } else {
        sim.wall_off_ns += ((int64_t)sim_below(20000) - 10000) * 1000000;
    }
    totals.jumps++;
    sim_note("jump");
}

/* ---- turns --------------------------------------------------------------- */

static struct ring *ring_at(int i)
{
    return sim.server->reactor[i]->ring;
}

static void leave(void)
{
    int self = running;
    running = -1;
    memory_fails(false);
    swapcontext(&fibers[self].context, &scheduler);
    memory_fails(true);
}

void world_yield(void)
{
    if (!memory_holds_lock())
        leave();
}

void world_wait(struct ring *ring, int64_t wait_ns)
{
    struct fiber *fiber = &fibers[running];
    if (wait_ns != 0 && sim_one_in(sim.profile.jumps))
        jump();
    fiber->asleep = true;
    fiber->until_ns = wait_ns < 0 ? INT64_MAX : sim.now_ns + wait_ns;
    leave();
    fiber->asleep = false;
    ring_sim_woken(ring);
}

static bool can_go_on(int i)
{
    const struct fiber *fiber = &fibers[i];
    if (fiber->ended)
        return false;
    return !fiber->asleep || sim.now_ns >= fiber->until_ns || ring_sim_ready(ring_at(i));
}

static void fiber_main(int id)
{
    memory_fails(true);
    loop_run(sim.server->reactor[id]);
    fibers[id].ended = true;
    leave();
}

static void go_on(int i)
{
    sim.turns++;
    sim_note("reactor %d", i);
    running = i;
    swapcontext(&scheduler, &fibers[i].context);
    running = -1;
}

void world_progress(void)
{
    asleep_ns = 0;
}

static bool is_paused(void)
{
    for (uint32_t i = 0; i < sim.server->count; i++)
        if (sim.server->reactor[i]->router->pause.until_ms != 0)
            return true;
    return false;
}

/* Whoever sleeps has nothing in its queues, or is about to be woken. */
static void check_sleep(int i)
{
    const struct reactor *reactor = sim.server->reactor[i];
    if (fibers[i].ended || !fibers[i].asleep || fibers[i].until_ns <= sim.now_ns ||
        ring_sim_is_waking(reactor->ring))
        return;
    if (!mesh_may_sleep(reactor->port))
        sim_fail("reactor %d sleeps on a message", i);
}

/* Nobody can go on: until when? */
static void sleep_all(void)
{
    int64_t at_ns = clients_next_ns();
    for (uint32_t i = 0; i < sim.server->count; i++) {
        if (fibers[i].ended)
            continue;
        int64_t ready_ns = ring_sim_ready_ns(ring_at((int)i));
        at_ns = fibers[i].until_ns < at_ns ? fibers[i].until_ns : at_ns;
        at_ns = ready_ns < at_ns ? ready_ns : at_ns;
    }
    if (at_ns == INT64_MAX)
        sim_fail("everybody sleeps, and nothing will happen any more");
    int64_t passed_ns = at_ns > sim.now_ns ? at_ns - sim.now_ns : 1;
    if (clients_wait_for_replies() && !is_paused() && !sim.stopping) {
        asleep_ns += passed_ns;
        if (asleep_ns > ASLEEP_NS_MAX)
            sim_fail("all reactors have slept for %.1f ms, and a client waits for a reply",
                     (double)asleep_ns / 1e6);
    }
    sim.now_ns += passed_ns;
    sim_note("sleep");
}

static bool all_ended(void)
{
    for (uint32_t i = 0; i < sim.server->count; i++)
        if (!fibers[i].ended)
            return false;
    return true;
}

/* Shards work out their shares once a millisecond: what comes in meanwhile is beyond the limit. */
static void check_memory(void)
{
    uint64_t used = 0, limit = (uint64_t)settings.maxmemory;
    for (uint32_t i = 0; i < sim.server->count; i++)
        used += keyspace_used(sim.server->reactor[i]->keyspace);
    if (used > totals.most_bytes)
        totals.most_bytes = used;
    if (used > limit + OVER_BYTES_MAX)
        sim_fail("%lu bytes are used, and the limit is %lu", (unsigned long)used,
                 (unsigned long)limit);
}

/* One step of somebody who can make one. */
static void step(void)
{
    int ready[SIM_REACTORS_MAX], count = 0;
    check_sleep((int)sim_below(sim.server->count));
    check_memory();
    for (int i = 0; i < (int)sim.server->count; i++)
        if (can_go_on(i))
            ready[count++] = i;
    bool client = clients_next_ns() <= sim.now_ns;
    if (client && (count == 0 || sim_one_in(3)))
        clients_step();
    else if (count > 0)
        go_on(ready[sim_below((uint64_t)count)]);
    else
        sleep_all();
}

void world_run(void)
{
    bool told = false;
    for (uint32_t steps = 0; !all_ended(); steps++) {
        if (steps == STEPS_MAX)
            sim_fail("the run does not come to an end");
        if (!told && clients_are_done()) {
            told = sim.stopping = true;
            server_stop(sim.server);
        }
        step();
    }
    lines_close();
    while (!clients_are_done()) { /* they read what is left */
        if (clients_next_ns() > sim.now_ns)
            sim.now_ns = clients_next_ns();
        clients_step();
    }
    totals.turns += sim.turns;
    for (uint32_t i = 0; i < sim.server->count; i++)
        totals.evicted += sim.server->reactor[i]->keyspace->_evicted;
}

/* ---- beginning and end --------------------------------------------------- */

static void options_of_profile(void)
{
    char shards[8];
    const char *words[] = {
        "sim",
        "--shards",
        shards,
        "--maxmemory",
        sim.profile.evicts ? "1mb" : "100mb",
        "--maxmemory-policy",
        sim.profile.evicts ? "allkeys-lru" : "noeviction",
        "--loglevel",
        "nothing",
        "--protected-mode",
        "no",
        "--strict-mget",
        sim.profile.strict ? "yes" : "no",
        "--shutdown-timeout",
        "2",
    };
    snprintf(shards, sizeof(shards), "%u", sim.profile.reactors);
    if (options_load(&settings, sizeof(words) / sizeof(words[0]), (char **)words) != OPTIONS_START)
        sim_fail("the options are refused");
}

static void fiber_make(uint32_t i)
{
    struct fiber *fiber = &fibers[i];
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, (void (*)(void))fiber_main, 1, (int)i);
}

void world_begin(void)
{
    clock_use(&sim_clock);
    clock_init();
    log_set_level(LOG_NOTHING);
    commands_register();
    hash_seed_fixed(sim.seed);
    options_of_profile();
    memory_begin();
    sim.server = server_new(&settings);
    counter_set(&sim.server->clients_max, (uint64_t)settings.maxclients);
    for (uint32_t i = 0; i < sim.server->count; i++) {
        worker_begin(server_worker(sim.server, i), ring_sim_new());
        fiber_make(i);
    }
    struct acceptor *acceptor = &sim.server->acceptor;
    acceptor->listener[acceptor->count++] =
        (struct listener){ .fd = SIM_LISTENER, .unix_socket = true };
    acceptor->spare_fd = -1;
    server_begin(sim.server);
}

static void check(bool fine, uint32_t reactor, const char *what)
{
    if (!fine)
        sim_fail("reactor %u has not given back: %s", reactor, what);
}
#define CHECK(condition) check((condition), reactor->id, #condition)

static void check_reactor(const struct reactor *reactor)
{
    const struct conns *conns = reactor->conns;
    CHECK(conns->count == 0);
    CHECK(counter_get(&reactor->stats->clients) == 0);
    CHECK(conns->flush_first == NULL);
    CHECK(conns->stalled_first == NULL);
    CHECK(conns->reaping_first == NULL);
    CHECK(conns->starved.first == NULL);
    CHECK(conns->lingering == 0);
    CHECK(conns->requests.free_count == conns->requests.count);
    for (int share = 0; share < BUDGET_SHARES; share++)
        CHECK(conns->budget.taken[share] == 0);
    CHECK(conns->budget.reply_bytes == 0);
    CHECK(conns->budget.promised_bytes == 0);
    CHECK(conns->budget.waiting == 0);
    CHECK(conns->backpressure.queued_bytes == 0);
    CHECK(conns->chunks.loose_bytes == 0);
    CHECK(ring_sim_held(reactor->ring) == 0);
    CHECK(arena_lingering(reactor->keyspace->arena) == 0);
    CHECK(reactor->keyspace->watched == 0);
    CHECK(!key_queues_active(reactor->shard->queues));
    CHECK(reactor->router->transactions == 0);
    CHECK(!mesh_backlogged(reactor->port));
}

void world_check_empty(void)
{
    bool any;
    do {
        any = false;
        for (uint32_t i = 0; i < sim.server->count; i++)
            any |= loop_finish(sim.server->reactor[i]);
    } while (any);
    for (uint32_t i = 0; i < sim.server->count; i++)
        check_reactor(sim.server->reactor[i]);
}

void world_end(void)
{
    server_free(sim.server);
    int64_t left = memory_end();
    if (left != 0)
        sim_fail("%ld blocks of memory are left when the server has been freed", (long)left);
}
