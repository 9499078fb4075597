/*
 * print.c - --help and --version.
 */
#include "shoal/options/print.h"

#include "shoal/base/mem.h"
#include "shoal/options/actions.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HELP_INDENT = 30, HELP_WIDTH_MIN = 60, HELP_WIDTH = 80, HELP_WIDTH_MAX = 110 };

static int help_width(void)
{
    struct winsize window;
    int width = HELP_WIDTH;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
        window.ws_col > 0)
        width = window.ws_col;
    width = width < HELP_WIDTH_MIN ? HELP_WIDTH_MIN : width;
    return width > HELP_WIDTH_MAX ? HELP_WIDTH_MAX : width;
}

/* A word, or "0 = never" as a whole. */
static bool next_unit(struct bytes *rest, struct bytes *unit)
{
    struct bytes word;
    if (!option_next_word(rest, unit))
        return false;
    if (rest->size > 3 && strncmp(rest->data, " = ", 3) == 0) {
        option_next_word(rest, &word);
        option_next_word(rest, &word);
        unit->size = (size_t)(word.data + word.size - unit->data);
    }
    return true;
}

/* Prints `text` from column `at`, its further lines from HELP_INDENT. */
static void print_wrapped(const char *text, int at, int width)
{
    bool first = true;
    struct bytes rest = bytes_str(text), word;
    while (next_unit(&rest, &word)) {
        if (!first && at + 1 + (int)word.size > width) {
            printf("\n%*s", HELP_INDENT, "");
            at = HELP_INDENT;
            first = true;
        }
        printf("%s%.*s", first ? "" : " ", (int)word.size, word.data);
        at += (int)word.size + !first;
        first = false;
    }
    printf("\n");
}

static void print_entry(const char *left, const char *help, int width)
{
    int at = printf("  %s", left);
    if (at > HELP_INDENT - 2) {
        printf("\n");
        at = 0;
    }
    printf("%*s", HELP_INDENT - at, "");
    print_wrapped(help, HELP_INDENT, width);
}

static void print_row(const struct option *row, int width)
{
    char left[160], text[OPTION_TEXT_MAX], help[OPTION_TEXT_MAX + 256], letter[8] = "    ",
                                                                        alias[48] = "";
    if (row->letter != '\0')
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    if (row->alias != NULL)
        snprintf(alias, sizeof(alias), " (or --%s)", row->alias);
    snprintf(left, sizeof(left), "%s--%s %s", letter, row->name, row->meta);
    option_help(row, text);
    snprintf(help, sizeof(help), "%s%s [%s]", text, alias,
             row->default_text[0] != '\0' ? row->default_text : "none");
    print_entry(left, help, width);
}

void options_print_help(void)
{
    int width = help_width();
    printf("shoal - an in-memory cache server for Redis clients and its own protocol\n\n"
           "Usage: shoal [FILE] [--option value | --option=value]...\n\n"
           "Each option can also stand in the config file (option value) or in the\n"
           "environment (SHOAL_OPTION=value, '_' for '-'). The command line wins over the\n"
           "environment, and that over the file. Sizes take k, kb, m, mb, g, gb; defaults\n"
           "are in [ ].\n");
    const char *group = NULL;
    for (int i = 0; i < option_row_count; i++) {
        const struct option *row = &option_rows[i];
        if (!option_is_shown(row))
            continue;
        if (group != row->group)
            printf("\n%s\n", row->group);
        group = row->group;
        print_row(row, width);
    }
    printf("\nOther\n");
    for (int i = 0; i < option_action_count; i++) {
        if (option_actions[i].shown != NULL)
            print_entry(option_actions[i].shown, option_actions[i].help, width);
    }
    printf("\nExit codes: 0 clean, 1 failed while running, 2 usage or configuration,\n"
           "3 io_uring asked for and not available, 4 an address could not be bound.\n");
}

void options_print_version(void)
{
    printf("shoal %s (%s), %s, gcc %s\n", SHOAL_VERSION, SHOAL_BUILD_ID, mem_allocator_name(),
           __VERSION__);
}
