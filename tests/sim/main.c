/*
 * main.c - runs seeds, each in a process of its own that begins in the same state; shrinks the
 * program of one that fails, and shows that it fails the same way twice.
 *
 *   sim [--seeds N] [--seed K] [--step S] [--limit N] [--verbose] [--no-shrink]
 *
 * K, K+S, K+2S, ... are run, N of them. The run ends with the first that fails.
 */
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PROGRAMS = SIM_CLIENTS_MAX,
    SECONDS_MAX = 10,  /* of a run, on a CPU */
    TRIES_MAX = 300,   /* at a smaller program, ... */
    SHRINK_S_MAX = 30, /* ... and for no longer */
    OUTPUT_MAX = 8000,
    REPLAYS = 20, /* of those that are run first, one in so many is run twice */
};

/* What a run leaves for its parent. */
struct result {
    bool finished;
    uint64_t trace;
    struct sim_totals totals;
};

static struct result *shared;
static bool off[PROGRAMS][SIM_OPS_MAX];

/* ---- one run ------------------------------------------------------------- */

static void run(uint64_t seed)
{
    sim.seed = seed;
    random_seed_stream(&sim.choice, seed, 3);
    profile_make(seed);
    programs_make(seed);
    for (uint32_t c = 0; c < PROGRAMS; c++)
        for (uint32_t i = 0; i < SIM_OPS_MAX; i++)
            programs[c].op[i].off = off[c][i];
    world_begin();
    clients_begin();
    world_run();
    world_check_empty();
    check_history();
    world_end();
}

static void child(uint64_t seed, int output)
{
    dup2(output, STDOUT_FILENO);
    if (!sim.verbose)
        dup2(output, STDERR_FILENO);
    setitimer(ITIMER_PROF, &(struct itimerval){ .it_value = { .tv_sec = SECONDS_MAX } }, NULL);
    run(seed);
    shared->trace = sim.trace;
    shared->totals = totals;
    shared->finished = true;
    fflush(NULL);
    _exit(0);
}

/* True: it ended well. What it said is in `text`. */
static bool run_apart(uint64_t seed, char text[OUTPUT_MAX])
{
    int status, output = memfd_create("output", 0);
    memset(shared, 0, sizeof(*shared));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(seed, output);
    waitpid(pid, &status, 0);
    ssize_t size = pread(output, text, OUTPUT_MAX - 100, 0);
    size = size > 0 ? size : 0;
    if (WIFSIGNALED(status))
        size += sprintf(text + size, "it ended by signal %d, %s\n", WTERMSIG(status),
                        strsignal(WTERMSIG(status)));
    text[size] = '\0';
    close(output);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && shared->finished;
}

/* ---- a smaller program --------------------------------------------------- */

struct place {
    uint8_t client, op;
};

static uint32_t places_of(struct place *out)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < sim.profile.clients; c++)
        for (uint32_t i = 0; i < programs[c].count; i++)
            if (!off[c][i])
                out[count++] = (struct place){ (uint8_t)c, (uint8_t)i };
    return count;
}

static void take_out(const struct place *places, uint32_t from, uint32_t count, bool out)
{
    for (uint32_t i = from; i < from + count; i++)
        off[places[i].client][places[i].op] = out;
}

/* Halves, quarters, ... and single steps are taken out as long as it still fails. */
static uint32_t shrink(uint64_t seed, char text[OUTPUT_MAX])
{
    static struct place places[PROGRAMS * SIM_OPS_MAX];
    static char other[OUTPUT_MAX];
    uint32_t tries = 0, count = places_of(places);
    time_t until = time(NULL) + SHRINK_S_MAX;
    for (uint32_t size = count / 2; size > 0; size /= 2) {
        for (uint32_t from = 0; from < count; from += size) {
            if (tries++ == TRIES_MAX || time(NULL) > until)
                return places_of(places);
            uint32_t part = size < count - from ? size : count - from;
            take_out(places, from, part, true);
            if (run_apart(seed, other))
                take_out(places, from, part, false);
            else
                strcpy(text, other);
        }
        count = places_of(places);
    }
    return count;
}

static void print_programs(void)
{
    for (uint32_t c = 0; c < sim.profile.clients; c++) {
        printf("  client %u:", c);
        for (uint32_t i = 0; i < programs[c].count; i++) {
            const struct op *op = &programs[c].op[i];
            if (off[c][i])
                continue;
            printf(" %s", op_name((enum op_kind)op->kind));
            for (uint32_t k = 0; k < op->keys; k++)
                printf("%c%u", k == 0 ? '(' : ' ', op->key[k]);
            printf("%s#%u", op->keys > 0 ? ")" : "", op->number);
        }
        printf("\n");
    }
}

static int report(uint64_t seed, bool shrinks)
{
    static char text[OUTPUT_MAX], again[OUTPUT_MAX];
    printf("FAIL seed %lu\n", (unsigned long)seed);
    run_apart(seed, text);
    printf("%s", text);
    profile_make(seed);
    programs_make(seed);
    if (shrinks) {
        uint32_t left = shrink(seed, text);
        printf("the same with %u requests:\n", left);
        print_programs();
        printf("%s", text);
    }
    run_apart(seed, text);
    run_apart(seed, again);
    printf("replayed twice: %s\n", strcmp(text, again) == 0 ? "the same" : "NOT THE SAME");
    printf("again: make sim SEED=%lu SEEDS=1\n", (unsigned long)seed);
    return 1;
}

/* ---- many ---------------------------------------------------------------- */

static void add_totals(struct sim_totals *all)
{
    const uint64_t *one = (const uint64_t *)&shared->totals;
    for (size_t i = 0; i < sizeof(*all) / sizeof(*one); i++)
        ((uint64_t *)all)[i] += one[i];
}

static void print_totals(const struct sim_totals *all)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        { "requests", all->calls },
        { "replies", all->answered },
        { "actions", all->actions },
        { "states", all->states },
        { "undecided", all->undecided },
        { "commits", all->commits },
        { "aborts", all->aborts },
        { "evicted", all->evicted },
        { "turns", all->turns },
        { "wakeups", all->wakeups },
        { "cuts", all->cuts },
        { "resets", all->resets },
        { "no-buffers", all->no_buffers },
        { "no-memory", all->no_memory },
        { "jumps", all->jumps },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("%s %lu%s", rows[i].name, (unsigned long)rows[i].count,
               i + 1 < sizeof(rows) / sizeof(rows[0]) ? ", " : "\n");
}

static bool same_twice(uint64_t seed)
{
    static char text[OUTPUT_MAX];
    uint64_t trace = shared->trace;
    return run_apart(seed, text) && shared->trace == trace;
}

static int run_seeds(uint64_t seed, uint64_t seeds, uint64_t step, bool shrinks)
{
    static char text[OUTPUT_MAX];
    struct sim_totals all = { 0 };
    for (uint64_t i = 0; i < seeds; i++, seed += step) {
        if (!run_apart(seed, text))
            return report(seed, shrinks);
        add_totals(&all);
        if (i % REPLAYS == 0 && !same_twice(seed)) {
            printf("FAIL seed %lu: a second run is another one\n", (unsigned long)seed);
            return 1;
        }
    }
    print_totals(&all);
    return 0;
}

/* Addresses are the same in every run: where something hashes or compares them, it does so alike. */
static void addresses_stay(char **argv)
{
    int now = personality(0xffffffff);
    if (now & ADDR_NO_RANDOMIZE)
        return;
    if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    uint64_t seeds = 1, seed = 1, step = 1;
    bool shrinks = true;
    addresses_stay(argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            sim.verbose = true;
        else if (strcmp(argv[i], "--no-shrink") == 0)
            shrinks = false;
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--step") == 0)
            step = strtoull(argv[++i], NULL, 10);
        else
            return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    return run_seeds(seed, seeds, step, shrinks);
}
