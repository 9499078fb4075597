/*
 * client.h - C client library for shoal's native protocol (libshoal.a).
 *
 * Blocking, with time-outs; requests may be pipelined: append any number, then read the replies in
 * the same order. A connection belongs to one thread at a time.
 *
 *     struct shoal_client *c = shoal_connect("127.0.0.1", 6379, 1000);
 *     struct shoal_reply r;
 *     if (shoal_command(c, &r, "SET", "greeting", "hello", NULL) == SHOAL_OK)
 *         shoal_reply_free(&r);
 *     shoal_close(&c);
 */
#ifndef SHOAL_CLIENT_H
#define SHOAL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shoal_status {
    SHOAL_OK = 0,
    SHOAL_ERR_CONNECT,  /* refused, unreachable, bad address */
    SHOAL_ERR_TIMEOUT,  /* nothing lost: read again, or close */
    SHOAL_ERR_CLOSED,   /* the server closed the connection */
    SHOAL_ERR_IO,       /* errno says what */
    SHOAL_ERR_PROTOCOL, /* the peer does not speak the native protocol */
    SHOAL_ERR_TOO_BIG,  /* a request over 2^27-1 bytes or 255 strings: nothing was sent */
    SHOAL_ERR_MEMORY,
    SHOAL_ERR_USAGE, /* reading more replies than requests were sent */
};

enum shoal_type {
    SHOAL_NIL = 0,
    SHOAL_ERROR = 1,
    SHOAL_STRING = 2,
    SHOAL_INTEGER = 3,
    SHOAL_ARRAY = 4,
    SHOAL_PUSH = 5, /* elements, as of an array; never a reply, see shoal_on_push() */
};

/* One value. Strings are zero-terminated for convenience; `size` is the truth. */
struct shoal_reply {
    enum shoal_type type;
    int64_t integer;              /* SHOAL_INTEGER */
    char *text;                   /* SHOAL_STRING, SHOAL_ERROR; owned by the reply */
    size_t size;                  /* bytes of text */
    struct shoal_reply *elements; /* SHOAL_ARRAY, SHOAL_PUSH */
    size_t count;
};

struct shoal_client; /* opaque */

/* `timeout_ms` limits connecting and every later call; 0 = none. NULL only when memory is out:
 * other failures are in shoal_status_of(client), so that shoal_error() can say why. */
struct shoal_client *shoal_connect(const char *host, int port, int timeout_ms);
struct shoal_client *shoal_connect_unix(const char *path, int timeout_ms);
void shoal_close(struct shoal_client **client);

enum shoal_status shoal_status_of(const struct shoal_client *client);
const char *shoal_error(const struct shoal_client *client); /* text of the last failure */
const char *shoal_status_name(enum shoal_status status);

/*
 * Queues one request (sent when the buffer is full, by shoal_flush() or by the first read). `sizes`
 * NULL: the strings are zero-terminated. On a failure, SHOAL_ERR_TIMEOUT included, nothing was
 * queued.
 */
enum shoal_status shoal_append(struct shoal_client *client, size_t count,
                               const char *const *strings, const size_t *sizes);
enum shoal_status shoal_flush(struct shoal_client *client);
/* The reply to the oldest unanswered request; free it with shoal_reply_free(). */
enum shoal_status shoal_read(struct shoal_client *client, struct shoal_reply *reply);
size_t shoal_pending(const struct shoal_client *client);

/*
 * One request and its reply; SHOAL_ERR_USAGE while earlier replies are unread. After
 * SHOAL_ERR_TIMEOUT its reply is still to come: shoal_read() it, or close. shoal_command() takes
 * zero-terminated strings, ended by NULL.
 */
enum shoal_status shoal_command(struct shoal_client *client, struct shoal_reply *reply, ...);
enum shoal_status shoal_call(struct shoal_client *client, struct shoal_reply *reply, size_t count,
                             const char *const *strings, const size_t *sizes);
void shoal_reply_free(struct shoal_reply *reply);

/*
 * What no request has asked for: messages of channels that the client has subscribed to. They may
 * come before any reply, and are given to `push` by the call that meets them, which is shoal_read()
 * in one of its forms, or shoal_wait_push(). The value is gone when `push` returns, and `push` must
 * not use the client. Without such a function they are dropped.
 */
typedef void (*shoal_push_fn)(void *context, const struct shoal_reply *push);
void shoal_on_push(struct shoal_client *client, shoal_push_fn push, void *context);
/* Waits for at least one, with the time-out of other calls. SHOAL_ERR_USAGE while replies are
 * unread. */
enum shoal_status shoal_wait_push(struct shoal_client *client);

#ifdef __cplusplus
}
#endif

#endif
