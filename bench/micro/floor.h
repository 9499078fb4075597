/*
 * floor.h - what the servers that do nothing but input and output have in common.
 *
 * They answer every request ('*' begins one, so keys and values must not hold any) with the same 32
 * bytes. Load them with GETs of 32-byte values.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "shoal/net/socket.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MAX = 1024, REQUEST_BYTES = 36, ANSWER_BYTES = 39 };

static inline void floor_answers(char *out)
{
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        memcpy(out + i * ANSWER_BYTES, "$32\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", ANSWER_BYTES);
}

/* A port of this machine, or a path. Minus errno when it fails. */
static inline int floor_listen(const char *place)
{
    return strchr(place, '/') != NULL ? socket_listen_unix(place, 0, 511)
                                      : socket_listen_tcp("127.0.0.1", atoi(place), 511);
}

/* How many requests begin in these bytes. A GET of a 16-byte key is stepped over as a whole. */
static inline uint32_t floor_requests(const char *data, size_t size)
{
    uint32_t count = 0;
    for (const char *at = data, *end = data + size; at < end; count++) {
        at = memchr(at, '*', (size_t)(end - at));
        if (at == NULL)
            break;
        at += end - at > REQUEST_BYTES ? REQUEST_BYTES : 1;
    }
    return count;
}

#endif
