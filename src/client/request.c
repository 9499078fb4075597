/*
 * request.c - requests out, replies in.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

static enum shoal_status still_broken(struct shoal_client *client)
{
    return client->status = client->fatal; /* the text is still that of the failure */
}

static enum shoal_status break_closed(struct shoal_client *client)
{
    return shoal_break(client, SHOAL_ERR_CLOSED, "the server closed the connection");
}

static enum shoal_status flush_requests(struct shoal_client *client, long long deadline)
{
    while (queue_waiting(&client->out) > 0) {
        enum shoal_status status = shoal_progress(client, deadline);
        if (status != SHOAL_OK)
            return status;
        /* Not fatal yet: shoal_read() gives what was received before. */
        if (client->send_failed || client->received_all)
            return shoal_fail(client, SHOAL_ERR_CLOSED, "the server closed the connection");
    }
    return client->status = SHOAL_OK;
}

enum shoal_status shoal_flush(struct shoal_client *client)
{
    return client->fatal ? still_broken(client) : flush_requests(client, shoal_deadline(client));
}

static char *put_u32(char *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (char)(value >> 8 * i);
    return to + 4;
}

static size_t string_size(const char *const *strings, const size_t *sizes, size_t i)
{
    return sizes != NULL ? sizes[i] : strlen(strings[i]);
}

/* Bytes behind the frame's length; more than REQUEST_BYTES_MAX when it does not fit in a frame. */
static size_t frame_size(size_t count, const char *const *strings, const size_t *sizes)
{
    size_t frame = 1;
    for (size_t i = 0; i < count; i++) {
        size_t size = string_size(strings, sizes, i);
        if (size > REQUEST_BYTES_MAX || (frame += 4 + size) > REQUEST_BYTES_MAX)
            return (size_t)REQUEST_BYTES_MAX + 1;
    }
    return frame;
}

static enum shoal_status queue_request(struct shoal_client *client, size_t frame, size_t count,
                                       const char *const *strings, const size_t *sizes)
{
    char *at = shoal_queue_room(&client->out, 4 + frame);
    if (at == NULL)
        return shoal_fail(client, SHOAL_ERR_MEMORY, "out of memory");
    at = put_u32(at, frame);
    *at++ = (char)count;
    for (size_t i = 0; i < count; i++) {
        size_t size = string_size(strings, sizes, i);
        at = put_u32(at, size);
        if (size > 0)
            memcpy(at, strings[i], size);
        at += size;
    }
    client->out.size += 4 + frame;
    client->pending++;
    return client->status = SHOAL_OK;
}

enum shoal_status shoal_append(struct shoal_client *client, size_t count,
                               const char *const *strings, const size_t *sizes)
{
    if (client->fatal)
        return still_broken(client);
    if (count == 0)
        return shoal_fail(client, SHOAL_ERR_USAGE, "a request has at least one string");
    if (count > REQUEST_STRINGS_MAX)
        return shoal_fail(client, SHOAL_ERR_TOO_BIG, "%zu strings in a request, at most %d", count,
                          REQUEST_STRINGS_MAX);
    size_t frame = frame_size(count, strings, sizes);
    if (frame > REQUEST_BYTES_MAX)
        return shoal_fail(client, SHOAL_ERR_TOO_BIG, "a request has at most %d bytes",
                          REQUEST_BYTES_MAX);
    if (queue_waiting(&client->out) >= OUT_BYTES_FULL) {
        enum shoal_status status = flush_requests(client, shoal_deadline(client));
        if (status != SHOAL_OK)
            return status;
    }
    return queue_request(client, frame, count, strings, sizes);
}

/* "not a shoal server: it sent "-ERR max number of clients..."". */
static enum shoal_status not_shoal(struct shoal_client *client)
{
    enum { SHOWN_MAX = 48 };
    char shown[SHOWN_MAX + 1];
    size_t size = queue_waiting(&client->in);
    size = size < SHOWN_MAX ? size : SHOWN_MAX;
    for (size_t i = 0; i < size; i++) {
        char c = client->in.data[client->in.from + i];
        shown[i] = c >= ' ' && c <= '~' ? c : '.';
    }
    shown[size] = '\0';
    return shoal_break(client, SHOAL_ERR_PROTOCOL, "not a shoal server: it sent \"%s\"", shown);
}

/* The next value: a reply, or a push. */
static enum value_status take_value(struct shoal_client *client, struct shoal_reply *reply)
{
    size_t taken = 0;
    struct queue *in = &client->in;
    if (queue_waiting(in) == 0)
        return VALUE_INCOMPLETE;
    enum value_status status =
        shoal_value_read(in->data + in->from, queue_waiting(in), reply, &taken);
    if (status == VALUE_OK) {
        shoal_queue_take(in, taken);
        client->status = SHOAL_OK;
    }
    return status;
}

static void give_push(struct shoal_client *client, struct shoal_reply *push)
{
    if (client->push != NULL)
        client->push(client->push_context, push);
    shoal_reply_free(push);
}

/* Until there is a reply, or a push where that is wanted; other pushes are given away. */
static enum shoal_status read_value(struct shoal_client *client, struct shoal_reply *reply,
                                    bool push_wanted)
{
    long long deadline = shoal_deadline(client);
    for (;;) {
        enum value_status value = take_value(client, reply);
        if (value == VALUE_OK && reply->type == SHOAL_PUSH) {
            give_push(client, reply);
            if (push_wanted)
                return SHOAL_OK;
            continue;
        }
        if (value == VALUE_OK && push_wanted) {
            shoal_reply_free(reply);
            return shoal_break(client, SHOAL_ERR_PROTOCOL, "a reply to no request");
        }
        if (value == VALUE_OK) {
            client->pending--;
            return SHOAL_OK;
        }
        if (value == VALUE_BAD)
            return not_shoal(client);
        if (value == VALUE_NO_MEMORY)
            return shoal_fail(client, SHOAL_ERR_MEMORY, "out of memory");
        if (client->received_all)
            return break_closed(client);
        enum shoal_status status = shoal_progress(client, deadline);
        if (status != SHOAL_OK)
            return status;
    }
}

enum shoal_status shoal_read(struct shoal_client *client, struct shoal_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    if (client->fatal)
        return still_broken(client);
    if (client->pending == 0)
        return shoal_fail(client, SHOAL_ERR_USAGE, "no request is waiting for a reply");
    return read_value(client, reply, false);
}

void shoal_on_push(struct shoal_client *client, shoal_push_fn push, void *context)
{
    client->push = push;
    client->push_context = context;
}

enum shoal_status shoal_wait_push(struct shoal_client *client)
{
    struct shoal_reply push;
    if (client->fatal)
        return still_broken(client);
    if (client->pending > 0)
        return shoal_fail(client, SHOAL_ERR_USAGE, "%zu replies are unread", client->pending);
    return read_value(client, &push, true);
}

size_t shoal_pending(const struct shoal_client *client)
{
    return client->pending;
}

enum shoal_status shoal_call(struct shoal_client *client, struct shoal_reply *reply, size_t count,
                             const char *const *strings, const size_t *sizes)
{
    memset(reply, 0, sizeof(*reply));
    if (!client->fatal && client->pending > 0)
        return shoal_fail(client, SHOAL_ERR_USAGE, "%zu earlier replies are unread",
                          client->pending);
    enum shoal_status status = shoal_append(client, count, strings, sizes);
    return status == SHOAL_OK ? shoal_read(client, reply) : status;
}

enum shoal_status shoal_command(struct shoal_client *client, struct shoal_reply *reply, ...)
{
    const char *strings[REQUEST_STRINGS_MAX + 1];
    size_t count = 0;
    va_list args;
    va_start(args, reply);
    /* One beyond the limit is enough for shoal_append() to refuse. */
    while (count <= REQUEST_STRINGS_MAX && (strings[count] = va_arg(args, const char *)) != NULL)
        count++;
    va_end(args);
    return shoal_call(client, reply, count, strings, NULL);
}

enum shoal_status shoal_status_of(const struct shoal_client *client)
{
    return client->status;
}

const char *shoal_error(const struct shoal_client *client)
{
    return client->error;
}

const char *shoal_status_name(enum shoal_status status)
{
    static const char *const names[] = {
        [SHOAL_OK] = "ok",
        [SHOAL_ERR_CONNECT] = "cannot connect",
        [SHOAL_ERR_TIMEOUT] = "timed out",
        [SHOAL_ERR_CLOSED] = "closed by the server",
        [SHOAL_ERR_IO] = "input/output error",
        [SHOAL_ERR_PROTOCOL] = "not a shoal server",
        [SHOAL_ERR_TOO_BIG] = "request too big",
        [SHOAL_ERR_MEMORY] = "out of memory",
        [SHOAL_ERR_USAGE] = "wrong use",
    };
    return (size_t)status < sizeof(names) / sizeof(*names) ? names[status] : "unknown status";
}
