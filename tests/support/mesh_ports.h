/*
 * mesh_ports.h - three reactors' ends of the queues on one thread, and numbered messages between them.
 */
#ifndef SHOAL_TESTS_SUPPORT_MESH_PORTS_H
#define SHOAL_TESTS_SUPPORT_MESH_PORTS_H

#include "shoal/mesh/mesh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { A, B, C, REACTORS };

struct job {
    struct message message;
    uint32_t number;
};

static struct mesh *mesh;
static struct mesh_port *port[REACTORS];
static uint32_t woken[REACTORS];

static inline void start(uint32_t ring_size)
{
    mesh = mesh_new(REACTORS, ring_size);
    for (uint32_t i = 0; i < REACTORS; i++) {
        port[i] = mesh_port_new(mesh, i);
        woken[i] = 0;
    }
}

static inline void stop(void)
{
    for (uint32_t i = 0; i < REACTORS; i++)
        mesh_port_free(&port[i]);
    mesh_free(&mesh);
}

static bool memory_is_out;

struct spsc *__real_spsc_new(uint32_t capacity);
struct spsc *__wrap_spsc_new(uint32_t capacity);
struct spsc *__wrap_spsc_new(uint32_t capacity)
{
    return memory_is_out ? NULL : __real_spsc_new(capacity);
}

static inline void count_wake(void *context, uint32_t reactor)
{
    (void)context;
    woken[reactor]++;
}

static inline bool publish(uint32_t reactor)
{
    return mesh_publish(port[reactor], count_wake, NULL);
}

static inline struct job job(uint32_t to, uint32_t number)
{
    return (struct job){
        .message = { .kind = MESSAGE_CALL, .magic = MESSAGE_MAGIC, .to = (uint16_t)to },
        .number = number
    };
}

static inline void send(uint32_t from, struct job *it)
{
    mesh_send(port[from], &it->message);
}

/* The numbers of the requests that `reactor` takes in one turn, as text: "1 2 3". */
static inline const char *take(uint32_t reactor, bool respond)
{
    static char text[4096];
    size_t size = 0;
    struct message *message;
    text[0] = '\0';
    while ((message = mesh_next_request(port[reactor])) != NULL) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%u", size > 0 ? " " : "",
                                 ((struct job *)message)->number);
        if (respond)
            mesh_respond(port[reactor], message);
    }
    mesh_release(port[reactor]);
    publish(reactor);
    return text;
}

static inline const char *take_responses(uint32_t reactor)
{
    static char text[4096];
    size_t size = 0;
    struct message *message;
    text[0] = '\0';
    while ((message = mesh_next_response(port[reactor])) != NULL)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%u", size > 0 ? " " : "",
                                 ((struct job *)message)->number);
    mesh_release(port[reactor]);
    return text;
}

#endif
