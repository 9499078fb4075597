/*
 * number.h - text to numbers and back, with Redis's strictness. Thread: any.
 */
#ifndef SHOAL_BASE_NUMBER_H
#define SHOAL_BASE_NUMBER_H

#include "shoal/base/bytes.h"

enum { INT64_TEXT_MAX = 21, DOUBLE_TEXT_MAX = 128 };

/* A canonical decimal int64 only: no spaces, no '+', no leading zeros, no "-0". False otherwise. */
bool number_parse_i64(struct bytes text, int64_t *out);

/* Writes into out[INT64_TEXT_MAX] without a terminating zero; returns the size. */
size_t number_format_i64(char *out, int64_t value);

/* Redis's getLongDouble rules: the whole text, no spaces, "inf" allowed, NaN refused, range errors
 * refused. */
bool number_parse_long_double(struct bytes text, long double *out);
bool number_parse_double(struct bytes text, double *out);

/* INCRBYFLOAT's format: %.17Lf without trailing zeros. Writes into out[5 KB]; returns the size, 0
 * on overflow. */
enum { LONG_DOUBLE_TEXT_MAX = 5 * 1024 };
size_t number_format_long_double(char *out, long double value);

/* Shortest text that reads back as the same double ("3", "3.1", "inf", "-inf", "nan").
 * out[DOUBLE_TEXT_MAX]. */
size_t number_format_double(char *out, double value);

/* "64mb", "1g", "100", "1kb", "1k" (k = 1000, kb = 1024, as in redis.conf). False when it is
 * none. */
bool number_parse_memory(struct bytes text, uint64_t *bytes_out);

/* "30" and "30s" (seconds), "500ms", "5m", "1h", "7d", as milliseconds. False when it is none. */
bool number_parse_duration(struct bytes text, uint64_t *ms_out);
/* Whole seconds without a unit, all else as "1500ms"; with its zero, into
 * out[DURATION_TEXT_MAX]. */
enum { DURATION_TEXT_MAX = 24 };
void number_format_duration(char *out, uint64_t ms);

#endif
