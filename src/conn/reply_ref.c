/*
 * reply_ref.c - replies by reference, and their way home.
 */
#include "shoal/conn/reply_ref.h"

#include "shoal/base/must.h"
#include "shoal/conn/conns.h"
#include "shoal/mesh/mesh.h"
#include "shoal/reactor/reactor.h"
#include "shoal/store/value/blob.h"

#include <stdlib.h>

static void pins_release(struct reactor *here, struct reply_pin *pins, uint32_t count, bool of_refs)
{
    for (uint32_t i = 0; i < count; i++) {
        if (of_refs)
            reply_ref_unuse(here, pins[i].pin);
        else
            blob_unread(pins[i].pin);
    }
}

static void ref_destroy(struct reactor *here, struct message *message)
{
    struct reply_ref *ref = (struct reply_ref *)message;
    must(ref->magic == REPLY_REF_MAGIC && ref->uses == 0);
    ref->magic = 0;
    here->conns->budget.reply_bytes -= ref->size;
    pins_release(here, ref->pins, ref->pin_count, ref->of_refs);
    free(ref->pins);
    free(ref->marks);
    free(ref->base);
    free(ref);
}

void reply_discard(struct reactor *here, struct reply *reply, bool of_refs)
{
    pins_release(here, reply->pins, reply->pin_count, of_refs);
    reply_fini(reply);
}

/* The reply's bytes in memory of their own. */
static char *bytes_take(struct reply *reply)
{
    if (reply->heap)
        return reply->base;
    char *copy = malloc(reply->size > 0 ? reply->size : 1);
    if (copy != NULL && reply->size > 0)
        memcpy(copy, reply->base, reply->size);
    return copy;
}

struct reply_ref *reply_ref_new(struct reactor *here, struct reply *reply, bool of_refs)
{
    struct reply_ref *ref = calloc(1, sizeof(*ref));
    char *base = ref != NULL ? bytes_take(reply) : NULL;
    if (base == NULL) {
        free(ref);
        reply_discard(here, reply, of_refs);
        return NULL;
    }
    *ref = (struct reply_ref){
        .message = { .run = ref_destroy,
                     .kind = MESSAGE_ONEWAY,
                     .magic = MESSAGE_MAGIC,
                     .to = here->id },
        .magic = REPLY_REF_MAGIC,
        .base = base,
        .size = reply->size,
        .pins = reply->pins,
        .pin_count = reply->pin_count,
        .marks = reply->marks,
        .mark_count = reply->mark_count,
        .uses = 1,
        .of_refs = of_refs,
    };
    here->conns->budget.reply_bytes += ref->size;
    reply->heap = false;
    reply->pins = NULL;
    reply->pin_count = 0;
    reply->marks = NULL;
    reply->mark_count = 0;
    reply_fini(reply);
    return ref;
}

void reply_ref_unuse(struct reactor *here, struct reply_ref *ref)
{
    must(ref->magic == REPLY_REF_MAGIC && ref->uses > 0);
    if (--ref->uses > 0)
        return;
    if (ref->message.to == here->id)
        ref_destroy(here, &ref->message);
    else
        mesh_send(here->port, &ref->message);
}
