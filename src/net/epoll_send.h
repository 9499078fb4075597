/*
 * epoll_send.h - how a send of an epoll engine goes on. Private to the engine.
 */
#ifndef SHOAL_NET_EPOLL_SEND_H
#define SHOAL_NET_EPOLL_SEND_H

#include "epoll_ends.h"

/* Sends until all of end->out is sent, it fails, or no more fits. False: it waits for room. */
bool epoll_send_on(struct epoll_end *end);

/* It completes with what it has sent or, if that is nothing, with the error. */
void epoll_send_ended(struct epoll_end *end, int error);

#endif
