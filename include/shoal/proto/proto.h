/*
 * proto.h - which protocol a connection speaks.
 */
#ifndef SHOAL_PROTO_PROTO_H
#define SHOAL_PROTO_PROTO_H

#include <stdint.h>

enum proto {
    PROTO_UNKNOWN, /* fewer than four bytes have arrived */
    PROTO_NATIVE,
    PROTO_RESP2, /* inline commands too */
    PROTO_RESP3,
};

/*
 * Decides from the first bytes of a connection. A native frame's fourth byte is the top of a length
 * below 2^27, at most 7; a byte of RESP or of an inline command is at least 9.
 *
 *   returns  PROTO_UNKNOWN while the bytes so far could still be either
 */
enum proto proto_detect(const char *data, uint64_t size);

#endif
