/*
 * cursor.c - reads the SCAN cursor that a client sends.
 */
#include "shoal/cmd/generic/cursor.h"

bool cursor_parse(struct bytes text, uint64_t *cursor)
{
    uint64_t value = 0;
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned char)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *cursor = value;
    return true;
}
