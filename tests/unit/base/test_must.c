/*
 * test_must.c - a broken assertion says where and what, and ends the process.
 */
#include "shoal/base/must.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void break_must(void)
{
    must(1 + 1 == 3);
}

static void break_with_long_text(void)
{
    static char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    must_failed(text, "file.c", 7);
}

static void break_nothing(void)
{
    must(1 + 1 == 2);
    _exit(0);
}

/* What `run` writes to stderr in a process of its own, and how that ends. */
static int end_of(void (*run)(void), char *said, size_t size)
{
    int pipes[2], status = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        signal(SIGABRT, SIG_DFL);
        dup2(pipes[1], STDERR_FILENO);
        run();
        _exit(1);
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

static void it_says_where_and_what(void **state)
{
    (void)state;
    char said[4096];
    int status = end_of(break_must, said, sizeof(said));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_ptr_equal(strstr(said, "must(1 + 1 == 3) failed at "), said);
    assert_non_null(strstr(said, "test_must.c:"));
    assert_int_equal(said[strlen(said) - 1], '\n');
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char said[4096];
    int status = end_of(break_with_long_text, said, sizeof(said));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(strlen(said), 511);
}

static void what_holds_goes_on(void **state)
{
    (void)state;
    char said[4096];
    int status = end_of(break_nothing, said, sizeof(said));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_where_and_what),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(what_holds_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
