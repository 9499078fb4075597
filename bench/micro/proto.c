/*
 * proto.c - nanoseconds per request decoded and per reply encoded.
 *
 *     make micro && build/release/micro/proto
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shoal/proto/decode.h"
#include "shoal/proto/reply.h"

enum { REQUESTS = 64, ROUNDS = 100000, TRIES = 5 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Best of TRIES: what the code costs, without what the machine adds. */
static void report(const char *name, void (*run)(void *), void *context)
{
    double best = 1e30;
    for (int i = 0; i < TRIES; i++) {
        double start = now_ns();
        run(context);
        double each = (now_ns() - start) / ROUNDS / REQUESTS;
        best = each < best ? each : best;
    }
    printf("%-28s %6.1f ns\n", name, best);
}

struct pipeline {
    enum proto proto;
    char bytes[REQUESTS * 128];
    size_t size;
};

static void fill(struct pipeline *pipeline, enum proto proto, const char *request, size_t size)
{
    pipeline->proto = proto;
    pipeline->size = 0;
    for (int i = 0; i < REQUESTS; i++, pipeline->size += size)
        memcpy(pipeline->bytes + pipeline->size, request, size);
}

static void decode_pipeline(void *context)
{
    const struct pipeline *pipeline = context;
    static const struct decode_limits limits = { 512 << 20, DECODE_ARGS_MAX };
    struct decoder decoder;
    decoder_init(&decoder);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t at = 0; at < pipeline->size; at += decoder.size) {
            if (decode(&decoder, pipeline->proto, &limits, pipeline->bytes + at,
                       pipeline->size - at) != DECODE_OK)
                abort();
        }
    }
    decoder_reset(&decoder);
}

static void decode_case(const char *name, enum proto proto, const char *request, size_t size)
{
    static struct pipeline pipeline;
    fill(&pipeline, proto, request, size);
    report(name, decode_pipeline, &pipeline);
}

struct encoding {
    enum proto proto;
    void (*write)(struct reply *reply);
};

static const char value[] = "the value that many caches store"; /* 32 bytes */

static void write_str(struct reply *reply)
{
    reply_str(reply, bytes_of(value, 32));
}

static void write_int(struct reply *reply)
{
    reply_int(reply, 1234);
}

static void write_one(struct reply *reply)
{
    reply_int(reply, 1);
}

static void encode_replies(void *context)
{
    const struct encoding *encoding = context;
    static char buffer[REQUESTS * 128];
    for (int round = 0; round < ROUNDS; round++) {
        struct reply reply;
        reply_init(&reply, encoding->proto, buffer, sizeof(buffer), NULL, 0);
        for (int i = 0; i < REQUESTS; i++) {
            reply_begin(&reply);
            encoding->write(&reply);
            reply_end(&reply);
        }
        if (reply.heap)
            abort();
    }
}

static void encode_case(const char *name, enum proto proto, void (*write)(struct reply *reply))
{
    struct encoding encoding = { proto, write };
    report(name, encode_replies, &encoding);
}

int main(void)
{
    static const char get[] = "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n";
    static const char set[] = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n"
                              "$32\r\nthe value that many caches store\r\n";
    static const char inline_get[] = "GET key:000000000042\r\n";
    static const char native[] = "\x1c\0\0\0\2\3\0\0\0GET\x10\0\0\0key:000000000042";

    decode_case("decode GET, RESP", PROTO_RESP2, get, sizeof(get) - 1);
    decode_case("decode SET, RESP", PROTO_RESP2, set, sizeof(set) - 1);
    decode_case("decode GET, inline", PROTO_RESP2, inline_get, sizeof(inline_get) - 1);
    decode_case("decode GET, native", PROTO_NATIVE, native, sizeof(native) - 1);
    encode_case("reply_str 32 bytes, RESP", PROTO_RESP2, write_str);
    encode_case("reply_str 32 bytes, native", PROTO_NATIVE, write_str);
    encode_case("reply_int 1, RESP", PROTO_RESP2, write_one);
    encode_case("reply_int 1234, RESP", PROTO_RESP2, write_int);
    encode_case("reply_int 1234, native", PROTO_NATIVE, write_int);
    encode_case("reply_nil, RESP", PROTO_RESP2, reply_nil);
    encode_case("reply_ok, RESP", PROTO_RESP2, reply_ok);
    return 0;
}
