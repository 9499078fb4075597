/*
 * run.c - starts the workers, samples the server's CPU at both ends, adds the results up.
 */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "progress.h"
#include "shoal/base/clock.h"
#include "shoal/base/mem.h"

enum {
    TICK_NS = 100 * 1000000, /* between two looks of the main thread */
    SECOND_NS = 1000000000,
};

/* Below this part of the offered rate the open loop has fallen behind, not just jittered. */
static const double SUSTAINED_SHARE = 0.985;
static const double CLIENT_BUSY_SHARE = 0.93;
static const double SERVER_IDLE_SHARE = 0.93;

static _Atomic uint64_t *running_stop; /* of the run in progress, for Ctrl-C */
static volatile sig_atomic_t interrupted;

struct run {
    const struct load *load;
    const struct run_options *options;
    struct run_clock clock;
    pthread_barrier_t ready;
    sem_t finished;
    struct worker *worker;
    uint32_t workers;
    struct cpu_sample cpu_from, cpu_to;
    bool cpu_known, sampled;
    uint64_t done_from, done_to, from_ns, to_ns;
};

void run_interrupt(void)
{
    struct timespec t;
    interrupted = 1;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (running_stop != NULL)
        atomic_store(running_stop, (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec);
}

bool run_interrupted(void)
{
    return interrupted;
}

static void run_start(struct run *run, bool preload)
{
    run->workers = (uint32_t)run->load->threads;
    run->worker = mem_must_zalloc(sizeof(*run->worker) * run->workers);
    pthread_barrier_init(&run->ready, NULL, run->workers + 1);
    sem_init(&run->finished, 0, 0);
    for (uint32_t i = 0; i < run->workers; i++) {
        struct worker *worker = &run->worker[i];
        worker->load = run->load;
        worker->clock = &run->clock;
        worker->ready = &run->ready;
        worker->finished = &run->finished;
        worker->index = i;
        worker->preload = preload;
        worker_start(worker);
    }
    pthread_barrier_wait(&run->ready);
}

static bool run_ready(const struct run *run)
{
    for (uint32_t i = 0; i < run->workers; i++) {
        if (run->worker[i].failed)
            return false;
    }
    return true;
}

/* A stop of 0 tells workers that there is nothing to do. */
static void run_go(struct run *run, bool preload)
{
    const struct load *load = run->load;
    uint64_t now = clock_mono_ns(), stop = UINT64_MAX;
    run->clock.start_ns = now;
    run->clock.measure_ns = now + (preload ? 0 : (uint64_t)(load->warmup_s * SECOND_NS));
    if (!preload && load->seconds > 0)
        stop = run->clock.measure_ns + (uint64_t)(load->seconds * SECOND_NS);
    atomic_store(&run->clock.stop_ns, run_ready(run) && !interrupted ? stop : 0);
    running_stop = &run->clock.stop_ns;
    pthread_barrier_wait(&run->ready);
}

static uint64_t run_done(const struct run *run)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < run->workers; i++)
        done += atomic_load_explicit(&run->worker[i].done, memory_order_relaxed);
    return done;
}

static void sample_start(struct run *run)
{
    run->cpu_known = cpu_sample_take(run->options->server_pid, &run->cpu_from);
    run->done_from = run_done(run);
    run->from_ns = clock_mono_ns();
}

static void sample_end(struct run *run)
{
    if (run->sampled)
        return;
    run->sampled = true;
    run->cpu_known = run->cpu_known && cpu_sample_take(run->options->server_pid, &run->cpu_to);
    run->done_to = run_done(run);
    run->to_ns = clock_mono_ns();
}

/* Waits until `until_ns` or until all workers are done; true when they are. */
static bool wait_workers(struct run *run, uint64_t until_ns, uint32_t *left)
{
    struct timespec until = { .tv_sec = (time_t)(until_ns / SECOND_NS),
                              .tv_nsec = (long)(until_ns % SECOND_NS) };
    while (*left > 0) {
        if (sem_clockwait(&run->finished, CLOCK_MONOTONIC, &until) == 0)
            --*left;
        else if (clock_mono_ns() >= until_ns)
            return false;
    }
    return true;
}

/* The main thread's part of a run: both CPU samples and the progress line. */
static void run_watch(struct run *run)
{
    uint32_t left = run->workers;
    uint64_t measure = run->clock.measure_ns;
    struct progress progress;
    bool warm = wait_workers(run, measure, &left);
    sample_start(run);
    progress_init(&progress, run->options->progress, run->options->label);
    for (bool over = warm; !over;) {
        uint64_t now = clock_mono_ns(), stop = atomic_load(&run->clock.stop_ns);
        if (now >= stop)
            sample_end(run);
        uint64_t tick = now + TICK_NS;
        over = wait_workers(run, now < stop && stop < tick ? stop : tick, &left);
        progress_show(&progress, run->load, run->clock.start_ns, stop, run_done(run));
    }
    sample_end(run);
    progress_fini(&progress);
}

static void run_join(struct run *run)
{
    running_stop = NULL;
    for (uint32_t i = 0; i < run->workers; i++)
        pthread_join(run->worker[i].thread, NULL);
}

static void run_fini(struct run *run)
{
    for (uint32_t i = 0; i < run->workers; i++)
        worker_fini(&run->worker[i]);
    sem_destroy(&run->finished);
    pthread_barrier_destroy(&run->ready);
    free(run->worker);
}

/* ---- adding up ----------------------------------------------------------- */

static void add_tally(struct tally *into, const struct tally *from)
{
    into->replies += from->replies;
    into->errors += from->errors;
    into->hits += from->hits;
    into->misses += from->misses;
    into->unanswered += from->unanswered;
    into->closed += from->closed;
    if (into->error[0] == '\0')
        memcpy(into->error, from->error, sizeof(into->error));
}

static void collect(struct run *run, struct outcome *outcome)
{
    uint64_t last = 0, stop = atomic_load(&run->clock.stop_ns);
    *outcome = (struct outcome){ .latency = histogram_new(), .service = histogram_new() };
    series_init(&outcome->series);
    for (uint32_t i = 0; i < run->workers; i++) {
        struct worker *worker = &run->worker[i];
        add_tally(&outcome->tally, &worker->tally);
        outcome->failed |= worker->failed;
        histogram_merge(outcome->latency, worker->latency);
        histogram_merge(outcome->service, worker->service);
        series_merge(&outcome->series, &worker->series);
        outcome->client_busy = fmax(outcome->client_busy, worker->busy_share);
        last = worker->last_reply_ns > last ? worker->last_reply_ns : last;
    }
    last = last < stop ? last : stop;
    if (last > run->clock.measure_ns)
        outcome->seconds = (double)(last - run->clock.measure_ns) / 1e9;
}

static void judge(const struct run *run, struct outcome *outcome)
{
    const struct load *load = run->load;
    /* ended by the clock: what was done between the two looks, not what the last batches added */
    bool by_time = run->to_ns >= atomic_load(&run->clock.stop_ns);
    double replies = (double)(by_time ? run->done_to - run->done_from : outcome->tally.replies);
    double seconds = by_time ? (double)(run->to_ns - run->from_ns) / 1e9 : outcome->seconds;
    outcome->throughput = seconds > 0 ? replies / seconds : 0;
    outcome->seconds = seconds;
    outcome->offered = load->rate;
    outcome->sustained = outcome->throughput >= load->rate * SUSTAINED_SHARE;
    outcome->cpu_replies = run->done_to - run->done_from;
    if (run->cpu_known)
        cpu_usage_between(&run->cpu_from, &run->cpu_to, &outcome->cpu);
    outcome->client_bound = load->rate == 0 && outcome->client_busy > CLIENT_BUSY_SHARE &&
                            (!outcome->cpu.known || outcome->cpu.busiest_share < SERVER_IDLE_SHARE);
}

void run_execute(const struct load *load, const struct run_options *options,
                 struct outcome *outcome)
{
    struct run run = { .load = load, .options = options };
    run_start(&run, false);
    run_go(&run, false);
    run_watch(&run);
    run_join(&run);
    collect(&run, outcome);
    if (!outcome->failed)
        judge(&run, outcome);
    run_fini(&run);
}

bool run_preload(const struct load *load, char error[ERROR_TEXT_MAX])
{
    static const struct run_options quiet = { .server_pid = 0 };
    enum { PRELOAD_CLIENTS = 50, PRELOAD_PIPELINE = 64 };
    struct load fill = *load;
    struct mix sets = { .name = "preload" };
    struct outcome outcome;
    mix_add(&sets, command_set(command_has(load->mix->command[0], PART_TTL)), 1);
    fill.mix = &sets;
    fill.rate = 0;
    fill.cross_share = -1;
    fill.trace = NULL;
    if (load->verify == NULL) /* there, a key's writer is one of the run's connections */
        fill.clients = PRELOAD_CLIENTS;
    fill.threads = fill.clients < fill.threads ? fill.clients : fill.threads;
    fill.pipeline = sizes_max(&load->sizes) > 16384 ? 4 : PRELOAD_PIPELINE;
    struct run run = { .load = &fill, .options = &quiet };
    run_start(&run, true);
    run_go(&run, true);
    run_watch(&run);
    run_join(&run);
    collect(&run, &outcome);
    bool good = !outcome.failed && outcome.tally.errors == 0 && outcome.tally.closed == 0;
    snprintf(error, ERROR_TEXT_MAX, "%s", outcome.tally.error);
    run_fini(&run);
    outcome_fini(&outcome);
    mix_fini(&sets);
    return good;
}

void outcome_fini(struct outcome *outcome)
{
    histogram_free(&outcome->latency);
    histogram_free(&outcome->service);
    series_fini(&outcome->series);
}

double outcome_cpu_us(const struct outcome *outcome)
{
    if (!outcome->cpu.known || outcome->cpu_replies == 0)
        return 0;
    return outcome->cpu.seconds * 1e6 / (double)outcome->cpu_replies;
}
