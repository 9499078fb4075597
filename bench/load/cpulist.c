/*
 * cpulist.c - lists of small numbers with ranges.
 */
#include "cpulist.h"

#include <stdlib.h>

int cpulist_parse(const char *text, int *out, int max)
{
    int count = 0;
    for (;;) {
        char *end;
        long from = strtol(text, &end, 10), to = from;
        if (end == text || from < 0)
            return 0;
        if (*end == '-') {
            text = end + 1;
            to = strtol(text, &end, 10);
            if (end == text)
                return 0;
        }
        for (; from <= to; from++) {
            if (count == max)
                return 0;
            out[count++] = (int)from;
        }
        if (*end == '\0')
            return count;
        if (*end != ',')
            return 0;
        text = end + 1;
    }
}
