/*
 * mem.c - allocations that cannot fail. The arenas are in mem_jemalloc.c or mem_system.c,
 * whichever the Makefile takes.
 */
#include "shoal/base/mem.h"
#include "shoal/base/must.h"

#include <stdlib.h>

void *mem_must_alloc(size_t size)
{
    void *memory = malloc(size);
    must(memory != NULL);
    return memory;
}

void *mem_must_zalloc(size_t size)
{
    void *memory = calloc(1, size);
    must(memory != NULL);
    return memory;
}
