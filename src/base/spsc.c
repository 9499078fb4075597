/*
 * spsc.c - making and freeing the queue; the operations are inline in the header.
 */
#include "shoal/base/spsc.h"

#include <stdlib.h>
#include <string.h>

struct spsc *spsc_new(uint32_t capacity)
{
    must(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    size_t size = sizeof(struct spsc) + capacity * sizeof(void *);
    struct spsc *queue = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (queue == NULL)
        return NULL;
    memset(queue, 0, size);
    queue->mask = capacity - 1;
    return queue;
}

void spsc_free(struct spsc **queue)
{
    free(*queue);
    *queue = NULL;
}
