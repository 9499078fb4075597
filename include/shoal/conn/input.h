/*
 * input.h - received bytes to requests.
 *
 * Requests are parsed where the bytes arrived, in a receive buffer of the ring, and point into it
 * until they have been answered. Only what cannot be parsed at once is copied into a struct input:
 * an incomplete request, or what stands behind a stall. Thread: owner of the connection.
 */
#ifndef SHOAL_CONN_INPUT_H
#define SHOAL_CONN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct conn;
struct io_event;
struct request;

/* Received bytes that could not be parsed at once. */
struct input {
    struct budget *budget; /* where it is counted, ... */
    uint32_t share;        /* ... enum budget_share */
    uint32_t refs;         /* requests that point into it, and the connection */
    size_t size, capacity;
    char data[];
};

static inline size_t input_footprint(const struct input *input)
{
    return sizeof(*input) + input->capacity;
}

/* Bytes that are not parsed yet. */
size_t input_waiting(const struct conn *conn);

/* Takes in what has been received, and parses until the connection stalls. */
void input_received(struct conn *conn, const struct io_event *event);

/* Counts what has been received. */
void input_note(struct conn *conn, size_t size);
/* Takes in a copy of bytes that a transport has made of those received. */
void input_given(struct conn *conn, const char *data, size_t size);

/* Parses on what had to wait. */
void input_parse(struct conn *conn);

/* Gives back one reference; the last one frees it. */
void input_release(struct input **input);

/* The connection's request is complete, or will never be: gives back the room that was kept for
 * it. */
void input_settle(struct conn *conn);

/* Where the rest of a large request, for which there is room, can be received; 0: there is none. */
size_t input_window(struct conn *conn, char **place);

/* What its request has allocated, 0 if nothing. */
static inline uint64_t input_bytes(const struct input *input)
{
    return input != NULL ? input_footprint(input) : 0;
}

/* Has the connection's input counted in the share of its claim, which has changed. */
void input_follow(struct conn *conn);

/* The memory of a request that is being received if its rest has arrived in the kernel's buffer and
 * it would run at once; 0: not so. */
size_t input_whole(struct conn *conn);

/* Copies a request's arguments out of the receive buffer, of which there are few, if memory allows:
 * it may wait long. */
void input_detach(struct request *request);

#endif
