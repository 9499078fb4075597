/*
 * number.c - text to numbers and back.
 *
 * Formatting integers is on the path of most replies: two digits at a time from a table, no
 * division by ten. Floating point goes through the C library, which the process keeps in the "C"
 * locale.
 */
#include "shoal/base/number.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

bool number_parse_i64(struct bytes text, int64_t *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t i = negative;
    if (text.size == i || text.size >= INT64_TEXT_MAX)
        return false;
    if (text.data[i] == '0') {
        *out = 0;
        return text.size == 1; /* neither "-0" nor "01" */
    }
    uint64_t value = 0;
    for (; i < text.size; i++) {
        unsigned digit = (unsigned char)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static size_t count_digits(uint64_t value)
{
    size_t digits = 1;
    for (; value >= 10000; value /= 10000)
        digits += 4;
    return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t number_format_i64(char *out, int64_t value)
{
    uint64_t left = (uint64_t)value;
    size_t sign = 0;
    if (value < 0) {
        out[sign++] = '-';
        left = 0 - left;
    }
    size_t size = sign + count_digits(left);
    char *end = out + size;
    for (; left >= 100; left /= 100)
        memcpy(end -= 2, digit_pairs + left % 100 * 2, 2);
    if (left >= 10)
        memcpy(end - 2, digit_pairs + left * 2, 2);
    else
        end[-1] = (char)('0' + left);
    return size;
}

/* What strtod() and strtold() must be protected from: leading spaces, and sizes beyond the copy. */
static bool copy_for_strto(char *copy, size_t capacity, struct bytes text)
{
    if (text.size == 0 || text.size >= capacity || isspace((unsigned char)text.data[0]))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    return true;
}

bool number_parse_long_double(struct bytes text, long double *out)
{
    char copy[LONG_DOUBLE_TEXT_MAX], *end;
    if (!copy_for_strto(copy, sizeof(copy), text))
        return false;
    long double value = strtold(copy, &end);
    bool out_of_range = errno == ERANGE && (isinf(value) || value == 0);
    if (end != copy + text.size || out_of_range || isnan(value))
        return false;
    *out = value;
    return true;
}

bool number_parse_double(struct bytes text, double *out)
{
    char copy[LONG_DOUBLE_TEXT_MAX], *end;
    if (!copy_for_strto(copy, sizeof(copy), text))
        return false;
    double value = strtod(copy, &end);
    bool out_of_range = errno == ERANGE && (isinf(value) || value == 0);
    if (end != copy + text.size || out_of_range || isnan(value))
        return false;
    *out = value;
    return true;
}

size_t number_format_long_double(char *out, long double value)
{
    int printed = snprintf(out, LONG_DOUBLE_TEXT_MAX, "%.17Lf", value);
    if (printed < 0 || printed >= LONG_DOUBLE_TEXT_MAX)
        return 0;
    size_t size = (size_t)printed;
    if (memchr(out, '.', size) == NULL)
        return size; /* inf */
    while (out[size - 1] == '0')
        size--;
    if (out[size - 1] == '.')
        size--;
    if (size == 2 && memcmp(out, "-0", 2) == 0) {
        out[0] = '0';
        return 1;
    }
    return size;
}

size_t number_format_double(char *out, double value)
{
    if (isnan(value))
        return (size_t)sprintf(out, "nan");
    if (isinf(value))
        return (size_t)sprintf(out, value > 0 ? "inf" : "-inf");
    if (fabs(value) < 1e15 && value == (double)(int64_t)value && !(value == 0 && signbit(value)))
        return number_format_i64(out, (int64_t)value);
    /* 15 digits always survive the trip into a normal double; a subnormal may need as few as
     * one. */
    int digits = fabs(value) < DBL_MIN ? 1 : 15;
    int size;
    do
        size = snprintf(out, DOUBLE_TEXT_MAX, "%.*g", digits, value);
    while (digits++ < 17 && strtod(out, NULL) != value);
    return (size_t)size;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* Digits and a unit of the list, which ends with factor 0. */
static bool parse_with_unit(struct bytes text, const struct unit *units, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < text.size && isdigit((unsigned char)text.data[i]); i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    }
    struct bytes name = bytes_of(text.data + i, text.size - i);
    while (units->factor != 0 && !bytes_is(name, units->name))
        units++;
    if (i == 0 || units->factor == 0 || __builtin_mul_overflow(value, units->factor, &value))
        return false;
    *out = value;
    return true;
}

bool number_parse_memory(struct bytes text, uint64_t *bytes_out)
{
    static const struct unit units[] = {
        { "", 1 },           { "b", 1 },
        { "k", 1000 },       { "kb", 1024 },
        { "m", 1000000 },    { "mb", 1024 * 1024 },
        { "g", 1000000000 }, { "gb", 1024 * 1024 * 1024 },
        { NULL, 0 },
    };
    return parse_with_unit(text, units, bytes_out);
}

bool number_parse_duration(struct bytes text, uint64_t *ms_out)
{
    static const struct unit units[] = {
        { "", 1000 },         { "ms", 1 },           { "s", 1000 }, { "m", 60 * 1000 },
        { "h", 3600 * 1000 }, { "d", 86400 * 1000 }, { NULL, 0 },
    };
    return parse_with_unit(text, units, ms_out);
}

void number_format_duration(char *out, uint64_t ms)
{
    if (ms % 1000 == 0)
        snprintf(out, DURATION_TEXT_MAX, "%" PRIu64, ms / 1000);
    else
        snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "ms", ms);
}
