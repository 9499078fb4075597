/*
 * pause.c - CLIENT PAUSE and UNPAUSE: commands are held where they are dispatched, on every
 * reactor.
 */
#include "handlers.h"

#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/plan.h"
#include "shoal/route/router.h"

#include <stdlib.h>

/* A pause under way is never made shorter or weaker. */
static void pause_control(struct reactor *here, void *context, struct reply *reply)
{
    const struct pause *pause = &here->router->pause;
    struct pause wanted = *(const struct pause *)context;
    if (pause->until_ms > here->now_ms) {
        wanted.writes_only &= pause->writes_only;
        if (wanted.until_ms < pause->until_ms)
            wanted.until_ms = pause->until_ms;
    }
    router_pause(here, &wanted);
    reply_mark(reply);
}

/* The reactor tries held commands again later in this turn. */
static void unpause_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)context;
    router_unpause(here);
    reply_mark(reply);
}

/* NULL, or the error, for some of which `text` has the room. */
static const char *parse(const struct args *args, int64_t now_ms, struct pause *pause, char *text)
{
    int64_t timeout_ms;
    if (args->count > 4)
        return error_wrong_sub(text, args);
    if (args->count == 4 && bytes_is(args_at(args, 3), "write"))
        pause->writes_only = true;
    else if (args->count == 4 && !bytes_is(args_at(args, 3), "all"))
        return "ERR CLIENT PAUSE mode must be WRITE or ALL";
    if (!number_parse_i64(args_at(args, 2), &timeout_ms))
        return "ERR timeout is not an integer or out of range";
    if (timeout_ms < 0)
        return "ERR timeout is negative";
    if (__builtin_add_overflow(now_ms, timeout_ms, &pause->until_ms))
        return "ERR timeout is out of range";
    return NULL;
}

void client_pause(struct plan *plan, const struct args *args)
{
    char text[ERROR_WRONG_SUB_MAX];
    struct pause asked = { 0 }, *pause;
    const char *error = parse(args, plan->home->now_ms, &asked, text);
    if (error == NULL && (pause = malloc(sizeof(*pause))) != NULL) {
        *pause = asked;
        plan_add_control(plan, pause_control, plan_answer_ok, pause);
    } else {
        plan_add_error(plan, error != NULL ? error : ERR_NO_MEMORY);
    }
}

void client_unpause(struct plan *plan, const struct args *args)
{
    (void)args;
    plan_add_control(plan, unpause_control, plan_answer_ok, NULL);
}
