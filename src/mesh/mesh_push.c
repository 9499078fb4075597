/*
 * mesh_push.c - pushes to other reactors, and those that wait for responses before them.
 */
#include "shoal/mesh/mesh.h"

#include "port.h"

#include "shoal/base/list.h"

/* Responses to `to` so far: those before which an ordered push must not run. */
static uint32_t responses_made(const struct lane *lane)
{
    uint32_t count = lane->responses_out != NULL ? spsc_pushed(lane->responses_out) : 0;
    for (const struct message *message = lane->answers.first; message != NULL;
         message = message->next)
        count++;
    return count;
}

void mesh_push(struct mesh_port *port, struct push_message *push)
{
    struct lane *lane = &port->lane[push->message.to];
    must(push->message.kind == MESSAGE_PUSH && !push->message.urgent);
    if (push->ordered)
        push->after = responses_made(lane);
    lane->push_bytes += push->bytes;
    mesh_send(port, &push->message);
}

bool mesh_push_congested(const struct mesh_port *port, uint32_t to)
{
    return port->lane[to].push_bytes > MESH_PUSH_BYTES;
}

/* As many responses of its sender have been taken as there were when it was made. */
static bool is_due(const struct lane *lane, const struct message *message)
{
    const struct push_message *push = (const struct push_message *)message;
    uint32_t taken = lane->responses_in != NULL ? spsc_popped(lane->responses_in) : 0;
    return !push->ordered || (int32_t)(taken - push->after) >= 0;
}

bool mesh_push_arrived(struct mesh_port *port, struct message *message)
{
    struct lane *lane = &port->lane[message->from];
    if (lane->held.first == NULL && is_due(lane, message))
        return true;
    list_add(&lane->held, message, next);
    lane_set_add(&port->holding, message->from);
    return false;
}

struct message *mesh_next_push(struct mesh_port *port)
{
    uint32_t i;
    if (lane_set_empty(&port->holding)) /* mostly */
        return NULL;
    while ((i = lane_set_next(&port->holding, port->push_source)) != LANES_NONE) {
        struct lane *lane = &port->lane[i];
        port->push_source = i;
        if (lane->held.first != NULL && is_due(lane, lane->held.first))
            return list_take(&lane->held, next);
        if (lane->held.first == NULL)
            lane_set_remove(&port->holding, i);
        port->push_source = i + 1;
    }
    port->push_source = 0;
    return NULL;
}
