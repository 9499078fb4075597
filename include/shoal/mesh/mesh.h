/*
 * mesh.h - the queues between reactors, with credits.
 *
 * Each ordered pair of reactors has a request ring and a response ring, made at first use. A
 * request takes a credit and its response gives it back; there are as many credits as the response
 * ring has room, so an owner can always answer and no thread ever waits for another. What has no
 * credit or no room waits in the sender's backlog, a list through the messages themselves; its
 * connection stops reading (mesh_congested()).
 *
 * A turn looks only at the lanes that something has arrived on (mesh/lanes.h), or waits to go out
 * on: what it does grows with them and not with the number of reactors.
 * Pushes (MESSAGE_PUSH) wait in a third list, which goes on when nothing else waits, and leave half
 * of the credits to the others. Their bytes are counted until they are back: above MESH_PUSH_BYTES
 * whoever makes more has to wait (mesh_push_congested()), for the other reactor and never for a
 * client.
 *
 * Rings: mesh_ring_size() requests. Response rings are twice as large: half for credits, half
 * reserved for urgent messages and those that the sequencer forwards for others, whose number the
 * transaction layer bounds.
 */
#ifndef SHOAL_MESH_MESH_H
#define SHOAL_MESH_MESH_H

#include "shoal/base/bound.h"
#include "shoal/base/spsc.h"
#include "shoal/mesh/message.h"
#include "shoal/mesh/sleep.h"

enum {
    MESH_REACTORS_MAX = 128,
    /* Requests in a ring; and credits. 256 between two shards stop pipelines of 50 on 50
     * connections half-way: 25 % more CPU a request. */
    MESH_RING = BOUND(1024, 2),
    MESH_RING_MIN = BOUND(256, 2),    /* with many reactors: each pair has less to say */
    MESH_DRAIN_SOURCE = BOUND(32, 1), /* requests from one source, then the next has its turn */
    MESH_DRAIN_TURN = BOUND(512, 2),  /* requests taken in one turn */
    MESH_REPLY_BYTES = BOUND(128 * 1024, 2048), /* reply space of a pair, see mesh_reply_space(); */
    MESH_REPLY_BYTES_MIN = BOUND(8 * 1024, 2048), /* less with many reactors */
    MESH_PUSH_BYTES = BOUND(1024 * 1024, 1024),   /* of pushes to one reactor */
};

struct mesh; /* the shared part: ring pointers and sleeping flags */

/* Entries of each ring for this number of reactors: MESH_RING up to 8, then less. */
uint32_t mesh_ring_size(uint32_t reactors);

/* `ring_size` is mesh_ring_size(); tests go down to 2. Aborts when memory is out. Thread:
 * startup. */
struct mesh *mesh_new(uint32_t reactors, uint32_t ring_size);
void mesh_free(struct mesh **mesh); /* after every reactor has stopped */

/* One reactor's ends of all queues. */
struct mesh_port;
struct mesh_port *mesh_port_new(struct mesh *mesh, uint32_t self);
void mesh_port_free(struct mesh_port **port);

/* Sends `message` to message->to, another reactor; sets message->from unless forwarding. Thread:
 * owner, as all below. */
void mesh_send(struct mesh_port *port, struct message *message);
/* Sends on for `message->from`: takes no credit of ours. For the sequencer. */
void mesh_forward(struct mesh_port *port, struct message *message);
/* Sends it back to message->from. Always fits. */
void mesh_respond(struct mesh_port *port, struct message *message);

/* Sends a push. With push->ordered it stays behind all that has been answered to that reactor so
 * far: it runs there after those answers. */
void mesh_push(struct mesh_port *port, struct push_message *push);
/* True while so much is under way to `to` that connections should stop making more. */
bool mesh_push_congested(const struct mesh_port *port, uint32_t to);
/* A push has arrived: true if it may run now; else it waits for mesh_next_push(). */
bool mesh_push_arrived(struct mesh_port *port, struct message *message);
/* The next one that waited for responses which have been taken since, or NULL. */
struct message *mesh_next_push(struct mesh_port *port);

/* Calls to ourselves that have been answered: they wait here for their done(), in order. See
 * mesh/call.h. */
void mesh_keep_own(struct mesh_port *port, struct message *message);
struct message *mesh_next_own(struct mesh_port *port);
bool mesh_has_own(const struct mesh_port *port);

/* True when requests to `to` have to wait: connections should stop making more. */
bool mesh_congested(const struct mesh_port *port, uint32_t to);

/*
 * Room for the encoded reply of the request that will be answered next to `to`: `size` bytes that
 * stay until `to` has taken that response. NULL when there is no room at the moment.
 */
char *mesh_reply_space(struct mesh_port *port, uint32_t to, size_t size);

/* The next request, round-robin with the bounds above; NULL when the turn's share is done or
 * nothing is there. */
struct message *mesh_next_request(struct mesh_port *port);
/* The next response from anybody, or NULL. */
struct message *mesh_next_response(struct mesh_port *port);
/* Ends the draining of a turn: slots and reply space are given back. */
void mesh_release(struct mesh_port *port);

/* Moves backlogs on and publishes all that was pushed; calls `wake` for each reactor that sleeps.
 * True if anything was published. */
typedef void (*mesh_wake_fn)(void *context, uint32_t reactor);
bool mesh_publish(struct mesh_port *port, mesh_wake_fn wake, void *context);

/* Announces sleep, requests and responses having been drained; false when something has arrived
 * meanwhile (then do not sleep). mesh_awake() afterwards. */
bool mesh_may_sleep(struct mesh_port *port);
void mesh_awake(struct mesh_port *port);

/* True when messages wait for credit or room. */
bool mesh_backlogged(const struct mesh_port *port);
/* True when some wait for room in a ring: unlike returning credit, room is not announced. */
bool mesh_wants_room(const struct mesh_port *port);

/* Lanes looked at since the last call: of those that something had arrived on. */
uint64_t mesh_looks(struct mesh_port *port);

#endif
