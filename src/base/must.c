/*
 * must.c - the last words of a broken assertion.
 *
 * One write() of a line built on the stack: nothing here allocates, since memory may be what broke.
 */
#include "shoal/base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void must_failed(const char *what, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "must(%s) failed at %s:%d\n", what, file, line);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    ssize_t ignored = write(STDERR_FILENO, text, size);
    (void)ignored;
    abort();
}
