/*
 * planted_race.h - put in front of mesh.c, it makes the queues' stores of head and tail relaxed,
 * and so the bits that announce them: what one reactor writes into a message then races with the
 * other that reads it.
 *
 * On x86 the machine code is the same, so that the replies stay right and only ThreadSanitizer can
 * tell. For tests/e2e/test_planted_race.py.
 */
#ifndef SHOAL_TESTS_SUPPORT_PLANTED_RACE_H
#define SHOAL_TESTS_SUPPORT_PLANTED_RACE_H

#include <stdatomic.h>

#define memory_order_release memory_order_relaxed
#include "shoal/base/spsc.h"
#include "shoal/mesh/lanes.h"
#undef memory_order_release

#endif
