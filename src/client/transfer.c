/*
 * transfer.c - moving bytes between the queues and the socket, never blocking in one direction
 * only.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "client.h"

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

long long shoal_deadline(const struct shoal_client *client)
{
    return client->timeout_ms > 0 ? now_ms() + client->timeout_ms : -1;
}

enum shoal_status shoal_fail(struct shoal_client *client, enum shoal_status status,
                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(client->error, sizeof(client->error), format, args);
    va_end(args);
    return client->status = status;
}

enum shoal_status shoal_break(struct shoal_client *client, enum shoal_status status,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(client->error, sizeof(client->error), format, args);
    va_end(args);
    return client->fatal = client->status = status;
}

/* A peer that closed may have said why: sending fails quietly, what it sent is still read. */
static bool send_some(struct shoal_client *client)
{
    struct queue *out = &client->out;
    ssize_t sent = send(client->fd, out->data + out->from, queue_waiting(out), MSG_NOSIGNAL);
    if (sent > 0) {
        shoal_queue_take(out, (size_t)sent);
        return true;
    }
    if (errno != EAGAIN && errno != EINTR)
        client->send_failed = true;
    return false;
}

static enum shoal_status receive_some(struct shoal_client *client)
{
    char *room = shoal_queue_room(&client->in, RECEIVE_BYTES_MIN);
    if (room == NULL)
        return shoal_fail(client, SHOAL_ERR_MEMORY, "out of memory");
    ssize_t received = recv(client->fd, room, client->in.capacity - client->in.size, 0);
    if (received > 0)
        client->in.size += (size_t)received;
    else if (received == 0 || errno == ECONNRESET)
        client->received_all = true;
    else if (errno != EAGAIN && errno != EINTR)
        return shoal_break(client, SHOAL_ERR_IO, "cannot receive: %s", strerror(errno));
    return SHOAL_OK;
}

enum shoal_status shoal_progress(struct shoal_client *client, long long deadline)
{
    bool sending = queue_waiting(&client->out) > 0 && !client->send_failed;
    if (sending && send_some(client))
        return SHOAL_OK;
    sending = sending && !client->send_failed;
    struct pollfd poller = { client->fd, (short)(POLLIN | (sending ? POLLOUT : 0)), 0 };
    long long left = deadline < 0 ? -1 : deadline - now_ms();
    if (deadline >= 0 && left < 0)
        left = 0;
    int ready = poll(&poller, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    if (ready < 0 && errno != EINTR)
        return shoal_break(client, SHOAL_ERR_IO, "cannot wait: %s", strerror(errno));
    if (ready == 0)
        return shoal_fail(client, SHOAL_ERR_TIMEOUT, "no answer within %d ms", client->timeout_ms);
    return ready > 0 && (poller.revents & ~POLLOUT) ? receive_some(client) : SHOAL_OK;
}
