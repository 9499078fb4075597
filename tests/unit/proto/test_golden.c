/*
 * test_golden.c - the dialogues of tests/golden, through decoder and encoder, whole and byte by
 * byte.
 *
 * A server of two commands answers from memory; tests/golden/README.md describes the files. Run
 * from the top of the tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shoal/proto/decode.h"
#include "shoal/proto/reply.h"

enum { LINE_MAX_BYTES = 1 << 12, DIALOGUE_MAX = 1 << 18 };

struct peer {
    struct decoder decoder;
    struct reply reply;
    enum proto proto;
    size_t done; /* bytes of the request stream that were answered */
    bool closed;
};

static unsigned hex(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* Undoes the files' escapes. Returns the size. */
static size_t unescape(const char *text, const char *end, char *out)
{
    size_t size = 0;
    while (text < end) {
        char byte;
        int count, used = 0;
        if (*text == '{' && sscanf(text, "{%c*%d}%n", &byte, &count, &used) == 2 && used > 0) {
            memset(out + size, byte, (size_t)count);
            size += (size_t)count;
            text += used;
        } else if (*text == '\\' && text[1] == 'x') {
            out[size++] = (char)(hex(text[2]) << 4 | hex(text[3]));
            text += 4;
        } else if (*text == '\\') {
            out[size++] = text[1] == 'r'   ? '\r'
                          : text[1] == 'n' ? '\n'
                          : text[1] == 't' ? '\t'
                                           : text[1];
            text += 2;
        } else {
            out[size++] = *text++;
        }
    }
    return size;
}

static void answer(struct peer *peer)
{
    const struct decoder *d = &peer->decoder;
    struct reply *reply = &peer->reply;
    if (d->argc == 0)
        return;
    struct bytes name = bytes_of(d->base + d->args[0].offset, d->args[0].size);
    reply_begin(reply);
    if (bytes_is(name, "ping") && d->argc == 1)
        reply_simple(reply, "PONG");
    else if (bytes_is(name, "echo") && d->argc == 2)
        reply_str(reply, bytes_of(d->base + d->args[1].offset, d->args[1].size));
    else if (bytes_is(name, "echo"))
        reply_error(reply, "ERR wrong number of arguments for 'echo' command");
    else
        reply_errorf(reply,
                     "ERR unknown command '%.*s', with args beginning with: ", (int)name.size,
                     name.data);
    reply_end(reply);
}

static void refuse(struct peer *peer)
{
    peer->closed = true;
    if (peer->decoder.error[0] == '\0')
        return;
    reply_begin(&peer->reply);
    reply_errorf(&peer->reply, "ERR %s", peer->decoder.error);
    reply_end(&peer->reply);
}

static void feed(struct peer *peer, const char *data, size_t size)
{
    static const struct decode_limits limits = { 512 << 20, DECODE_ARGS_MAX };
    if (peer->proto == PROTO_UNKNOWN)
        peer->proto = proto_detect(data, size);
    peer->reply.proto = (uint8_t)peer->proto;
    while (peer->proto != PROTO_UNKNOWN && !peer->closed) {
        enum decode_status status =
            decode(&peer->decoder, peer->proto, &limits, data + peer->done, size - peer->done);
        if (status == DECODE_MORE)
            return;
        if (status == DECODE_OK) {
            peer->done += peer->decoder.size;
            answer(peer);
        } else {
            refuse(peer);
        }
    }
}

/* Feeds in steps, each time in memory of exactly the size that has "arrived". */
static void play(const char *line, const char *request, size_t size, size_t step,
                 const char *expected, size_t expected_size, bool close)
{
    struct peer peer = { .proto = PROTO_UNKNOWN };
    decoder_init(&peer.decoder);
    reply_init(&peer.reply, PROTO_RESP2, NULL, 0, NULL, 0);
    for (size_t arrived = 0; arrived < size && !peer.closed;) {
        arrived = arrived + step < size ? arrived + step : size;
        char *memory = malloc(arrived);
        memcpy(memory, request, arrived);
        feed(&peer, memory, arrived);
        free(memory);
    }
    if (peer.closed != close || peer.reply.size != expected_size ||
        (expected_size > 0 && memcmp(peer.reply.base, expected, expected_size) != 0))
        fail_msg("%.200s (in steps of %zu)\nanswered %.*s%s", line, step,
                 (int)(peer.reply.size < 200 ? peer.reply.size : 200),
                 peer.reply.base ? peer.reply.base : "", peer.closed ? "<close>" : "");
    reply_fini(&peer.reply);
    decoder_reset(&peer.decoder);
}

static void play_line(const char *line)
{
    static char request[DIALOGUE_MAX], expected[DIALOGUE_MAX];
    const char *tab = strchr(line, '\t');
    assert_non_null(tab);
    const char *end = line + strlen(line), *mark = "<close>";
    bool close = (size_t)(end - tab) > strlen(mark) && strcmp(end - strlen(mark), mark) == 0;
    size_t size = unescape(line, tab, request);
    size_t expected_size = unescape(tab + 1, close ? end - strlen(mark) : end, expected);
    play(line, request, size, size, expected, expected_size, close);
    play(line, request, size, size < 5000 ? 1 : 509, expected, expected_size, close);
    for (size_t cut = 1; cut < size && size < 200; cut++)
        play(line, request, size, cut, expected, expected_size, close);
}

static void play_file(const char *path)
{
    static char line[LINE_MAX_BYTES];
    int dialogues = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: run from the top of the tree", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        play_line(line);
        dialogues++;
    }
    fclose(file);
    assert_true(dialogues > 10);
}

static void as_redis(void **state)
{
    (void)state;
    play_file("tests/golden/resp.txt");
}

static void stricter_than_redis(void **state)
{
    (void)state;
    play_file("tests/golden/resp_strict.txt");
}

static void native(void **state)
{
    (void)state;
    play_file("tests/golden/native.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_redis),
        cmocka_unit_test(stricter_than_redis),
        cmocka_unit_test(native),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
