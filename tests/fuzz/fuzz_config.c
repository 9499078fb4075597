/*
 * fuzz_config.c - config files: no crash, and an accepted one means the same when its values are
 * given back. See run.sh.
 *
 * The input is files "0", "1", "2"... with a byte 0xff between them; "0" is loaded, the others may
 * be included. Nothing else can be opened, and a pattern finds these names only. An accepted file
 * is read again as at SIGHUP, which must change nothing; then each value that CONFIG GET shows is
 * set, which must change nothing either.
 *
 * sources  src/options/[a-gi-z]*.c src/store/evict/?*.c src/store/keyspace/?*.c src/store/table/?*.c
 * sources  src/store/value/?*.c src/base/[!mps]?*.c src/base/*_system.c src/base/mem.c src/base/must.c
 * flags    -Wl,--wrap=fopen,--wrap=glob,--wrap=globfree,--wrap=option_nearest
 * options  -max_len=4096
 */
#include "shoal/options/assign.h"
#include "shoal/options/compat.h"
#include "shoal/options/config.h"
#include "shoal/options/file.h"
#include "shoal/options/host_limits.h"
#include "shoal/options/notes.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_glob(const char *pattern, int flags, int (*failed)(const char *, int), glob_t *found);
void __wrap_globfree(glob_t *found);
const char *__real_option_nearest(struct bytes name);
const char *__wrap_option_nearest(struct bytes name);

enum { FILES_MAX = 10, OPENED_MAX = 200, SEPARATOR = 0xff };

static struct {
    const uint8_t *at[FILES_MAX];
    size_t size[FILES_MAX];
    int count;
    int opened; /* files that include each other twice, eight deep, are 2^8 */
} files;

/* ---- the machine, as the reader sees it ---------------------------------- */

void host_limits_detect(struct host_limits *host)
{
    *host = (struct host_limits){ .cpus = 4, .cpus_affinity = 4, .memory = 1000000000 };
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strcmp(mode, "re") != 0) /* libFuzzer's own */
        return __real_fopen(path, mode);
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    int i = name[0] - '0';
    errno = ENOENT;
    if (i < 0 || i >= files.count || name[1] != '\0' || files.opened++ >= OPENED_MAX)
        return NULL;
    if (files.size[i] == 0)
        return __real_fopen("/dev/null", mode);
    return fmemopen((void *)files.at[i], files.size[i], "r");
}

int __wrap_glob(const char *pattern, int flags, int (*failed)(const char *, int), glob_t *found)
{
    (void)flags, (void)failed;
    const char *slash = strrchr(pattern, '/');
    found->gl_pathc = 0;
    found->gl_pathv = calloc(FILES_MAX + 1, sizeof(char *));
    for (int i = 0; i < files.count; i++) {
        char name[2] = { (char)('0' + i), '\0' };
        if (fnmatch(slash != NULL ? slash + 1 : pattern, name, 0) == 0)
            found->gl_pathv[found->gl_pathc++] = strdup(name);
    }
    if (found->gl_pathc > 0)
        return 0;
    free(found->gl_pathv);
    return GLOB_NOMATCH;
}

void __wrap_globfree(glob_t *found)
{
    for (size_t i = 0; i < found->gl_pathc; i++)
        free(found->gl_pathv[i]);
    free(found->gl_pathv);
}

/* Three hundred edit distances for each unknown name would be nearly all that is done. */
const char *__wrap_option_nearest(struct bytes name)
{
    return name.size % 8 == 0 ? __real_option_nearest(name) : NULL;
}

static void divide(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    for (files.count = 0; files.count < FILES_MAX; files.count++) {
        const uint8_t *mark = memchr(data, SEPARATOR, (size_t)(end - data));
        files.at[files.count] = data;
        files.size[files.count] = (size_t)((mark != NULL ? mark : end) - data);
        if (mark == NULL)
            break;
        data = mark + 1;
    }
    files.count += files.count < FILES_MAX;
}

/* ---- what must hold ------------------------------------------------------ */

static bool file_line(void *context, const struct option_line *line, struct option_error *error)
{
    return options_assign(context, line, SOURCE_FILE, error);
}

static void check_same_text(const char *name, const char *a, const char *b)
{
    if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
        return;
    fprintf(stderr, "%s: \"%s\" became \"%s\"\n", name, a, b);
    abort();
}

static void check_same(const struct settings *a, const struct settings *b)
{
    char of_a[OPTION_TEXT_MAX], of_b[OPTION_TEXT_MAX];
    for (int i = 0; i < option_row_count; i++) {
        option_print(&option_rows[i], a, of_a);
        option_print(&option_rows[i], b, of_b);
        check_same_text(option_rows[i].name, of_a, of_b);
    }
    for (int i = 0; i < compat_count(); i++)
        check_same_text(compat_name(i), compat_get(a, i), compat_get(b, i));
}

static void check_reload(const struct settings *settings)
{
    static struct settings again;
    struct option_error error;
    again = *settings;
    strcpy(again.config_file, "0");
    files.opened = 0;
    if (!options_reload(&again, &error)) {
        fprintf(stderr, "read again: %s\n", error.text);
        abort();
    }
    check_same(settings, &again);
}

/* Not by option_set(), which looks each name up in both tables. */
static void check_set_back(const struct settings *settings)
{
    static struct settings again;
    struct option_error error;
    char text[OPTION_TEXT_MAX];
    again = *settings;
    for (int i = 0; i < option_row_count; i++) {
        option_print(&option_rows[i], settings, text);
        if (!option_parse(&option_rows[i], &again, bytes_str(text), &error)) {
            fprintf(stderr, "%s \"%s\": %s\n", option_rows[i].name, text, error.text);
            abort();
        }
    }
    check_same(settings, &again);
}

/* In a block of exactly its size: getline()'s is larger, so a read beyond the line would not
 * show. */
static void check_split(const uint8_t *data, size_t size)
{
    struct bytes words[OPTION_WORDS_MAX];
    const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
    char *line = strndup((const char *)data, lf != NULL ? (size_t)(lf - data) : size);
    size_t whole = strlen(line);
    int count = options_split(line, words);
    for (int i = 0; i < count; i++) {
        if (words[i].data < line || words[i].data + words[i].size > line + whole)
            abort();
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    struct host_limits host;
    struct option_error error;
    memset(&error, 0, sizeof(error));
    host_limits_detect(&host);
    check_split(data, size);
    divide(data, size);
    files.opened = 0;
    options_notes_clear();
    options_defaults(&settings, &host);
    if (!options_file_read("0", file_line, &settings, &error)) {
        if (error.text[0] == '\0' || memchr(error.text, '\0', sizeof(error.text)) == NULL)
            abort();
        return 0;
    }
    options_resolve(&settings, &host);
    check_reload(&settings);
    check_set_back(&settings);
    return 0;
}
