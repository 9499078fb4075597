/*
 * test_resize.c - the heap memory of decoders and replies.
 */
#include "shoal/proto/resize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool out_of_memory;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
    return out_of_memory ? NULL : __real_realloc(memory, size);
}

/* As realloc(). */
static void memory_keeps_what_it_held(void **state)
{
    (void)state;
    char *memory = proto_resize(NULL, 10);
    assert_non_null(memory);
    memcpy(memory, "123456789", 10);
    memory = proto_resize(memory, 1 << 20);
    assert_non_null(memory);
    assert_string_equal(memory, "123456789");
    free(memory);
}

static void what_cannot_be_had_leaves_the_old(void **state)
{
    (void)state;
    char *memory = proto_resize(NULL, 10);
    memcpy(memory, "123456789", 10);
    out_of_memory = true;
    assert_null(proto_resize(memory, 20));
    out_of_memory = false;
    assert_string_equal(memory, "123456789");
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_keeps_what_it_held),
        cmocka_unit_test(what_cannot_be_had_leaves_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
