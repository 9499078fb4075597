/*
 * router.c - a pause begins, and ends by itself or before its time.
 */
#include "shoal/route/router.h"

#include "shoal/reactor/reactor.h"
#include "shoal/store/keyspace/keyspace.h"

/* The data stays as it is while clients are paused. */
static void set_pause(struct reactor *here, const struct pause *pause)
{
    here->router->pause = *pause;
    here->keyspace->frozen = pause->until_ms != 0;
}

static void pause_is_over(void *context, struct timer *timer)
{
    (void)timer;
    set_pause(context, &(struct pause){ 0 });
}

void router_init(struct router *router)
{
    *router = (struct router){ 0 };
    timer_init(&router->pause_end, pause_is_over);
}

void router_pause(struct reactor *here, const struct pause *pause)
{
    set_pause(here, pause);
    timers_link(here->timers, &here->router->pause_end, pause->until_ms);
}

void router_unpause(struct reactor *here)
{
    set_pause(here, &(struct pause){ 0 });
    timers_unlink(here->timers, &here->router->pause_end);
}
