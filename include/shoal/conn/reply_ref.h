/*
 * reply_ref.h - a reply too large to copy: encoded bytes and pinned values, by reference.
 *
 * Made by the reactor that ran the command and destroyed there. The reactor that sends it counts
 * its own uses and, after the last, sends the reply reference home as a one-way message; only then
 * are the values unpinned.
 */
#ifndef SHOAL_CONN_REPLY_REF_H
#define SHOAL_CONN_REPLY_REF_H

#include "shoal/mesh/message.h"
#include "shoal/proto/reply.h"

enum { REPLY_REF_MAGIC = 0x72656673 };

struct reply_ref {
    struct message message;
    uint32_t magic; /* REPLY_REF_MAGIC from its making to its end */
    char *base;     /* `size` encoded bytes, malloc'ed */
    size_t size;
    struct reply_pin *pins; /* values that belong between them, in order of offset */
    uint32_t pin_count;
    uint32_t mark_count;
    uint32_t *marks; /* ends of elements, see reply_mark() */
    uint32_t uses;   /* the sender's count */
    bool of_refs;    /* the pins' tokens are references of other reactors, not blobs */
};

/*
 * Takes the heap bytes, pins and marks out of a finished reply (copying bytes that are not on the
 * heap), which is then empty.
 *
 *   returns  one use, the caller's; NULL when memory is out: the pins have been released and the
 *            reply is lost
 */
struct reply_ref *reply_ref_new(struct reactor *here, struct reply *reply, bool of_refs);

/* Thread: the reactor that sends it. */
static inline void reply_ref_use(struct reply_ref *ref)
{
    ref->uses++;
}
void reply_ref_unuse(struct reactor *here, struct reply_ref *ref);

/* Releases what a reply has pinned and frees it: for a reply that will not be sent. */
void reply_discard(struct reactor *here, struct reply *reply, bool of_refs);

#endif
