/*
 * reply.h - a reply under construction, encoded for the client's protocol as it is written.
 *
 * A command's handler calls reply_*() without knowing the protocol. The bytes go to memory that the
 * caller lends first (the connection's send buffer, or the descriptor's inline area), then to a
 * spare buffer it may lend, then to the heap. A long string can be left where it is:
 * reply_str_pinned() records where in the bytes it belongs, and the sender sends it from there.
 */
#ifndef SHOAL_PROTO_REPLY_H
#define SHOAL_PROTO_REPLY_H

#include "shoal/base/bytes.h"
#include "shoal/base/must.h"
#include "shoal/proto/proto.h"

enum {
    /* a string from this size up is worth sending from where it is */
    REPLY_PIN_BYTES_MIN = 16 * 1024,
    REPLY_ERROR_CODE_MAX = 24, /* with its 0 */
    REPLY_NEED_MAX = 64,       /* most bytes that one small element takes (an int, a header line) */
};

/* A string that stands outside `base`: it belongs before base[offset]. `pin` is the lender's
 * token. */
struct reply_pin {
    uint32_t offset;
    struct bytes text;
    void *pin;
};

struct reply {
    char *base; /* first byte; `size` are written, `capacity` fit */
    size_t size;
    size_t capacity;
    uint8_t proto;   /* enum proto: RESP2, RESP3 or NATIVE */
    bool heap;       /* base is malloc'ed and belongs to the reply */
    bool no_memory;  /* an allocation failed: the reply is incomplete, answer an error instead */
    bool marking;    /* reply_mark() records */
    bool parked;     /* see reply_park() */
    uint32_t errors; /* error replies written */
    char error_code[REPLY_ERROR_CODE_MAX]; /* first word of the last one, for error statistics */

    char *spare; /* lent second buffer, or NULL */
    size_t spare_size;

    struct reply_pin *pins;
    uint32_t pin_count, _pin_capacity;
    uint32_t *marks; /* see reply_mark() */
    uint32_t mark_count, _mark_capacity;
    uint32_t _frame;      /* native: where the frame's length goes */
    uint32_t _frame_pins; /* pins before this frame */
};

/* Starts an empty reply in lent memory (`first` may be NULL with size 0). */
void reply_init(struct reply *reply, enum proto proto, char *first, size_t first_size, char *spare,
                size_t spare_size);

/* Frees heap memory, pins array and marks array (not what the pins point at). The reply is empty
 * then. */
void reply_fini(struct reply *reply);

/*
 * Around one top-level reply: native replies get their frame length, RESP needs nothing. A part of
 * a larger reply (a command inside EXEC, a shard's part of MGET) is written without them.
 */
void reply_begin(struct reply *reply);
void reply_end(struct reply *reply);

/* At least `n` bytes at the returned place, NULL when memory is out. Then reply_commit() what was
 * used. */
char *reply_reserve_slow(struct reply *reply, size_t n);
static inline char *reply_reserve(struct reply *reply, size_t n)
{
    if (likely(reply->capacity - reply->size >= n))
        return reply->base + reply->size;
    return reply_reserve_slow(reply, n);
}
static inline void reply_commit(struct reply *reply, size_t n)
{
    reply->size += n;
}
/* Bytes that are encoded already. */
void reply_raw(struct reply *reply, struct bytes encoded);

/* Elements. Each is one value; a container is followed by its `count` elements (a map by 2 x
 * count). */
void reply_ok(struct reply *reply);
void reply_simple(struct reply *reply, const char *text); /* "+PONG" */
void reply_error(
    struct reply *reply,
    const char *text); /* "ERR no such key": code first, no dash. CR and LF become spaces */
enum { REPLY_ERROR_TEXT_MAX = 1023 }; /* reply_errorf() cuts there */
__attribute__((format(printf, 2, 3))) void reply_errorf(struct reply *reply, const char *format,
                                                        ...);
void reply_int(struct reply *reply, int64_t value);
void reply_str(struct reply *reply, struct bytes text);
/* False: memory is out, nothing was recorded and `pin` still is the caller's to release. */
bool reply_str_pinned(struct reply *reply, struct bytes text, void *pin);
/* The same for bytes that are encoded already and stand elsewhere. */
bool reply_raw_pinned(struct reply *reply, struct bytes encoded, void *pin);
void reply_cstr(struct reply *reply, const char *text);
void reply_nil(struct reply *reply);
void reply_nil_array(struct reply *reply); /* RESP2 "*-1"; elsewhere nil */
void reply_array(struct reply *reply, uint32_t count);
void reply_map(struct reply *reply, uint32_t pairs); /* RESP3 map; elsewhere a flat array */
void reply_set(struct reply *reply, uint32_t count); /* RESP3 set; elsewhere an array */
/* What no request has asked for: RESP2 an array, RESP3 a push, native a type of its own. */
void reply_push(struct reply *reply, uint32_t count);
void reply_double(struct reply *reply, double value);
void reply_bool(struct reply *reply, bool value);
void reply_verbatim(struct reply *reply, struct bytes text, const char *format); /* "txt" */

/*
 * A container whose count is known late: its elements are written between the two, and its header
 * is put before them at the end, which moves them by its size. One may be opened inside another.
 * reply_prepend() puts values of the caller's own there, encoded already.
 */
struct reply_opened {
    size_t at;
    uint32_t pins, marks; /* that stand before it */
};
enum reply_container { REPLY_ARRAY, REPLY_MAP, REPLY_SET };
static inline struct reply_opened reply_open(const struct reply *reply)
{
    return (struct reply_opened){ reply->size, reply->pin_count, reply->mark_count };
}
void reply_close(struct reply *reply, struct reply_opened opened, enum reply_container container,
                 uint32_t count);
void reply_prepend(struct reply *reply, struct reply_opened opened, struct bytes encoded);

/*
 * Ends an element that will be merged with those of other shards: marks[i] is the offset in `base` at
 * which the i-th element ends (a pin at exactly that offset, recorded before the mark, belongs to
 * it). Does nothing unless `marking`.
 */
void reply_mark(struct reply *reply);

/*
 * What has been written is the answer only if the command cannot wait, as in a transaction: where
 * it can, its answer comes when there is something to say (shard/parking.h).
 */
static inline void reply_park(struct reply *reply)
{
    reply->parked = true;
}

/*
 * Takes back everything written since `size` was `to` (at an element's border): for an error found
 * late. Pins are taken back too and are the caller's to release: pins[pin_count ...] up to the
 * earlier pin_count stay readable until the next one is recorded. Does not take back `errors`.
 */
void reply_rollback(struct reply *reply, size_t to);

#endif
