/*
 * generator.h - makes requests: draws a command and its keys, copies the layout, patches it.
 *
 * What never changes between two requests is laid out once per worker; a request is then a copy of
 * 40 bytes or so and a few digits. Only commands whose size varies are laid out again each time.
 * Thread: owner.
 */
#ifndef BENCH_GENERATOR_H
#define BENCH_GENERATOR_H

#include "connection.h"
#include "load/load.h"

struct generator {
    const struct load *_load;
    struct random _rng;
    struct key_picker _picker;
    struct fill _fill;
    struct layout _layout[MIX_COMMANDS_MAX];
    bool _varies[MIX_COMMANDS_MAX];
    bool _preload;
};

/* `preload`: every connection writes its own part of the keys once. False when the protocol lacks
 * one of the mix's commands. */
bool generator_init(struct generator *generator, const struct load *load, uint32_t worker,
                    bool preload);
void generator_fini(struct generator *generator);

/* Chooses what `conn` asks next: command, key and version. False when there is nothing left. */
bool generator_choose(struct generator *generator, struct conn *conn, struct request *request);

/* Appends the chosen request to `out`. */
void generator_write(struct generator *generator, const struct conn *conn,
                     const struct request *request, struct buffer *out);

#endif
