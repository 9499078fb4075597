/*
 * state.c - the table of state, and its sums.
 */
#include "shoal/stats/state.h"

#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

const struct state_row state_rows[STATE_KINDS] = {
    [STATE_WATCHES] = { .name = "mem_state_watches",
                        .what = "keys that WATCH has marked, until EXEC or UNWATCH",
                        .at_bound = "WATCH gets an error" },
    [STATE_SUBSCRIPTIONS] = { .name = "mem_state_subscriptions",
                              .what = "channels, patterns, who has subscribed, and what each "
                                      "worker thread knows of the others'",
                              .at_bound = "SUBSCRIBE and its like get an error" },
    [STATE_WAITERS] = { .name = "mem_state_waiters",
                        .what = "commands that wait for something to happen on a shard",
                        .at_bound = "the command gets an error" },
    [STATE_PUSHES] = { .name = "mem_state_pushes",
                       .what = "messages that wait for replies before them",
                       .at_bound = "their connection is closed" },
    [STATE_QUEUED] = { .name = "mem_state_queued",
                       .elsewhere = true,
                       .what = "commands that MULTI has queued: part of `mem_clients_requests`",
                       .at_bound = "the command is not queued, and EXEC aborts" },
};

void state_set(struct reactor *here, enum state_kind kind, uint64_t bytes)
{
    counter_set(&here->stats->state[kind], bytes);
}

void state_add(struct reactor *here, enum state_kind kind, int64_t bytes)
{
    state_set(here, kind, counter_get(&here->stats->state[kind]) + (uint64_t)bytes);
}

uint64_t state_sum(const struct reactor *any, enum state_kind kind)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < any->count; i++)
        sum += counter_get(&any->peer[i]->stats->state[kind]);
    return sum;
}

uint64_t state_total(const struct reactor *any)
{
    uint64_t total = 0;
    for (int kind = 0; kind < STATE_KINDS; kind++)
        total += state_rows[kind].elsewhere ? 0 : state_sum(any, kind);
    return total;
}

bool state_fits(const struct reactor *here, uint64_t limit, enum state_kind kind, uint64_t more)
{
    return limit == 0 ||
           (state_sum(here, kind) + more <= limit / 2 && state_total(here) + more <= limit);
}

void state_print_markdown(FILE *out)
{
    fputs("| field | what it is | at its bound |\n|---|---|---|\n", out);
    for (int kind = 0; kind < STATE_KINDS; kind++)
        fprintf(out, "| `%s` | %s | %s |\n", state_rows[kind].name, state_rows[kind].what,
                state_rows[kind].at_bound);
}
