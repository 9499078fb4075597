/*
 * sizes.c - value sizes drawn from what --value-size says.
 */
#include "sizes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number and the character after it; *text moves behind both. */
static bool take(const char **text, uint64_t max, char after, uint64_t *out)
{
    char *end;
    errno = 0;
    if (**text < '0' || **text > '9')
        return false;
    *out = strtoull(*text, &end, 10);
    if (errno != 0 || *out > max || *end != after)
        return false;
    *text = after ? end + 1 : end;
    return true;
}

static void add(struct sizes *sizes, uint64_t low, uint64_t high, uint64_t weight)
{
    sizes->choice[sizes->count++] =
        (struct size_choice){ .low = (uint32_t)low, .high = (uint32_t)high, .weight = weight };
    sizes->weight_sum += weight;
}

void sizes_fixed(struct sizes *sizes, uint32_t size)
{
    *sizes = (struct sizes){ .count = 0 };
    add(sizes, size, size, 1);
}

static bool parse_list(const char *text, struct sizes *sizes)
{
    uint64_t size, weight;
    for (;;) {
        if (sizes->count == SIZES_MAX || !take(&text, VALUE_BYTES_MAX, '=', &size))
            return false;
        bool last = strchr(text, ',') == NULL;
        if (!take(&text, UINT32_MAX, last ? '\0' : ',', &weight))
            return false;
        add(sizes, size, size, weight);
        if (last)
            return sizes->weight_sum > 0;
    }
}

bool sizes_parse(const char *text, struct sizes *sizes)
{
    uint64_t low, high;
    *sizes = (struct sizes){ .count = 0 };
    if (strncmp(text, "list:", 5) == 0)
        return parse_list(text + 5, sizes);
    bool range = strchr(text, ':') != NULL;
    if (!take(&text, VALUE_BYTES_MAX, range ? ':' : '\0', &low))
        return false;
    high = low;
    if (range && !take(&text, VALUE_BYTES_MAX, '\0', &high))
        return false;
    if (high < low)
        return false;
    add(sizes, low, high, 1);
    return true;
}

uint32_t sizes_min(const struct sizes *sizes)
{
    uint32_t min = UINT32_MAX;
    for (uint32_t i = 0; i < sizes->count; i++)
        min = sizes->choice[i].low < min ? sizes->choice[i].low : min;
    return min;
}

uint32_t sizes_max(const struct sizes *sizes)
{
    uint32_t max = 0;
    for (uint32_t i = 0; i < sizes->count; i++)
        max = sizes->choice[i].high > max ? sizes->choice[i].high : max;
    return max;
}

uint32_t sizes_pick(const struct sizes *sizes, struct random *rng)
{
    const struct size_choice *choice = sizes->choice;
    if (sizes->count > 1) {
        uint64_t at = random_below(rng, sizes->weight_sum);
        for (; at >= choice->weight; choice++)
            at -= choice->weight;
    }
    if (choice->low == choice->high)
        return choice->low;
    return choice->low + (uint32_t)random_below(rng, (uint64_t)choice->high - choice->low + 1);
}
