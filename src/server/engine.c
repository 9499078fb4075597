/*
 * engine.c - choosing an I/O engine: each reactor opens a ring of it, and one refusal is everybody's.
 */
#include "shoal/server/engine.h"

#include "shoal/base/must.h"

#include <stdio.h>
#include <string.h>

void engine_choice_init(struct engine_choice *choice, uint32_t count, enum io_engine asked)
{
    *choice = (struct engine_choice){
        .engine = ring_engine_find(asked == IO_ENGINE_EPOLL ? "epoll" : "uring"),
        .asked = asked,
        ._count = count,
    };
    must(choice->engine != NULL);
    pthread_mutex_init(&choice->_lock, NULL);
    pthread_cond_init(&choice->_cond, NULL);
}

void engine_choice_fini(struct engine_choice *choice)
{
    pthread_mutex_destroy(&choice->_lock);
    pthread_cond_destroy(&choice->_cond);
}

/* All have tried. */
static void conclude(struct engine_choice *choice)
{
    choice->_agreed = true;
    if (choice->_error != 0 && choice->asked == IO_ENGINE_AUTO && choice->refused == NULL) {
        choice->refused = choice->engine;
        choice->refused_error = choice->_error;
        choice->engine = ring_engine_find("epoll");
        choice->_error = 0;
        choice->_agreed = false;
    }
    choice->_tried = 0;
    choice->_round++;
}

/* Waits for the others. Returns the error that one of them had; `agreed` says whether it is final. */
static int try_ended(struct engine_choice *choice, int error, bool *agreed)
{
    pthread_mutex_lock(&choice->_lock);
    uint32_t round = choice->_round;
    if (error != 0 && choice->_error == 0)
        choice->_error = error;
    if (++choice->_tried == choice->_count) {
        conclude(choice);
        pthread_cond_broadcast(&choice->_cond);
    }
    while (choice->_round == round)
        pthread_cond_wait(&choice->_cond, &choice->_lock);
    *agreed = choice->_agreed; /* the next round cannot end without us */
    error = choice->_error;
    pthread_mutex_unlock(&choice->_lock);
    return error;
}

static const struct ring_engine *engine_to_try(struct engine_choice *choice)
{
    pthread_mutex_lock(&choice->_lock);
    const struct ring_engine *engine = choice->engine;
    pthread_mutex_unlock(&choice->_lock);
    return engine;
}

struct ring *engine_open(struct engine_choice *choice, const struct ring_config *config, int *error)
{
    bool agreed;
    for (;;) {
        struct ring *ring = engine_to_try(choice)->open(config, error);
        *error = try_ended(choice, ring == NULL ? *error : 0, &agreed);
        if (agreed && *error == 0)
            return ring;
        if (ring != NULL)
            ring_free(&ring);
        if (agreed)
            return NULL;
    }
}

void engine_why(const struct engine_choice *choice, char out[ENGINE_WHY_TEXT])
{
    if (choice->asked != IO_ENGINE_AUTO)
        snprintf(out, ENGINE_WHY_TEXT, "as asked");
    else if (choice->refused == NULL)
        snprintf(out, ENGINE_WHY_TEXT, "auto");
    else
        snprintf(out, ENGINE_WHY_TEXT, "auto: %s (%s)",
                 choice->refused->explain(choice->refused_error), strerror(-choice->refused_error));
}
