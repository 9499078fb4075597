/*
 * find.c - options by name, and the nearest name to a mistyped one.
 */
#include "shoal/options/find.h"

#include "shoal/options/actions.h"
#include "shoal/options/compat.h"
#include "shoal/options/table.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 64 };

/* Case is ignored, and '_' is '-': Redis has a few names with it. */
static bool same_name(struct bytes a, const char *b)
{
    if (b == NULL || a.size != strlen(b))
        return false;
    for (size_t i = 0; i < a.size; i++) {
        char x = a.data[i] == '_' ? '-' : a.data[i], y = b[i] == '_' ? '-' : b[i];
        if (!bytes_is(bytes_of(&x, 1), (char[2]){ y, '\0' }))
            return false;
    }
    return true;
}

const struct option *option_find(struct bytes name)
{
    for (int i = 0; i < option_row_count; i++) {
        if (same_name(name, option_rows[i].name) || same_name(name, option_rows[i].alias))
            return &option_rows[i];
    }
    return NULL;
}

const struct option *option_find_letter(char letter)
{
    for (int i = 0; i < option_row_count; i++) {
        if (letter != '\0' && option_rows[i].letter == letter)
            return &option_rows[i];
    }
    return NULL;
}

int compat_find(struct bytes name)
{
    for (int i = 0; i < compat_count(); i++) {
        if (same_name(name, compat_name(i)) || same_name(name, compat_alias(i)))
            return i;
    }
    return -1;
}

bool option_is_secret(struct bytes name)
{
    const struct option *row = option_find(name);
    int directive = row == NULL ? compat_find(name) : -1;
    if (row != NULL)
        return row->flags & OPTION_SECRET;
    return directive < 0 || compat_secret(directive);
}

/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
static int edit_distance(struct bytes a, struct bytes b)
{
    int row[3][NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.size; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= a.size; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *above2 = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b.size; j++) {
            int best = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                best = above2[j - 2] + 1 < best ? above2[j - 2] + 1 : best;
            now[j] = best;
        }
    }
    return row[a.size % 3][b.size];
}

struct nearest {
    struct bytes wanted;
    const char *name;
    int distance;
};

static void consider(struct nearest *nearest, const char *name)
{
    if (name == NULL)
        return;
    int distance = edit_distance(nearest->wanted, bytes_str(name));
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->name = name;
    }
}

/* Options come first, so that they win over Redis's directives at the same distance. */
const char *option_nearest(struct bytes name)
{
    if (name.size == 0 || name.size > NAME_MAX_BYTES)
        return NULL;
    char folded[NAME_MAX_BYTES];
    for (size_t i = 0; i < name.size; i++)
        folded[i] = name.data[i] == '_' ? '-' : (char)tolower((unsigned char)name.data[i]);
    int far = name.size < 6 ? 2 : (int)name.size / 3; /* a third may be wrong */
    struct nearest nearest = { .wanted = bytes_of(folded, name.size), .distance = far + 1 };
    for (int i = 0; i < option_row_count; i++) {
        consider(&nearest, option_rows[i].name);
        consider(&nearest, option_rows[i].alias);
    }
    for (int i = 0; i < option_action_count; i++) {
        if (option_actions[i].shown != NULL)
            consider(&nearest, option_actions[i].name);
    }
    for (int i = 0; i < compat_count(); i++) {
        if (!compat_hidden(i))
            consider(&nearest, compat_name(i));
    }
    return nearest.name;
}
