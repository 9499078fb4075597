/*
 * glob.c - Redis's glob patterns, without recursion.
 *
 * Every element but the star takes exactly one byte of text, so only the last star met can ever
 * need to take one byte more: one remembered place replaces the recursion that CVE-2022-36021 and
 * CVE-2024-31228 are about.
 */
#include "shoal/base/glob.h"

struct glob {
    const unsigned char *at, *end; /* of the pattern */
    bool ignore_case;
    uint32_t steps;
};

static unsigned char fold_case(const struct glob *glob, unsigned char c)
{
    return glob->ignore_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Whether `c` lies between the two bytes, given in either order. */
static bool in_range(const struct glob *glob, unsigned char a, unsigned char b, unsigned char c)
{
    a = fold_case(glob, a);
    b = fold_case(glob, b);
    return a <= b ? a <= c && c <= b : b <= c && c <= a;
}

/* `at` is behind the '['; moves it behind the ']'. A class that is not closed ends with the
 * pattern. */
static bool match_class(struct glob *glob, unsigned char c)
{
    const unsigned char *at = glob->at, *end = glob->end;
    bool negated = at < end && *at == '^', found = false;
    at += negated;
    while (at < end && *at != ']') {
        if (*at == '\\' && end - at >= 2) {
            found |= fold_case(glob, at[1]) == c;
            at += 2;
        } else if (end - at >= 3 && at[1] == '-') {
            found |= in_range(glob, at[0], at[2], c);
            at += 3;
        } else {
            found |= fold_case(glob, *at++) == c;
        }
    }
    glob->steps += (uint32_t)(at - glob->at);
    glob->at = at < end ? at + 1 : end;
    return found != negated;
}

/* Whether the element at `at`, which is no star, takes `c`; moves behind it. */
static bool match_one(struct glob *glob, unsigned char c)
{
    c = fold_case(glob, c);
    unsigned char element = *glob->at++;
    if (element == '?')
        return true;
    if (element == '[')
        return match_class(glob, c);
    if (element == '\\' && glob->at < glob->end)
        element = *glob->at++;
    return fold_case(glob, element) == c;
}

static bool skip_stars(struct glob *glob)
{
    const unsigned char *from = glob->at;
    while (glob->at < glob->end && *glob->at == '*')
        glob->at++;
    return glob->at != from;
}

bool glob_match(struct bytes pattern, struct bytes text, bool ignore_case)
{
    const unsigned char *start = (const unsigned char *)pattern.data;
    struct glob glob = { start, start + pattern.size, ignore_case, 0 };
    const unsigned char *t = (const unsigned char *)text.data, *text_end = t + text.size;
    const unsigned char *star = NULL,
                        *star_text = NULL; /* behind the last star; what it takes up to */

    while (t < text_end) {
        if (skip_stars(&glob)) {
            if (glob.at == glob.end)
                return true;
            star = glob.at;
            star_text = t;
        }
        if (glob.at < glob.end && match_one(&glob, *t)) {
            t++;
        } else if (star != NULL) {
            glob.at = star;
            t = ++star_text;
        } else {
            return false;
        }
        if (++glob.steps > GLOB_STEPS_MAX)
            return false;
    }
    skip_stars(&glob);
    return glob.at == glob.end;
}
