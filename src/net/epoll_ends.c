/*
 * epoll_ends.c - the descriptors of an epoll engine, found by their numbers.
 */
#include "epoll_ends.h"

#include "shoal/base/must.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

void epoll_ends_fini(struct epoll_ends *ends)
{
    for (uint32_t fd = 0; fd < ends->capacity; fd++)
        free(ends->at[fd]);
    while (ends->free != NULL) {
        struct epoll_end *end = ends->free;
        ends->free = end->next;
        free(end);
    }
    free(ends->at);
}

static bool grow(struct epoll_ends *ends, uint32_t fd)
{
    uint32_t capacity = ends->capacity > 0 ? ends->capacity : CAPACITY_MIN;
    while (capacity <= fd)
        capacity *= 2;
    struct epoll_end **grown = realloc(ends->at, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    memset(grown + ends->capacity, 0, (capacity - ends->capacity) * sizeof(*grown));
    ends->at = grown;
    ends->capacity = capacity;
    return true;
}

struct epoll_end *epoll_ends_make(struct epoll_ends *ends, int fd)
{
    struct epoll_end *end = epoll_ends_find(ends, fd);
    if (end != NULL)
        return end;
    must(fd >= 0);
    if ((uint32_t)fd >= ends->capacity && !grow(ends, (uint32_t)fd))
        return NULL;
    end = ends->free;
    if (end != NULL)
        ends->free = end->next;
    else
        end = malloc(sizeof(*end));
    if (end == NULL)
        return NULL;
    *end = (struct epoll_end){ .fd = fd };
    ends->at[fd] = end;
    return end;
}

void epoll_ends_drop(struct epoll_ends *ends, int fd)
{
    struct epoll_end *end = epoll_ends_find(ends, fd);
    if (end == NULL)
        return;
    must(end->in == NULL && end->out == NULL && !end->listed);
    ends->at[fd] = NULL;
    *end = (struct epoll_end){ .fd = -1, .next = ends->free };
    ends->free = end;
}
