/*
 * router.c - a pause begins, and ends by itself or before its time.
 */
#include "shoal/route/router.h"

#include "shoal/reactor/reactor.h"

static void pause_is_over(void *context, struct timer *timer)
{
    struct reactor *here = context;
    (void)timer;
    here->router->pause = (struct pause){ 0 };
}

void router_init(struct router *router)
{
    *router = (struct router){ 0 };
    timer_init(&router->pause_end, pause_is_over);
}

void router_pause(struct reactor *here, const struct pause *pause)
{
    here->router->pause = *pause;
    timers_link(here->timers, &here->router->pause_end, pause->until_ms);
}

void router_unpause(struct reactor *here)
{
    here->router->pause = (struct pause){ 0 };
    timers_unlink(here->timers, &here->router->pause_end);
}
