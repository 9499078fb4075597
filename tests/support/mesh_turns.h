/*
 * mesh_turns.h - reactors that have nothing but their ends of the queues, turned by hand.
 */
#ifndef SHOAL_TESTS_SUPPORT_MESH_TURNS_H
#define SHOAL_TESTS_SUPPORT_MESH_TURNS_H

#include "shoal/mesh/call.h"
#include "shoal/mesh/mesh.h"
#include "shoal/mesh/message.h"
#include "shoal/reactor/reactor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REACTORS = 3 };

static struct mesh *mesh;
static struct reactor *reactor;
static uint32_t ran[REACTORS], ended;

static inline void wake_nobody(void *context, uint32_t to)
{
    (void)context;
    (void)to;
}

static inline uint32_t turn(struct reactor *here)
{
    uint32_t done = 0;
    struct message *message;
    for (; (message = mesh_next_request(here->port)) != NULL; done++)
        message->run(here, message);
    for (; (message = mesh_next_response(here->port)) != NULL; done++)
        message->done(here, message);
    done += call_finish_own(here);
    mesh_release(here->port);
    return done + mesh_publish(here->port, wake_nobody, NULL);
}

static inline void turn_until_quiet(void)
{
    uint32_t done;
    do {
        done = 0;
        for (uint32_t i = 0; i < REACTORS; i++)
            done += turn(&reactor[i]);
    } while (done > 0);
}

static inline int begin(void **state)
{
    (void)state;
    memset(ran, 0, sizeof(ran));
    ended = 0;
    mesh = mesh_new(REACTORS, 4);
    reactor = aligned_alloc(64, (REACTORS * sizeof(*reactor) + 63) & ~(size_t)63);
    memset(reactor, 0, REACTORS * sizeof(*reactor));
    for (uint32_t i = 0; i < REACTORS; i++) {
        reactor[i].id = i;
        reactor[i].count = REACTORS;
        reactor[i].port = mesh_port_new(mesh, i);
    }
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < REACTORS; i++)
        mesh_port_free(&reactor[i].port);
    mesh_free(&mesh);
    free(reactor);
    return 0;
}

#endif
