/*
 * floor.c - what the system calls alone cost: a server that receives and sends through the same
 * ring as shoal and does nothing between, beside which shoal's CPU per request can be put.
 *
 *     floor PORT | PATH        serves until it is killed
 *
 * It answers every request as floor.h says. One thread.
 */
#include "floor.h"

#include "shoal/base/container_of.h"
#include "shoal/net/ring.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
    struct io_op recv, send; /* recv first */
    int fd;
    uint32_t owed; /* answers not yet on their way */
    bool spoke, ended;
};

static struct ring *ring;
static char answers[ANSWERS_MAX * ANSWER_BYTES];

static void answer(struct client *client)
{
    uint32_t count = client->owed < ANSWERS_MAX ? client->owed : ANSWERS_MAX;
    if (count == 0 || client->send.in_flight)
        return;
    client->owed -= count;
    ring_send(ring, &client->send, client->fd, answers, count * ANSWER_BYTES);
}

/* The client's few bytes stay. */
static void end(struct client *client)
{
    if (client->ended && !client->send.in_flight)
        ring_close(ring, client->fd);
}

static void sent(struct io_op *op, const struct io_event *event)
{
    struct client *client = container_of(op, struct client, send);
    if (client->ended)
        end(client);
    else if (event->result > 0)
        answer(client);
}

static void received(struct io_op *op, const struct io_event *event)
{
    struct client *client = (struct client *)op;
    if (event->result > 0) {
        uint32_t count = floor_requests(event->data, (size_t)event->result);
        client->owed += count == 0 && !client->spoke ? 1 : count; /* an inline one to begin with */
        client->spoke = true;
        ring_buffer_release(ring, event->buffer);
        answer(client);
    } else if (!event->more && event->result != -ENOBUFS) {
        client->ended = true;
        end(client);
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
    if (!ring_keep(ring, client->fd)) {
        ring_close(ring, client->fd);
        free(client);
        return;
    }
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
    int listener = floor_listen(argv[1]);
    ring = ring_engine_find("uring")->open(&config, &error);
    if (listener < 0 || ring == NULL) {
        fprintf(stderr, "floor: %s\n", strerror(listener < 0 ? -listener : -error));
        return 1;
    }
    floor_answers(answers);
    ring_accept(ring, &door, listener);
    for (uint32_t did = 0;; did = ring_turn(ring, did > 0 ? 0 : -1))
        ;
}
