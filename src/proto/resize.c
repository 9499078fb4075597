/*
 * resize.c - heap memory of decoders and replies.
 */
#include "shoal/proto/resize.h"

#include <stdlib.h>

void *proto_resize(void *memory, size_t size)
{
    return realloc(memory, size);
}
