/*
 * child.h - what a function writes, and how it ends, in a process of its own.
 */
#ifndef SHOAL_TESTS_SUPPORT_CHILD_H
#define SHOAL_TESTS_SUPPORT_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CHILD_CAME_BACK = 99 }; /* its exit code when `run` has returned */

/* Runs it without a core file and returns the status of waitpid(). `said` is what it has written to
 * the descriptor `fd`, as a string. */
static inline int child_run(void (*run)(void), int fd, char *said, size_t size)
{
    int pipes[2], status = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        signal(SIGABRT, SIG_DFL);
        dup2(pipes[1], fd);
        run();
        _exit(CHILD_CAME_BACK);
    }
    close(pipes[1]);
    size_t got = 0;
    for (ssize_t n; (n = read(pipes[0], said + got, size - 1 - got)) > 0;)
        got += (size_t)n;
    said[got] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

#endif
