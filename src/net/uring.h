/*
 * uring.h - the engine on io_uring, and the parts of its table that have files of their own. Private
 * to net: the server finds an engine by name.
 */
#ifndef SHOAL_NET_URING_H
#define SHOAL_NET_URING_H

#include "shoal/net/ring.h"

extern const struct ring_engine uring_engine;

/* The names in a feature list: "all", "6.1", or names between commas or spaces. */
const char *uring_features_unknown(const char *list);
void uring_features_known(char out[RING_FEATURES_TEXT]);

const char *uring_explain(int error);

#endif
