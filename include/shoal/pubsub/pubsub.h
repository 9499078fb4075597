/*
 * pubsub.h - publish and subscribe: what a reactor keeps of it, and the commands.
 *
 * A reactor has two tables. `topics` says which of its own connections have subscribed to what, by
 * name. `interests` says which reactors have subscribers of what, by hash: whoever publishes sends
 * the message straight to these, once to each.
 *
 *   SUBSCRIBE    a plan asks every reactor to count one more; when all have, the connection joins
 *                the topic and the reply is written: whoever publishes after the client has read it
 *                reaches it. What comes earlier finds no subscription and is dropped.
 *   UNSUBSCRIBE  the connection leaves the topic at once, and nothing more is delivered; the other
 *                reactors are told afterwards (notices.h), and the answer is not sent before they
 *                have heard. RESET and the end of a connection do the same without an answer.
 *   PUBLISH      the home delivers to its own subscribers and pushes one message to each other
 *                reactor that has some (mesh/mesh.h); there it is delivered by name (push.h).
 *
 * Messages of one connection to one channel arrive in order: each is sent when it is published, and
 * both queues and connections keep the order. Thread: owner, for all of it.
 */
#ifndef SHOAL_PUBSUB_PUBSUB_H
#define SHOAL_PUBSUB_PUBSUB_H

#include "shoal/cmd/command.h"
#include "shoal/pubsub/interests.h"
#include "shoal/pubsub/notices.h"
#include "shoal/pubsub/topics.h"

struct reactor;

/* A reactor's. */
struct pubsub {
    struct topics topics;
    struct interests interests;
    struct notices notices;
};

/* Aborts when memory is out. Thread: startup, as the next. */
void pubsub_init(struct pubsub *pubsub, uint32_t reactors);
/* Every connection is gone. */
void pubsub_fini(struct pubsub *pubsub);

/* What they take on this reactor; pubsub_note() tells it to the table of state (stats/state.h),
 * after changes. */
uint64_t pubsub_bytes(const struct pubsub *pubsub);
void pubsub_note(struct reactor *here);

extern const struct command pubsub_commands[];

#endif
