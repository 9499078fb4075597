/*
 * line.h - what the engine and the clients share: the connections.
 */
#ifndef SHOAL_TESTS_SIM_LINE_H
#define SHOAL_TESTS_SIM_LINE_H

#include "sim.h"

extern struct line lines[SIM_LINES_MAX];
extern uint32_t line_count;

/* When a step that begins now has been made: most follow at once, some take their time. */
int64_t line_later_ns(void);

static inline size_t line_left(const struct sim_bytes *bytes)
{
    return bytes->size - bytes->taken;
}

#endif
