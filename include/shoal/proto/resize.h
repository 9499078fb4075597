/*
 * resize.h - the one place where decoders and replies get heap memory.
 *
 * A seam: a test that wants memory to run out links its own proto_resize() in place of resize.c.
 */
#ifndef SHOAL_PROTO_RESIZE_H
#define SHOAL_PROTO_RESIZE_H

#include <stddef.h>

/* realloc(): NULL, with `memory` untouched, when memory is out. Free with free(). Thread: any. */
void *proto_resize(void *memory, size_t size);

#endif
