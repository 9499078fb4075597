/*
 * uring_features.c - the names of io_uring's features: what --uring-features takes, and what the
 * banner and INFO show.
 *
 * The floor, Linux 6.1, is always used whole. A later feature is a value of the enum, a row here
 * and the code that asks for it.
 */
#include "uring_features.h"

#include "uring.h"

#include "shoal/base/bytes.h"
#include "shoal/base/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char floor_names[] =
    "single-issuer defer-taskrun multishot-accept multishot-recv buffer-ring msg-ring";

static const struct {
    const char *name;
    const char *kernel; /* the first Linux that has it */
} features[URING_FEATURES] = {
    [URING_INCREMENTAL_BUFFERS] = { "incremental-buffers", "6.12" },
    [URING_REGISTERED_FILES] = { "registered-files", "6.14" },
};

/* Besides the features' names: everything, and the floor only. */
static const char *const sets[] = { "all", "6.1" };
enum { SETS = sizeof(sets) / sizeof(*sets) };

static bool is_known(struct bytes word)
{
    for (int i = 0; i < SETS; i++) {
        if (bytes_equal(word, bytes_str(sets[i])))
            return true;
    }
    for (int i = 0; i < URING_FEATURES; i++) {
        if (bytes_equal(word, bytes_str(features[i].name)))
            return true;
    }
    return false;
}

const char *uring_features_unknown(const char *list)
{
    for (const char *at = list + strspn(list, ", "); *at != '\0';) {
        size_t size = strcspn(at, ", ");
        if (!is_known(bytes_of(at, size)))
            return at;
        at += size;
        at += strspn(at, ", ");
    }
    return NULL;
}

__attribute__((format(printf, 3, 4))) static void append(char *out, size_t size, const char *format,
                                                         ...)
{
    size_t used = strlen(out);
    va_list list;
    va_start(list, format);
    int length = vsnprintf(out + used, size - used, format, list);
    va_end(list);
    must(length >= 0 && (size_t)length < size - used);
}

void uring_features_known(char out[RING_FEATURES_TEXT])
{
    out[0] = '\0';
    for (int i = 0; i < SETS; i++)
        append(out, RING_FEATURES_TEXT, "%s%s", i > 0 ? ", " : "", sets[i]);
    for (int i = 0; i < URING_FEATURES; i++)
        append(out, RING_FEATURES_TEXT, ", %s (Linux %s)", features[i].name, features[i].kernel);
}

bool uring_feature_asked(const char *list, enum uring_feature feature)
{
    return strcmp(list, "all") == 0 || strstr(list, features[feature].name) != NULL;
}

void uring_features_print(const bool on[URING_FEATURES], char out[RING_FEATURES_TEXT])
{
    out[0] = '\0';
    append(out, RING_FEATURES_TEXT, "%s", floor_names);
    for (int i = 0; i < URING_FEATURES; i++) {
        if (on[i])
            append(out, RING_FEATURES_TEXT, " %s", features[i].name);
    }
}
