/*
 * container_of.h - from a pointer to a member to the struct that it is in.
 */
#ifndef SHOAL_BASE_CONTAINER_OF_H
#define SHOAL_BASE_CONTAINER_OF_H

#include <stddef.h>

/* The `type` whose `member` is at `pointer`; the compiler checks that the member has that type. */
#define container_of(pointer, type, member)                                                        \
    ({                                                                                             \
        __typeof__(((type *)0)->member) *member_ = (pointer);                                      \
        (type *)((char *)member_ - offsetof(type, member));                                        \
    })

#endif
