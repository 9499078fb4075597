/*
 * file.c - reads a config file in the syntax of redis.conf.
 *
 * One directive a line, words separated by blanks, "..." with escapes and '...' without. A comment
 * has a line of its own: a '#' further right may be part of a password. `include` takes a path
 * relative to the file that says so, or a pattern; a pattern that matches nothing is no error.
 */
#include "shoal/options/file.h"

#include "shoal/base/escape.h"
#include "shoal/options/value.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    option_line_fn line;
    void *context;
    struct option_error *error;
    int depth, files;
    size_t bytes;
};

static bool read_file(struct reader *reader, const char *path);

/* ---- words --------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes a quoted word, `*p` past the opening quote; writes over what it has read. The line's 0 is at
 * `end`. */
static bool quoted_word(const char **p, const char *end, char **out, char quote)
{
    while (**p != '\0' && **p != quote) {
        if (**p == '\\' && (*p)[1] != '\0' && (quote == '"' || (*p)[1] == '\'')) {
            *p = escape_read(*p + 1, end, (*out)++);
        } else {
            *(*out)++ = *(*p)++;
        }
    }
    if (**p != quote)
        return false;
    (*p)++;
    return **p == '\0' || is_blank(**p);
}

int options_split(char *line, struct bytes words[OPTION_WORDS_MAX])
{
    const char *p = line, *end = line + strlen(line);
    char *out = line;
    for (int count = 0;; count++) {
        while (is_blank(*p))
            p++;
        if (*p == '\0')
            return count;
        char *start = out;
        if (count == OPTION_WORDS_MAX)
            return -1;
        if (*p == '"' || *p == '\'') {
            char quote = *p++;
            if (!quoted_word(&p, end, &out, quote))
                return -1;
        } else {
            while (*p != '\0' && !is_blank(*p))
                *out++ = *p++;
        }
        words[count] = bytes_of(start, (size_t)(out - start));
    }
}

/* ---- lines --------------------------------------------------------------- */

/* The directive's name is everything before the first blank; `value` the rest, one blank between
 * words. */
static bool one_directive(struct reader *reader, struct bytes *words, int count)
{
    char value[OPTION_LINE_MAX];
    size_t used = 0;
    for (int i = 1; i < count; i++) {
        if (i > 1)
            value[used++] = ' ';
        memcpy(value + used, words[i].data, words[i].size);
        used += words[i].size;
    }
    struct option_line line = { words[0], bytes_of(value, used), count - 1 };
    return reader->line(reader->context, &line, reader->error);
}

/* `pattern` as seen from `file`. */
static bool include_path(char out[PATH_MAX], const char *file, struct bytes pattern)
{
    char directory[PATH_MAX];
    snprintf(directory, sizeof(directory), "%s", file);
    bool absolute = pattern.size > 0 && pattern.data[0] == '/';
    int size = absolute ? snprintf(out, PATH_MAX, "%.*s", (int)pattern.size, pattern.data)
                        : snprintf(out, PATH_MAX, "%s/%.*s", dirname(directory), (int)pattern.size,
                                   pattern.data);
    return size < PATH_MAX;
}

static bool include(struct reader *reader, const char *file, struct bytes *words, int count)
{
    char path[PATH_MAX];
    if (count != 2)
        return option_error_set(reader->error, "include: takes one path");
    if (!include_path(path, file, words[1]))
        return option_error_set(reader->error, "include: the path is too long");
    if (reader->depth == OPTION_INCLUDE_DEPTH_MAX)
        return option_error_set(reader->error, "include: more than %d files deep",
                                OPTION_INCLUDE_DEPTH_MAX);
    if (strpbrk(path, "*?[") == NULL)
        return read_file(reader, path);
    glob_t found;
    if (glob(path, 0, NULL, &found) != 0)
        return true;
    bool ok = true;
    for (size_t i = 0; i < found.gl_pathc && ok; i++)
        ok = read_file(reader, found.gl_pathv[i]);
    globfree(&found);
    return ok;
}

/* Errors of the file itself get their place in front; those of an included file have theirs. */
static bool one_line(struct reader *reader, const char *path, int number, char *line, size_t size)
{
    struct bytes words[OPTION_WORDS_MAX];
    char *first = line + strspn(line, " \t\r\n");
    if (*first == '#' || first == line + size)
        return true;
    bool ok, placed = false;
    int count;
    if (strlen(line) != size)
        ok = option_error_set(reader->error, "a zero byte in the line");
    else if (size >= OPTION_LINE_MAX)
        ok = option_error_set(reader->error, "the line is longer than %d bytes",
                              OPTION_LINE_MAX - 1);
    else if ((count = options_split(first, words)) < 0)
        ok = option_error_set(reader->error, "unbalanced quotes, or more than %d words",
                              OPTION_WORDS_MAX);
    else if (bytes_is(words[0], "include")) {
        ok = include(reader, path, words, count);
        placed = strncmp(reader->error->text, "include:", 8) != 0;
    } else
        ok = one_directive(reader, words, count);
    if (ok || placed)
        return ok;
    struct option_error reason = *reader->error;
    return option_error_set(reader->error, "%s:%d: %.*s", path, number, 400, reason.text);
}

/* The next line with a 0 behind it; of a longer one the first OPTION_LINE_MAX bytes. Returns their
 * number, 0 at the end and where the bytes of all files are used up. */
static size_t next_line(struct reader *reader, FILE *file, char line[OPTION_LINE_MAX + 1])
{
    size_t size = 0;
    int c = 0;
    while (c != '\n' && reader->bytes < OPTION_BYTES_MAX && (c = getc(file)) != EOF) {
        reader->bytes++;
        if (size < OPTION_LINE_MAX)
            line[size++] = (char)c;
    }
    line[size] = '\0';
    return size;
}

static bool read_lines(struct reader *reader, const char *path, FILE *file)
{
    char line[OPTION_LINE_MAX + 1];
    size_t size;
    for (int number = 1; (size = next_line(reader, file, line)) > 0; number++) {
        size_t mark = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* byte order */
        if (!one_line(reader, path, number, line + mark, size - mark))
            return false;
    }
    if (ferror(file))
        return option_error_set(reader->error, "%s: cannot read: %s", path, strerror(errno));
    if (reader->bytes == OPTION_BYTES_MAX)
        return option_error_set(reader->error, "%s: more than %d MB in all files together", path,
                                OPTION_BYTES_MAX >> 20);
    return true;
}

/* Nobody writes into a pipe that was forgotten: neither opening nor reading it may wait for long. */
static bool pipe_has_something(FILE *file)
{
    struct stat info;
    struct pollfd pending = { .fd = fileno(file), .events = POLLIN };
    bool pipe = fstat(pending.fd, &info) == 0 && S_ISFIFO(info.st_mode);
    bool any = !pipe || poll(&pending, 1, OPTION_PIPE_WAIT_MS) > 0;
    int flags = fcntl(pending.fd, F_GETFL);
    return any && fcntl(pending.fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

static FILE *open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

static bool read_file(struct reader *reader, const char *path)
{
    bool standard = strcmp(path, "-") == 0 && reader->depth == 0;
    const char *what = reader->depth == 0 ? "" : "include: ";
    if (reader->files++ == OPTION_FILES_MAX)
        return option_error_set(reader->error, "include: more than %d files", OPTION_FILES_MAX);
    FILE *file = standard ? stdin : open_file(path);
    if (file == NULL)
        return option_error_set(reader->error, "%s%s: cannot open: %s", what, path,
                                strerror(errno));
    reader->depth++;
    bool ok = standard || pipe_has_something(file)
                  ? read_lines(reader, standard ? "(standard input)" : path, file)
                  : option_error_set(reader->error, "%s%s: nothing has been written into this pipe",
                                     what, path);
    reader->depth--;
    if (!standard)
        fclose(file);
    return ok;
}

bool options_file_read(const char *path, option_line_fn line, void *context,
                       struct option_error *error)
{
    struct reader reader = { .line = line, .context = context, .error = error };
    return read_file(&reader, path);
}
