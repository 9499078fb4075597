/*
 * proto.c - native or RESP, from the first four bytes.
 */
#include "shoal/proto/proto.h"

enum { NATIVE_BYTE3_MAX = 7 }; /* top byte of a length below 2^27 */

enum proto proto_detect(const char *data, uint64_t size)
{
    if (size < 4)
        return PROTO_UNKNOWN;
    return (unsigned char)data[3] <= NATIVE_BYTE3_MAX ? PROTO_NATIVE : PROTO_RESP2;
}
