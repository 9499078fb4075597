/*
 * actions.c - the list of what the command line may ask for besides values.
 */
#include "shoal/options/actions.h"

#include "shoal/options/export.h"
#include "shoal/options/print.h"

/* clang-format off */
const struct option_action option_actions[] = {
    { "config", 0, ACTION_CONFIG, NULL, "FILE, --config FILE",
      "read this config file, in the syntax of redis.conf; - is standard input" },
    { "check-config", 0, ACTION_CHECK, NULL, "--check-config",
      "check everything, print what is wrong or ignored, and exit" },
    { "print-config", 0, ACTION_PRINT, options_print_config, "--print-config",
      "print a config file with every option and its default, and exit" },
    { "help", 'h', ACTION_PRINT, options_print_help, "-h, --help",
      "print this and exit" },
    { "version", 'v', ACTION_PRINT, options_print_version, "-v, --version",
      "print the version and exit" },
    /* for `make docs` and `make install` */
    { "print-options-markdown", 0, ACTION_PRINT, options_print_markdown, NULL, NULL },
    { "print-commands-markdown", 0, ACTION_COMMANDS, NULL, NULL, NULL },
    { "print-counters-markdown", 0, ACTION_COUNTERS, NULL, NULL, NULL },
    { "print-man", 0, ACTION_PRINT, options_print_man, NULL, NULL },
    { "print-completion", 0, ACTION_PRINT, options_print_completion, NULL, NULL },
};
/* clang-format on */

const int option_action_count = sizeof(option_actions) / sizeof(*option_actions);

const struct option_action *option_action_find(struct bytes name)
{
    for (int i = 0; i < option_action_count; i++) {
        if (bytes_is(name, option_actions[i].name))
            return &option_actions[i];
    }
    return NULL;
}

const struct option_action *option_action_find_letter(char letter)
{
    for (int i = 0; i < option_action_count; i++) {
        if (letter != '\0' && option_actions[i].letter == letter)
            return &option_actions[i];
    }
    return NULL;
}
