/*
 * test_refused.c - a start that the system refuses says what to do, and ends with an exit code.
 */
#include "shoal/base/refused.h"

#include "shoal/base/mem.h"

#include "support/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

static void refuse_a_thing(void)
{
    refused("a thing could not be had", EAGAIN, "get another");
}

static void want_memory(void)
{
    no_memory = true;
    mem_must_alloc(100);
}

static void want_zeroed_memory(void)
{
    no_memory = true;
    mem_must_zalloc(100);
}

/* `said` is what it has written before it ended as one should. */
static void ends_refused(void (*run)(void), char *said, size_t size)
{
    int status = child_run(run, STDOUT_FILENO, said, size);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_REFUSED);
}

static void it_says_what_why_and_what_to_do(void **state)
{
    (void)state;
    char said[4096];
    ends_refused(refuse_a_thing, said, sizeof(said));
    assert_non_null(strstr(said, " warning cannot start: a thing could not be had (Resource "
                                 "temporarily unavailable); get another\n"));
}

static void memory_that_a_start_needs_is_such_a_thing(void **state)
{
    (void)state;
    void (*const wants[])(void) = { want_memory, want_zeroed_memory };
    for (size_t i = 0; i < 2; i++) {
        char said[4096];
        ends_refused(wants[i], said, sizeof(said));
        assert_non_null(strstr(said, "cannot start: memory is out"));
        assert_non_null(strstr(said, "ulimit -v"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_why_and_what_to_do),
        cmocka_unit_test(memory_that_a_start_needs_is_such_a_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
