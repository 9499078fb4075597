/*
 * parcel.c - replies by reference, and their way home.
 */
#include "shoal/conn/parcel.h"

#include "shoal/conn/conns.h"
#include "shoal/mesh/mesh.h"
#include "shoal/reactor/reactor.h"
#include "shoal/store/value/blob.h"

#include <stdlib.h>

static void pins_release(struct reactor *here, struct reply_pin *pins, uint32_t count,
                         bool of_parcels)
{
    for (uint32_t i = 0; i < count; i++) {
        if (of_parcels)
            parcel_unuse(here, pins[i].pin);
        else
            blob_unread(pins[i].pin);
    }
}

static void parcel_destroy(struct reactor *here, struct message *message)
{
    struct parcel *parcel = (struct parcel *)message;
    here->conns->buffers.reply_bytes -= parcel->size;
    pins_release(here, parcel->pins, parcel->pin_count, parcel->of_parcels);
    free(parcel->pins);
    free(parcel->marks);
    free(parcel->base);
    free(parcel);
}

void reply_discard(struct reactor *here, struct reply *reply, bool of_parcels)
{
    pins_release(here, reply->pins, reply->pin_count, of_parcels);
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

struct parcel *parcel_new(struct reactor *here, struct reply *reply, bool of_parcels)
{
    struct parcel *parcel = calloc(1, sizeof(*parcel));
    char *base = parcel != NULL ? bytes_take(reply) : NULL;
    if (base == NULL) {
        free(parcel);
        reply_discard(here, reply, of_parcels);
        return NULL;
    }
    *parcel = (struct parcel){
        .message = { .run = parcel_destroy, .kind = MESSAGE_ONEWAY, .to = here->id },
        .base = base,
        .size = reply->size,
        .pins = reply->pins,
        .pin_count = reply->pin_count,
        .marks = reply->marks,
        .mark_count = reply->mark_count,
        .uses = 1,
        .of_parcels = of_parcels,
    };
    here->conns->buffers.reply_bytes += parcel->size;
    reply->heap = false;
    reply->pins = NULL;
    reply->pin_count = 0;
    reply->marks = NULL;
    reply->mark_count = 0;
    reply_fini(reply);
    return parcel;
}

void parcel_unuse(struct reactor *here, struct parcel *parcel)
{
    must(parcel->uses > 0);
    if (--parcel->uses > 0)
        return;
    if (parcel->message.to == here->id)
        parcel_destroy(here, &parcel->message);
    else
        mesh_send(here->port, &parcel->message);
}
