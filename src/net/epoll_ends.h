/*
 * epoll_ends.h - what an epoll engine knows of each descriptor: what is in flight on it, and what
 * the kernel was asked to tell of it. Private to the engine.
 */
#ifndef SHOAL_NET_EPOLL_ENDS_H
#define SHOAL_NET_EPOLL_ENDS_H

#include "shoal/net/ring.h"

enum epoll_taking { EPOLL_ACCEPT, EPOLL_RECV, EPOLL_RECV_ONCE, EPOLL_RECV_INTO, EPOLL_READ };

struct epoll_end {
    struct io_op *in, *out; /* in flight; NULL: none */
    /* of `in` */
    void *to;
    size_t most;
    /* of `out`: one place, or a message */
    const char *from;
    const struct msghdr *message;
    size_t size, sent;
    struct epoll_end *next; /* of those that are listed, or of those that are free */
    int fd;
    uint32_t interest; /* EPOLLIN, EPOLLOUT; 0: the kernel is not asked */
    int in_result, out_result;
    uint8_t taking;    /* enum epoll_taking */
    bool in_completed; /* `in` ends with in_result, without a look at the descriptor */
    bool out_completed;
    bool listed; /* one of these two is so */
};

struct epoll_ends {
    struct epoll_end **at; /* [capacity], by descriptor */
    uint32_t capacity;
    struct epoll_end *free; /* they stay until the end: an event that is out of date may name one */
};

void epoll_ends_fini(struct epoll_ends *ends);

/* Makes it if need be; NULL: memory is out. */
struct epoll_end *epoll_ends_make(struct epoll_ends *ends, int fd);

/* Nothing is in flight on it. */
void epoll_ends_drop(struct epoll_ends *ends, int fd);

/* NULL: there is none. */
static inline struct epoll_end *epoll_ends_find(const struct epoll_ends *ends, int fd)
{
    return (uint32_t)fd < ends->capacity ? ends->at[fd] : NULL;
}

#endif
