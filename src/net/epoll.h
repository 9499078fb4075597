/*
 * epoll.h - the engine on epoll. Private to net: the server finds an engine by name.
 */
#ifndef SHOAL_NET_EPOLL_H
#define SHOAL_NET_EPOLL_H

#include "shoal/net/ring.h"

extern const struct ring_engine epoll_engine;

#endif
