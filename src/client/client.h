/*
 * client.h - what the files of the client library share. Private to src/client.
 * Everything begins with shoal_, because a library shares its user's name space.
 */
#ifndef SHOAL_SRC_CLIENT_CLIENT_H
#define SHOAL_SRC_CLIENT_CLIENT_H

#include <stdbool.h>

#include "shoal/client.h"

enum {
    REQUEST_BYTES_MAX = (1 << 27) - 1,
    REQUEST_STRINGS_MAX = 255,
    OUT_BYTES_FULL = 64 * 1024, /* shoal_append() sends before it queues more */
    RECEIVE_BYTES_MIN = 16 * 1024,
    REPLY_DEPTH_MAX = 32,
};

/* Bytes [from, size) of data are waiting. */
struct queue {
    char *data;
    size_t from, size, capacity;
};

struct shoal_client {
    int fd;
    int timeout_ms;
    enum shoal_status status; /* of the last call */
    enum shoal_status fatal;  /* SHOAL_OK while the connection works */
    bool send_failed;         /* what was received may still be read */
    bool received_all;        /* the peer closed */
    size_t pending;
    shoal_push_fn push;
    void *push_context;
    struct queue out, in;
    char error[256];
};

/* Notes a failure and returns it. */
__attribute__((format(printf, 3, 4))) enum shoal_status
shoal_fail(struct shoal_client *client, enum shoal_status status, const char *format, ...);
/* The same, for failures that end the connection. */
__attribute__((format(printf, 3, 4))) enum shoal_status
shoal_break(struct shoal_client *client, enum shoal_status status, const char *format, ...);

/* Room for `n` bytes behind what is queued, NULL when memory is out. */
char *shoal_queue_room(struct queue *queue, size_t n);
static inline size_t queue_waiting(const struct queue *queue)
{
    return queue->size - queue->from;
}
void shoal_queue_take(struct queue *queue, size_t n);

/* Milliseconds on the monotonic clock at which a call that begins now gives up; -1: never. */
long long shoal_deadline(const struct shoal_client *client);

/*
 * Sends what is queued and receives what is there, waiting for one of both: a peer that waits for
 * us to read can therefore never wait for ever. SHOAL_OK after some progress (or the peer's close).
 */
enum shoal_status shoal_progress(struct shoal_client *client, long long deadline);

/* How a value ended. */
enum value_status { VALUE_OK, VALUE_INCOMPLETE, VALUE_BAD, VALUE_NO_MEMORY };

/* One reply frame at `data`; on VALUE_OK `*taken` is its size. Anything else leaves `reply`
 * empty. */
enum value_status shoal_value_read(const char *data, size_t size, struct shoal_reply *reply,
                                   size_t *taken);

#endif
