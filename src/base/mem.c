/*
 * mem.c - allocations that cannot fail. The arenas are in mem_jemalloc.c or mem_system.c,
 * whichever the Makefile takes.
 */
#include "shoal/base/mem.h"
#include "shoal/base/refused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *had(void *memory)
{
    if (memory == NULL)
        refused("memory is out", ENOMEM, REFUSED_MEMORY_REMEDY);
    return memory;
}

void *mem_must_alloc(size_t size)
{
    return had(malloc(size));
}

void *mem_must_zalloc(size_t size)
{
    return had(calloc(1, size));
}

void *mem_must_align(size_t align, size_t size)
{
    return memset(had(aligned_alloc(align, size)), 0, size);
}
