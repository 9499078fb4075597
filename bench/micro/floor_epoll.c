/*
 * floor_epoll.c - as floor.c, by epoll, read and write: the least that a server without io_uring
 * pays.
 *
 *     floor_epoll PORT | PATH        serves until it is killed
 *
 * One thread. An answer that does not fit the socket at once is lost.
 */
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, DESCRIPTORS = 4096, READ_BYTES = 16 * 1024 };

static char answers[ANSWERS_MAX * ANSWER_BYTES];
static bool spoke[DESCRIPTORS];

static bool watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void welcome(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    socket_tune(fd, 0);
    if (fd >= DESCRIPTORS || !watch(epoll, fd))
        close(fd);
    else
        spoke[fd] = false;
}

static void serve(int fd)
{
    char data[READ_BYTES];
    ssize_t size = read(fd, data, sizeof(data));
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN)
            close(fd);
        return;
    }
    uint32_t count = floor_requests(data, (size_t)size);
    count = count == 0 && !spoke[fd] ? 1 : count; /* an inline one to begin with */
    spoke[fd] = true;
    if (count > 0 && write(fd, answers, count * ANSWER_BYTES) < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    if (argc != 2) {
        fprintf(stderr, "floor_epoll PORT | PATH\n");
        return 2;
    }
    int listener = floor_listen(argv[1]), epoll = epoll_create1(0);
    if (listener < 0 || epoll < 0 || !watch(epoll, listener)) {
        fprintf(stderr, "floor_epoll: %s\n", strerror(listener < 0 ? -listener : errno));
        return 1;
    }
    floor_answers(answers);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                welcome(epoll, listener);
            else
                serve(events[i].data.fd);
        }
    }
}
