/*
 * glob.h - Redis's glob patterns: * ? [abc] [^a] [a-z] and \ as the escape.
 *
 * Iterative, with one remembered star, so that the cost is at most pattern x text and the stack is
 * constant; and under a step budget, since both sizes are the client's.
 */
#ifndef SHOAL_BASE_GLOB_H
#define SHOAL_BASE_GLOB_H

#include "shoal/base/bytes.h"

enum { GLOB_STEPS_MAX = 1 << 20 }; /* beyond it the text counts as not matching */

/* Thread: any. */
bool glob_match(struct bytes pattern, struct bytes text, bool ignore_case);

#endif
