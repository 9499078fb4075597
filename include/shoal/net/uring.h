/*
 * uring.h - the engine on io_uring: making a ring of it, and why the kernel may refuse one.
 */
#ifndef SHOAL_NET_URING_H
#define SHOAL_NET_URING_H

#include "shoal/net/ring.h"

/*
 * Makes a ring for the calling thread, which alone may use it (ring_wake() of others aside).
 *
 *   error    0 or -errno of the refusal; uring_explain() has words for it
 *   returns  NULL on error
 */
struct ring *uring_new(const struct ring_config *config, int *error);

/* The first name in a feature list ("all", "6.1", or names between commas or spaces) that means
 * nothing; NULL: all are known. Thread: any. */
const char *uring_features_unknown(const char *list);

/* The names that may stand in such a list, and the Linux that a feature needs. Thread: any. */
void uring_features_known(char out[RING_FEATURES_TEXT]);

/* One line why io_uring is refused and what to do about it, for -errno from uring_new(). Thread:
 * any. */
const char *uring_explain(int error);

#endif
