/*
 * floor.c - what the system calls alone cost: a server that receives and sends through the same
 * ring as shoal and does nothing between, beside which shoal's CPU per request can be put.
 *
 *     floor PORT | PATH        serves until it is killed
 *
 * It answers every request ('*' begins one, so keys and values must not hold any) with the same 32
 * bytes. Load it with GETs of 32-byte values. One thread.
 */
#include "shoal/net/ring.h"
#include "shoal/net/socket.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWERS_MAX = 1024, REQUEST_BYTES = 36 };

#define ANSWER "$32\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"

struct client {
    struct io_op recv, send; /* recv first */
    int fd;
    uint32_t owed; /* answers not yet on their way */
    bool spoke;
};

static struct ring *ring;
static char answers[ANSWERS_MAX * (sizeof(ANSWER) - 1)];

static void answer(struct client *client)
{
    uint32_t count = client->owed < ANSWERS_MAX ? client->owed : ANSWERS_MAX;
    if (count == 0 || client->send.in_flight)
        return;
    client->owed -= count;
    ring_send(ring, &client->send, client->fd, answers, count * (sizeof(ANSWER) - 1));
}

static void sent(struct io_op *op, const struct io_event *event)
{
    struct client *client = (struct client *)((char *)op - offsetof(struct client, send));
    if (event->result > 0)
        answer(client);
}

/* Of the requests that begin in these bytes. A GET of a 16-byte key is stepped over. */
static uint32_t count_requests(const char *data, size_t size)
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

static void received(struct io_op *op, const struct io_event *event)
{
    struct client *client = (struct client *)op;
    if (event->result > 0) {
        uint32_t count = count_requests(event->data, (size_t)event->result);
        client->owed += count == 0 && !client->spoke ? 1 : count; /* an inline one to begin with */
        client->spoke = true;
        ring_buffer_release(ring, event->buffer);
        answer(client);
    } else if (!event->more && event->result != -ENOBUFS) {
        ring_file_drop(ring, client->fd);
        close(client->fd); /* the client's few bytes stay: a send may be under way */
        return;
    }
    if (!event->more)
        ring_recv(ring, &client->recv, client->fd);
}

static void accepted(struct io_op *op, const struct io_event *event)
{
    (void)op;
    struct client *client = calloc(1, sizeof(*client));
    if (event->result < 0 || client == NULL) {
        free(client);
        return;
    }
    client->fd = event->result;
    client->recv.done = received;
    client->send.done = sent;
    socket_tune(client->fd, 0);
    ring_file_keep(ring, client->fd);
    ring_recv(ring, &client->recv, client->fd);
}

int main(int argc, char **argv)
{
    struct ring_config config = { 512, 4096, 32 * 1024, 16, "all" };
    struct io_op door = { .done = accepted };
    int error = 0;
    if (argc != 2) {
        fprintf(stderr, "floor PORT | PATH\n");
        return 2;
    }
    int listener = strchr(argv[1], '/') != NULL
                       ? socket_listen_unix(argv[1], 0, 511)
                       : socket_listen_tcp("127.0.0.1", atoi(argv[1]), 511);
    ring = uring_new(&config, &error);
    if (listener < 0 || ring == NULL) {
        fprintf(stderr, "floor: %s\n", strerror(listener < 0 ? -listener : -error));
        return 1;
    }
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        memcpy(answers + i * (sizeof(ANSWER) - 1), ANSWER, sizeof(ANSWER) - 1);
    ring_accept(ring, &door, listener);
    for (uint32_t did = 0;; did = ring_turn(ring, did > 0 ? 0 : -1))
        ;
}
