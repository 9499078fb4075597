/*
 * actions.h - what the command line may ask for that is no value, so that no config file has it.
 */
#ifndef SHOAL_OPTIONS_ACTIONS_H
#define SHOAL_OPTIONS_ACTIONS_H

#include "shoal/base/bytes.h"

enum option_action_kind {
    ACTION_CONFIG, /* names the config file */
    ACTION_CHECK,  /* checks the configuration and exits */
    ACTION_PRINT,  /* prints something and exits */
    /* the same with a table that the caller of options_load() has */
    ACTION_COMMANDS,
    ACTION_COUNTERS,
};

struct option_action {
    const char *name;
    char letter; /* -h, or 0 */
    uint8_t kind;
    void (*print)(void); /* ACTION_PRINT */
    const char *shown;   /* as --help writes it; NULL: it is for scripts, and nothing names it */
    const char *help;
};

/* In the order of --help. */
extern const struct option_action option_actions[];
extern const int option_action_count;

/* NULL when unknown. */
const struct option_action *option_action_find(struct bytes name);
const struct option_action *option_action_find_letter(char letter);

#endif
