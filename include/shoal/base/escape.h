/*
 * escape.h - what a backslash in a double-quoted word stands for, as redis-cli and redis.conf have
 * it: \n \r \t \b \a, \xHH, and any other character for itself.
 */
#ifndef SHOAL_BASE_ESCAPE_H
#define SHOAL_BASE_ESCAPE_H

/* Puts the character into `out` whose escape begins behind the backslash, at `at` < `end`. Returns
 * what is behind the escape. Thread: any. */
const char *escape_read(const char *at, const char *end, char *out);

#endif
