/*
 * table.h - the table of options: a row for each that does something.
 *
 * For this room; the rest of the server reads struct settings.
 */
#ifndef SHOAL_OPTIONS_TABLE_H
#define SHOAL_OPTIONS_TABLE_H

#include "shoal/options/options.h"

enum {
    OPTION_TEXT_MAX = 1024, /* a printed value with its zero */
};

enum option_type {
    OPTION_INT,      /* int field */
    OPTION_INT64,    /* int64_t field */
    OPTION_MEMORY,   /* int64_t field, "64mb" */
    OPTION_DURATION, /* int64_t field in milliseconds, "30s"; a bare number is seconds */
    OPTION_BOOL,     /* bool field */
    OPTION_ENUM,     /* int field: the number of the word */
    OPTION_STRING,   /* char array of `size` bytes */
    OPTION_OCTAL,    /* int field */
    OPTION_SPECIAL,  /* its own parse and print */
};

enum option_flag {
    OPTION_AT_START = 1 << 0,   /* CONFIG SET refuses another value */
    OPTION_SECRET = 1 << 1,     /* no error text shows its value */
    OPTION_MULTI = 1 << 2,      /* takes several words */
    OPTION_MEGABYTES = 1 << 3,  /* the letter takes a number of MB */
    OPTION_NO_EFFECT = 1 << 4,  /* kept for INFO or CONFIG GET only: listed as ignored */
    OPTION_MAY_LACK = 1 << 5,   /* a build that lacks it refuses the default and stays without */
    OPTION_TELL_WORDS = 1 << 6, /* the words follow the help text */
};

/* Writes the value into settings; false: `error` has the reason in Redis's words. */
typedef bool (*option_parse_fn)(struct settings *settings, struct bytes value,
                                struct option_error *error);
/* As CONFIG GET shows it. */
typedef void (*option_print_fn)(const struct settings *settings, char out[OPTION_TEXT_MAX]);

/* The word of a value of OPTION_ENUM, from 0 on; NULL past the last. */
typedef const char *(*option_word_fn)(int value);

struct option {
    const char *name;
    const char *alias;     /* a second long name, or NULL */
    char letter;           /* -p, or 0 */
    uint8_t type;          /* enum option_type */
    uint8_t flags;         /* enum option_flag */
    uint16_t size;         /* OPTION_STRING: bytes of the field */
    uint32_t offset;       /* of the field in struct settings */
    int64_t min, max;      /* OPTION_INT, OPTION_INT64, OPTION_MEMORY, OPTION_DURATION */
    option_word_fn word;   /* OPTION_ENUM */
    option_parse_fn parse; /* OPTION_SPECIAL */
    option_print_fn print;
    option_print_fn given; /* as it was given, where CONFIG GET shows another text; or NULL */
    const char *default_text;
    const char *group; /* heading in --help */
    const char *meta;  /* what stands for the value in --help: "N" */
    const char *help;  /* one line, no full stop; see option_help() */
};

/* In the order of --help. */
extern const struct option option_rows[];
extern const int option_row_count;

/* Whether --help and the documentation name it. */
bool option_is_shown(const struct option *row);

/* The help text with what its flags add. */
void option_help(const struct option *row, char out[OPTION_TEXT_MAX]);

#endif
