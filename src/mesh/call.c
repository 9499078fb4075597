/*
 * call.c - to another reactor by the mesh, to ourselves by a list.
 */
#include "shoal/mesh/call.h"

#include "shoal/mesh/mesh.h"
#include "shoal/reactor/reactor.h"

void call_send(struct reactor *here, struct message *message)
{
    if (message->to == here->id) {
        message->from = (uint16_t)here->id;
        message->run(here, message);
    } else {
        mesh_send(here->port, message);
    }
}

void call_answer(struct reactor *here, struct message *message)
{
    if (message->from == here->id)
        mesh_keep_own(here->port, message);
    else
        mesh_respond(here->port, message);
}

uint32_t call_finish_own(struct reactor *here)
{
    uint32_t count = 0;
    for (struct message *message; (message = mesh_next_own(here->port)) != NULL; count++)
        message->done(here, message);
    return count;
}

bool call_own_waits(const struct reactor *here)
{
    return mesh_has_own(here->port);
}
