/*
 * option_row.h - one row of the table of options, and what is done by a row: parse, print, find.
 *
 * Private to src/options/; the rest of the server reads struct settings.
 */
#ifndef SHOAL_OPTIONS_OPTION_ROW_H
#define SHOAL_OPTIONS_OPTION_ROW_H

#include "shoal/options/host_limits.h"
#include "shoal/options/options.h"

enum {
    OPTION_TEXT_MAX = 1024, /* a printed value with its zero */
    OPTION_WORDS_MAX = 64,  /* words of one config line */
    OPTION_LINE_MAX = 16 * 1024,
    OPTION_INCLUDE_DEPTH_MAX = 8,
};

enum option_type {
    OPTION_INT,      /* int field */
    OPTION_INT64,    /* int64_t field */
    OPTION_MEMORY,   /* int64_t field, "64mb" */
    OPTION_DURATION, /* int64_t field in milliseconds, "30s"; a bare number is seconds */
    OPTION_BOOL,     /* bool field */
    OPTION_ENUM,     /* int field: index into words */
    OPTION_STRING,   /* char array of `size` bytes */
    OPTION_OCTAL,    /* int field */
    OPTION_SPECIAL,  /* its own parse and print */
};

enum option_flag {
    OPTION_AT_START = 1 << 0,  /* CONFIG SET refuses another value */
    OPTION_SECRET = 1 << 1,    /* not in error texts nor logs */
    OPTION_MULTI = 1 << 2,     /* takes several words */
    OPTION_MEGABYTES = 1 << 3, /* the letter takes a number of MB */
    OPTION_NO_EFFECT = 1 << 4, /* kept for INFO or CONFIG GET only: listed as ignored */
};

enum option_source {
    SOURCE_DEFAULT,
    SOURCE_FILE,
    SOURCE_ENVIRONMENT,
    SOURCE_ARGUMENT,
    SOURCE_CONFIG_SET
};

/* Writes the value into settings; false: `error` has the reason in Redis's words. */
typedef bool (*option_parse_fn)(struct settings *settings, struct bytes value,
                                struct option_error *error);
/* As CONFIG GET shows it. */
typedef void (*option_print_fn)(const struct settings *settings, char out[OPTION_TEXT_MAX]);

struct option {
    const char *name;
    const char *alias;        /* a second long name, or NULL */
    char letter;              /* -p, or 0 */
    uint8_t type;             /* enum option_type */
    uint8_t flags;            /* enum option_flag */
    uint16_t size;            /* OPTION_STRING: bytes of the field */
    uint32_t offset;          /* of the field in struct settings */
    int64_t min, max;         /* OPTION_INT, OPTION_INT64, OPTION_MEMORY, OPTION_DURATION */
    const char *const *words; /* OPTION_ENUM: allowed words, ended by NULL */
    option_parse_fn parse;    /* OPTION_SPECIAL */
    option_print_fn print;
    const char *default_text;
    const char *group; /* heading in --help */
    const char *meta;  /* what stands for the value in --help: "N" */
    const char *help;  /* one line, no full stop */
};

/* table.c: the rows, and how many. */
extern const struct option option_rows[];
extern const int option_row_count;
bool option_is_shown(const struct option *row); /* in --help and documentation */

/* What is an action rather than a value, so never in a config file; for --help. Ended by a NULL
 * name. */
struct option_action {
    const char *name, *help;
};
extern const struct option_action option_actions[];

/* value.c: by type. `value` may hold several words. */
bool option_parse(const struct option *row, struct settings *settings, struct bytes value,
                  struct option_error *error);
void option_print(const struct option *row, const struct settings *settings,
                  char out[OPTION_TEXT_MAX]);
bool option_error_set(struct option_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* returns false */
bool option_bool(struct bytes value, bool *out);
/* Next word of `text`, by blanks; false at the end. */
bool option_next_word(struct bytes *text, struct bytes *word);

/* special.c */
bool option_parse_bind(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_bind(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_shards(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_shards(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_cpus(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_cpus(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_maxmemory(struct settings *settings, struct bytes value,
                            struct option_error *error);
void option_print_maxmemory(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_jitter(struct settings *settings, struct bytes value, struct option_error *error);
void option_print_jitter(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_activedefrag(struct settings *settings, struct bytes value,
                               struct option_error *error);
void option_print_activedefrag(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_maxmemory_clients(struct settings *settings, struct bytes value,
                                    struct option_error *error);
void option_print_maxmemory_clients(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_output_limit(struct settings *settings, struct bytes value,
                               struct option_error *error);
void option_print_output_limit(const struct settings *settings, char out[OPTION_TEXT_MAX]);
bool option_parse_percentiles(struct settings *settings, struct bytes value,
                              struct option_error *error);
void option_print_percentiles(const struct settings *settings, char out[OPTION_TEXT_MAX]);

/* find.c: by name or alias, ignoring case and taking '_' for '-'; NULL when unknown. */
const struct option *option_find(struct bytes name);
const struct option *option_find_letter(char letter);
/* The nearest known name, or NULL when none is near. */
const char *option_nearest(struct bytes name);

/*
 * compat.c: Redis's directives that have no meaning here. An index, or -1 when it is not
 * one. While loading, any value is taken; CONFIG SET takes what compat_set() says.
 */
int compat_find(struct bytes name);
int compat_count(void);
const char *compat_name(int index);
const char *compat_alias(int index); /* or NULL */
bool compat_hidden(int index);
void compat_load(struct settings *settings, int index, struct bytes value);
enum option_set_result compat_set(struct settings *settings, int index, struct bytes value,
                                  struct option_error *error);
const char *compat_get(const struct settings *settings, int index);

/*
 * file.c: reads a config file and its includes and calls `line` for each directive, its
 * words joined by one blank in `value`. False from `line` (reason in error) stops; the reader adds
 * file and line. "-" is stdin.
 */
struct option_line {
    struct bytes name, value;
    int words; /* of value */
};
typedef bool (*option_line_fn)(void *context, const struct option_line *line,
                               struct option_error *error);
bool options_file_read(const char *path, option_line_fn line, void *context,
                       struct option_error *error);
/* Splits one line into words, in place; -1: unbalanced quotes. */
int options_split(char *line, struct bytes words[OPTION_WORDS_MAX]);

/* notes.c: what is said once after loading. */
void options_notes_clear(void);
void options_note_ignored(const char *name);
void options_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* load.c: everything of options_load() but the printing; tests give the host and the
 * environment. */
struct options_request {
    bool help, version, check_config, print_markdown, print_man, print_completion, print_config,
        print_commands, print_counters;
};
bool options_parse(struct settings *settings, const struct host_limits *host, int argc, char **argv,
                   char **environment, struct options_request *request, struct option_error *error);
void options_defaults(struct settings *settings, const struct host_limits *host);
/* One directive by name, from a file, the environment or the command line. */
bool options_assign(struct settings *settings, const struct option_line *line,
                    enum option_source source, struct option_error *error);
/* Settles `auto`, and warns. */
void options_resolve(struct settings *settings, const struct host_limits *host);

/* print.c */
void options_print_help(void);
void options_print_version(void);

#endif
