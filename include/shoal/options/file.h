/*
 * file.h - reads a config file in the syntax of redis.conf, and its includes.
 */
#ifndef SHOAL_OPTIONS_FILE_H
#define SHOAL_OPTIONS_FILE_H

#include "shoal/options/options.h"

enum {
    OPTION_WORDS_MAX = 64, /* words of one line */
    OPTION_LINE_MAX = 16 * 1024,
    OPTION_INCLUDE_DEPTH_MAX = 8,
    OPTION_FILES_MAX = 1000,             /* that are included, each as often as it is */
    OPTION_BYTES_MAX = 16 * 1024 * 1024, /* of all of them together */
    OPTION_PIPE_WAIT_MS = 5000,          /* for what a pipe has to say */
};

/* One directive, its words joined by one blank. */
struct option_line {
    struct bytes name, value;
    int words; /* of value */
};

/* False (reason in error) stops the reader, which adds file and line. */
typedef bool (*option_line_fn)(void *context, const struct option_line *line,
                               struct option_error *error);

/* Calls `line` for each directive; "-" is standard input. What has no end, as /dev/zero or a file
 * that includes itself, ends with an error. */
bool options_file_read(const char *path, option_line_fn line, void *context,
                       struct option_error *error);

/* Splits one line into words, in place; -1: unbalanced quotes, or too many. */
int options_split(char *line, struct bytes words[OPTION_WORDS_MAX]);

#endif
