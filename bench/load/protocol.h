/*
 * protocol.h - the wire formats the harness speaks: how a command is laid out, where a reply ends.
 *
 * Requests are laid out once and later only copied and patched, so layout may be slow; replies are
 * scanned just far enough to find their end and kind. One file each: resp.c, native.c, memcache.c,
 * and a row in protocol.c's list.
 */
#ifndef BENCH_PROTOCOL_H
#define BENCH_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "keys.h"

/* A place in a laid-out request that changes from one request to the next. */
struct patch {
    uint32_t offset;
    enum part part;
};

/* The bytes of one request with key 0 and filler in its places. Grows as needed. */
struct layout {
    char *bytes;
    uint32_t size, capacity;
    struct patch patch[COMMAND_ARGS_MAX];
    uint32_t patches;
};

/* What the places are filled with: sizes matter here, contents come with the patches. */
struct fill {
    const struct key_name *key;
    uint32_t data_size;
    uint64_t ttl_ms;
};

enum reply_kind {
    REPLY_OK,
    REPLY_VALUE,
    REPLY_NIL,
    REPLY_INT,
    REPLY_ARRAY,
    REPLY_ERROR,
    REPLY_PUSH
};

/* Borrowed from the scanned bytes. An array counts its values and its nils, not nested. */
struct reply {
    enum reply_kind kind;
    const char *data; /* OK, VALUE, ERROR: the text */
    size_t size;
    uint64_t values, nils; /* 1 and 0 for VALUE, 0 and 1 for NIL */
};

enum { REPLY_MORE = 0, REPLY_BAD = -1 };

struct protocol {
    const char *name;
    bool resp; /* AUTH, INFO, CLIENT INFO are understood */

    /* Replaces `layout`'s content. False when the protocol has no such command. */
    bool (*lay_out)(const struct command *command, const struct fill *fill, struct layout *layout);

    /* The bytes of the first whole reply in data[0..size), REPLY_MORE or REPLY_BAD. */
    ptrdiff_t (*scan)(const char *data, size_t size, struct reply *reply);
};

extern const struct protocol PROTOCOL_RESP, PROTOCOL_NATIVE, PROTOCOL_MEMCACHE;

/* "resp", "native", "memcached"; NULL for others. Thread: any. */
const struct protocol *protocol_find(const char *name);

/* For the protocols: appends to a layout; the last one records where a part stands. */
void layout_bytes(struct layout *layout, const void *data, size_t size);
void layout_text(struct layout *layout, const char *text);
void layout_arg(struct layout *layout, const struct arg *arg, const struct fill *fill);
void layout_part(struct layout *layout, enum part part, const struct fill *fill);
void layout_fini(struct layout *layout);

/* Bytes layout_arg() will append. */
uint32_t layout_arg_size(const struct arg *arg, const struct fill *fill);

enum { RAND_DIGITS = 12 };

#endif
