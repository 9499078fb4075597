/*
 * bound.h - how much a queue, buffer or batch holds at most: as usual, and in the tiny build.
 *
 * `make MODE=tiny` builds a server whose bounds are next to nothing, so that the end-to-end tests
 * find every queue full and every buffer too small, and the same replies all the same.
 */
#ifndef SHOAL_BASE_BOUND_H
#define SHOAL_BASE_BOUND_H

#ifdef SHOAL_TINY
#define BOUND(usual, tiny) (tiny)
#else
#define BOUND(usual, tiny) (usual)
#endif

#endif
