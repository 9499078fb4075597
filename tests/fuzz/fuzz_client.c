/*
 * fuzz_client.c - bytes that a server sends to the client library: no crash, and splits change
 * nothing. See run.sh.
 *
 * The first byte chooses a split, the second how sending goes; the others are what the server sends
 * before it closes. The system calls that the library makes are answered here. What it makes of the
 * bytes must be the same for every split, and the same as an independent reader's.
 *
 * sources  src/client/?*.c
 * flags    -Wl,--wrap=socket,--wrap=connect,--wrap=send,--wrap=recv,--wrap=poll
 * options  -max_len=2048
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "shoal/client.h"
#include "support/reply_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags);
int __wrap_poll(struct pollfd *list, nfds_t count, int timeout_ms);

enum {
    REQUESTS = 24,
    VALUES_MAX = REQUESTS + 2048 / 9,   /* with pushes, of which each has 9 bytes at least */
    TEXT_MAX = 64 * 1024,               /* bytes of all replies, rendered */
    CLIENT_DEPTH_MAX = 32,              /* the library's; reply_parse.h goes deeper */
    DEPTH_BYTES = 5 * CLIENT_DEPTH_MAX, /* no reply that is smaller is as deep */
};

static struct {
    const uint8_t *at, *end; /* what the server has still to send */
    size_t step;
    int turn, hindrance; /* every `hindrance`th call first fails for a passing reason; 0: none */
} peer;

struct outcome {
    enum shoal_status status;
    size_t replies;
    size_t values;           /* replies and pushes */
    size_t ends[VALUES_MAX]; /* of each of these in the text */
    size_t size;
    char text[TEXT_MAX];
};

/* ---- the system, as the library sees it ---------------------------------- */

static bool hindered(void)
{
    if (peer.hindrance == 0 || ++peer.turn % peer.hindrance != 0)
        return false;
    errno = peer.turn & 1 ? EINTR : EAGAIN;
    return true;
}

int __wrap_socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)fd, (void)address, (void)size;
    return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
    (void)fd, (void)data, (void)flags;
    return hindered() ? -1 : (ssize_t)(size < 7 || peer.hindrance == 0 ? size : 7);
}

ssize_t __wrap_recv(int fd, void *data, size_t size, int flags)
{
    (void)fd, (void)flags;
    if (hindered())
        return -1;
    size_t n = (size_t)(peer.end - peer.at);
    n = n < peer.step ? n : peer.step;
    n = n < size ? n : size;
    memcpy(data, peer.at, n);
    peer.at += n;
    return (ssize_t)n;
}

int __wrap_poll(struct pollfd *list, nfds_t count, int timeout_ms)
{
    (void)timeout_ms;
    if (count != 1)
        abort();
    if (hindered()) {
        errno = EINTR;
        return -1;
    }
    list[0].revents = list[0].events;
    return 1;
}

/* ---- what the library made of it ----------------------------------------- */

static void render(struct outcome *to, const char *data, size_t size)
{
    for (size_t i = 0; i < size && to->size + 1 < TEXT_MAX; i++)
        to->text[to->size++] = data[i];
}

/* In reply_parse.h's notation. */
static void render_reply(struct outcome *to, const struct shoal_reply *reply)
{
    char number[32];
    switch (reply->type) {
    case SHOAL_NIL:
        render(to, "nil", 3);
        return;
    case SHOAL_ERROR:
        render(to, "!", 1);
        render(to, reply->text, reply->size);
        return;
    case SHOAL_STRING:
        render(to, "\"", 1);
        render(to, reply->text, reply->size);
        render(to, "\"", 1);
        return;
    case SHOAL_INTEGER:
        render(to, number, (size_t)sprintf(number, "%lld", (long long)reply->integer));
        return;
    case SHOAL_PUSH:
        render(to, ">", 1);
        /* fall through */
    case SHOAL_ARRAY:
        render(to, "[", 1);
        for (size_t i = 0; i < reply->count; i++) {
            if (i > 0)
                render(to, " ", 1);
            render_reply(to, &reply->elements[i]);
        }
        render(to, "]", 1);
        return;
    }
    abort();
}

static void check_texts_end(const struct shoal_reply *reply)
{
    bool text = reply->type == SHOAL_ERROR || reply->type == SHOAL_STRING;
    if (text != (reply->text != NULL) || (text && reply->text[reply->size] != '\0'))
        abort();
    for (size_t i = 0; i < reply->count; i++)
        check_texts_end(&reply->elements[i]);
}

static void take_value(void *context, const struct shoal_reply *value)
{
    struct outcome *to = context;
    check_texts_end(value);
    render_reply(to, value);
    if (to->values == VALUES_MAX)
        abort();
    to->ends[to->values++] = to->size;
}

static void drive(struct outcome *to, const uint8_t *data, size_t size, size_t step, int hindrance)
{
    static const char *const request[] = { "GET", "key" };
    struct shoal_reply reply;
    peer.at = data, peer.end = data + size;
    peer.step = step, peer.turn = 0, peer.hindrance = hindrance;
    to->replies = to->values = to->size = 0;
    struct shoal_client *client = shoal_connect_unix("/", 0);
    shoal_on_push(client, take_value, to);
    for (int i = 0; i < REQUESTS; i++) {
        if (shoal_append(client, 2, request, NULL) != SHOAL_OK)
            abort();
    }
    while ((to->status = shoal_read(client, &reply)) == SHOAL_OK) {
        take_value(to, &reply);
        shoal_reply_free(&reply);
        to->replies++;
        if (shoal_pending(client) != REQUESTS - to->replies)
            abort();
    }
    /* A failure leaves nothing behind, and says why; one that is final stays. */
    if (reply.text != NULL || reply.elements != NULL || reply.count != 0)
        abort();
    if (shoal_error(client)[0] == '\0' || shoal_status_of(client) != to->status)
        abort();
    if (to->status != SHOAL_ERR_USAGE && shoal_read(client, &reply) != to->status)
        abort();
    shoal_close(&client);
    if (client != NULL)
        abort();
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    if (a->status != b->status || a->replies != b->replies || a->values != b->values ||
        a->size != b->size || memcmp(a->text, b->text, a->size) != 0)
        abort();
}

/* ---- what an independent reader makes of it ------------------------------ */

static void check_against_reader(const struct outcome *seen, const uint8_t *data, size_t size)
{
    static char text[TEXT_MAX];
    size_t at = 0, from = 0;
    long taken;
    for (size_t i = 0; i < seen->values; from = seen->ends[i++]) {
        taken = reply_parse(DIALECT_NATIVE, data + at, size - at, text, sizeof(text));
        size_t n = seen->ends[i] - from;
        if (taken <= 0 || memcmp(seen->text + from, text, n) != 0 || text[n] != '\0')
            abort();
        at += (size_t)taken;
    }
    if (seen->status == SHOAL_ERR_USAGE)
        return;
    taken = reply_parse(DIALECT_NATIVE, data + at, size - at, NULL, 0);
    if (taken > 0 && taken < DEPTH_BYTES)
        abort();
    /* The library may see sooner that the first bytes can become no reply, but never later. */
    if (taken == REPLY_MALFORMED && seen->status != SHOAL_ERR_PROTOCOL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole, other;
    if (size < 2)
        return 0;
    size_t step = data[0] ? data[0] : 1;
    int hindrance = data[1] % 4 ? 2 + data[1] % 4 : 0;
    data += 2, size -= 2;
    drive(&whole, data, size, SIZE_MAX, 0);
    if (whole.status != SHOAL_ERR_CLOSED && whole.status != SHOAL_ERR_PROTOCOL &&
        whole.status != SHOAL_ERR_USAGE)
        abort();
    drive(&other, data, size, 1, 0);
    check_same(&whole, &other);
    drive(&other, data, size, step, hindrance);
    check_same(&whole, &other);
    check_against_reader(&whole, data, size);
    return 0;
}
