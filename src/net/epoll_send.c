/*
 * epoll_send.c - sending as much as fits, from one place or several.
 */
#include "epoll_send.h"

#include "shoal/base/must.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PARTS_MAX = 64 }; /* of a message whose rest is sent at once */

/* What is left of a message, with an iovec of our own. */
static ssize_t send_rest(const struct epoll_end *end, int flags)
{
    struct iovec parts[PARTS_MAX];
    struct msghdr rest = { .msg_iov = parts };
    const struct iovec *part = end->message->msg_iov;
    const struct iovec *after = part + end->message->msg_iovlen;
    size_t skip = end->sent;
    for (; skip >= part->iov_len; part++)
        skip -= part->iov_len;
    for (; part < after && rest.msg_iovlen < PARTS_MAX; part++, skip = 0)
        parts[rest.msg_iovlen++] =
            (struct iovec){ (char *)part->iov_base + skip, part->iov_len - skip };
    return sendmsg(end->fd, &rest, flags);
}

static ssize_t send_some(const struct epoll_end *end)
{
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (end->message == NULL)
        return send(end->fd, end->from + end->sent, end->size - end->sent, flags);
    return end->sent == 0 ? sendmsg(end->fd, end->message, flags) : send_rest(end, flags);
}

void epoll_send_ended(struct epoll_end *end, int error)
{
    end->out_completed = true;
    end->out_result = end->sent > 0 ? (int)end->sent : error;
}

bool epoll_send_on(struct epoll_end *end)
{
    do {
        ssize_t n = send_some(end);
        if (likely(n >= 0)) {
            end->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return false;
        } else if (errno != EINTR) {
            epoll_send_ended(end, -errno);
            return true;
        }
    } while (end->sent < end->size);
    epoll_send_ended(end, 0);
    return true;
}
