/*
 * uring_features.h - what io_uring has learnt since the floor of Linux 6.1, and is used where it is
 * there. Private to the engine.
 */
#ifndef SHOAL_NET_URING_FEATURES_H
#define SHOAL_NET_URING_FEATURES_H

#include "shoal/net/ring.h"

#include <stdbool.h>

enum uring_feature {
    URING_INCREMENTAL_BUFFERS, /* several receives fill one buffer: uring_buffers.h */
    URING_REGISTERED_FILES,    /* the ring holds on to descriptors: uring_files.h */
    URING_FEATURES
};

/* Whether the list given to --uring-features has it; the kernel may still lack it. */
bool uring_feature_asked(const char *list, enum uring_feature feature);

/* What is used, between spaces: the floor, then what `on` says. For the banner and INFO. */
void uring_features_print(const bool on[URING_FEATURES], char out[RING_FEATURES_TEXT]);

#endif
