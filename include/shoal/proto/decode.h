/*
 * decode.h - bytes of a connection to requests: RESP arrays, inline commands and native frames.
 *
 * A decoder is resumable: fed the same request in any split it gives the same result, and it never
 * looks at a byte twice except within one number. It allocates nothing in proportion to a size that
 * was only declared.
 */
#ifndef SHOAL_PROTO_DECODE_H
#define SHOAL_PROTO_DECODE_H

#include "shoal/base/bytes.h"
#include "shoal/proto/proto.h"

enum {
    DECODE_SPANS_INLINE = 8,       /* arguments a decoder holds without allocating */
    DECODE_SPANS_KEPT = 1024,      /* a larger block of arguments is freed with its request */
    DECODE_ARGS_MAX = 1024 * 1024, /* arguments of one request; more is an error */
    DECODE_INLINE_MAX = 64 * 1024, /* bytes of an inline command or of a length line */
    DECODE_NATIVE_FRAME_MAX = (1 << 27) - 1,
    DECODE_UNAUTH_ARGS_MAX = 10, /* before AUTH: Redis 6.2.6's limits (CVE-2021-32675) */
    DECODE_UNAUTH_BULK_MAX = 16384,
};

enum decode_status {
    DECODE_OK,   /* a request is complete: base, args, argc, size are set. argc may be 0: skip it */
    DECODE_MORE, /* feed again with the same bytes and more behind them */
    DECODE_BAD,  /* the connection gets `error` and is closed */
    DECODE_NO_MEMORY,
};

struct decode_limits {
    int64_t bulk_bytes_max; /* proto-max-bulk-len; applies to native strings too */
    uint32_t args_max; /* DECODE_ARGS_MAX; less means "before AUTH" and chooses the error text */
};

/*
 * One request in progress. Argument i is base[args[i].offset .. + args[i].size). `base` is the
 * `data` of the decode() call that completed the request, except for an inline command with quotes,
 * whose unquoted text the decoder holds. Both it and `args` live until the next decode() or
 * decoder_reset(); a caller that keeps the request longer copies it. Not movable: `args` may point inside.
 */
struct decoder {
    struct span *args; /* `_inline`, or a heap block once there are more than that */
    const char *base;
    uint32_t argc;
    uint32_t size; /* set with DECODE_OK: bytes of `data` the request took; the next begins there */
    uint32_t
        want; /* set with DECODE_MORE: bytes of the request known to be needed, for the buffer */
    char error[64]; /* set with DECODE_BAD: "Protocol error: ..." */
    /* The caller's: what it has found out about requests that begin as this one does. NULL unless
     * the request before had the same count and the same first argument, byte by byte. */
    const void *known;

    uint32_t _at;   /* everything before it has been understood */
    uint32_t _scan; /* no line end before it */
    uint32_t _args_left;
    int64_t _bulk; /* -1: a bulk header comes next */
    uint32_t _capacity;
    uint8_t _state;
    char *_unquoted; /* text of an inline command without its quotes */
    struct decode_head {
        uint64_t text[2], mask[2]; /* "*2\r\n$3\r\nGET\r\n", and which bytes of it count */
        uint32_t size;             /* 0: none */
        uint32_t count;
        struct span name;
    } _head; /* how the last request began: most pipelines go on the same way */
    struct span _inline[DECODE_SPANS_INLINE];
};

void decoder_init(struct decoder *decoder);
/* Frees what many arguments took; the decoder is as after decoder_init(). */
void decoder_reset(struct decoder *decoder);

/* Moves the progress of `from` into `to`, which was not in use; `from` is as after
 * decoder_init(). */
void decoder_move(struct decoder *to, struct decoder *from);

/*
 * Decodes the request at `data`.
 *
 *   proto    PROTO_NATIVE, or PROTO_RESP2/3 (same requests); may change between requests only
 *   data     the request's first byte; `size` bytes are there, the rest of the pipeline included
 *   thread   owner of the decoder
 *   source   RESP: redis.io protocol spec; error texts and limits as redis-server 7.0 gives them.
 *            Stricter than it: every line and bulk must end in CR LF, a request is below 4 GiB and
 *            has at most DECODE_ARGS_MAX arguments, and a NUL byte ends nothing.
 *
 * A RESP line "POST ..." or "Host: ..." is DECODE_BAD with an empty error: close at once, say
 * nothing.
 */
enum decode_status decode(struct decoder *decoder, enum proto proto,
                          const struct decode_limits *limits, const char *data, size_t size);

#endif
