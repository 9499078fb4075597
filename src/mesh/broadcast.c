/*
 * broadcast.c - a call to each reactor, counted as they come back.
 */
#include "shoal/mesh/broadcast.h"

#include "shoal/base/must.h"
#include "shoal/mesh/call.h"
#include "shoal/reactor/reactor.h"

#include <stdlib.h>

static struct broadcast *broadcast_of(struct message *message)
{
    return ((struct broadcast_message *)message)->of;
}

static void one_run(struct reactor *here, struct message *message)
{
    struct broadcast *broadcast = broadcast_of(message);
    broadcast->run(here, broadcast);
    call_answer(here, message);
}

static void one_done(struct reactor *home, struct message *message)
{
    struct broadcast *broadcast = broadcast_of(message);
    must(broadcast->outstanding > 0);
    if (--broadcast->outstanding == 0 && broadcast->done != NULL)
        broadcast->done(home, broadcast);
}

struct broadcast *broadcast_new(uint32_t reactors, broadcast_run_fn run, broadcast_done_fn done)
{
    struct broadcast *broadcast =
        calloc(1, sizeof(*broadcast) + reactors * sizeof(broadcast->to[0]));
    if (broadcast == NULL)
        return NULL;
    broadcast->run = run;
    broadcast->done = done;
    broadcast->reactors = reactors;
    return broadcast;
}

void broadcast_send(struct reactor *here, struct broadcast *broadcast)
{
    must(broadcast->outstanding == 0);
    broadcast->outstanding = broadcast->reactors;
    for (uint32_t i = 0; i < broadcast->reactors; i++) {
        uint32_t to = (here->id + 1 + i) % broadcast->reactors; /* ourselves last */
        broadcast->to[i].of = broadcast;
        broadcast->to[i].message = (struct message){
            .run = one_run,
            .done = one_done,
            .kind = MESSAGE_CALL,
            .magic = MESSAGE_MAGIC,
            .to = (uint16_t)to,
        };
        call_send(here, &broadcast->to[i].message);
    }
}
