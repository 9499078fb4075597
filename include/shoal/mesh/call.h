/*
 * call.h - messages of kind MESSAGE_CALL between reactors, the sender itself included.
 *
 * A call to oneself runs at once; its done() waits until later in the turn, so that it never runs
 * on top of the function that answers. Thread: owner, for all of it.
 */
#ifndef SHOAL_MESH_CALL_H
#define SHOAL_MESH_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct message;
struct reactor;

/* Has message->to run it. */
void call_send(struct reactor *here, struct message *message);

/* Ends a call's run(), at once or later: the message goes home. It always fits. */
void call_answer(struct reactor *here, struct message *message);

/* Ends the answered calls to ourselves; returns how many there were. */
uint32_t call_finish_own(struct reactor *here);

/* True while such a call waits for its end. */
bool call_own_waits(const struct reactor *here);

#endif
