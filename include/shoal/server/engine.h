/*
 * engine.h - which I/O engine the reactors use: all of them the same one, for they wake each other.
 */
#ifndef SHOAL_SERVER_ENGINE_H
#define SHOAL_SERVER_ENGINE_H

#include "shoal/net/ring.h"
#include "shoal/options/options.h"

#include <pthread.h>

struct engine_choice {
    const struct ring_engine *engine; /* that is used, or tried last */
    enum io_engine asked;
    const struct ring_engine *refused; /* tried before it, in vain; NULL: none */
    int refused_error;                 /* -errno */

    /* reactors try an engine in rounds; a round ends when all have */
    pthread_mutex_t _lock;
    pthread_cond_t _cond;
    uint32_t _count, _tried, _round;
    int _error;   /* of this round, the first one's */
    bool _agreed; /* the last round's engine is the one, or there is none */
};

/* For so many reactors. Thread: startup. */
void engine_choice_init(struct engine_choice *choice, uint32_t count, enum io_engine asked);
void engine_choice_fini(struct engine_choice *choice);

/*
 * Opens a reactor's ring. Blocks until all have one of the same engine, or none can: where the
 * system refuses io_uring to one of them and the choice is auto, all take epoll.
 *
 *   error    0 or -errno, the same for all
 *   returns  NULL on error
 *   thread   a reactor's; each calls it once
 */
struct ring *engine_open(struct engine_choice *choice, const struct ring_config *config,
                         int *error);

enum { ENGINE_WHY_TEXT = 512 };

/* Why it is this engine, in one line. After engine_open() of all. Thread: startup. */
void engine_why(const struct engine_choice *choice, char out[ENGINE_WHY_TEXT]);

#endif
