/*
 * export.c - the table of options as documentation: markdown, man page, completion, config
 * file.
 *
 * scripts/gen-docs.sh puts the first and the last where they belong.
 */
#include "shoal/options/export.h"

#include "shoal/options/actions.h"
#include "shoal/options/table.h"

#include <stdio.h>

/* ---- markdown ------------------------------------------------------------ */

/* A '|' would end the cell. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_markdown_row(const struct option *row)
{
    char help[OPTION_TEXT_MAX];
    printf("| `--%s ", row->name);
    print_cell(row->meta);
    printf("`");
    if (row->letter != '\0')
        printf(", `-%c`", row->letter);
    if (row->alias != NULL)
        printf(", `--%s`", row->alias);
    printf(row->default_text[0] != '\0' ? " | `%s` | " : " | %s| ", row->default_text);
    printf("%s | ", row->flags & OPTION_AT_START ? "at start" : "CONFIG SET");
    option_help(row, help);
    print_cell(help);
    printf(" |\n");
}

void options_print_markdown(void)
{
    const char *group = NULL;
    printf("| option | default | changed | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < option_row_count; i++) {
        if (!option_is_shown(&option_rows[i]))
            continue;
        if (group != option_rows[i].group)
            printf("| **%s** | | | |\n", option_rows[i].group);
        group = option_rows[i].group;
        print_markdown_row(&option_rows[i]);
    }
}

/* ---- man page ------------------------------------------------------------ */

/* '-' must be a plain one, and a line may not begin with '.' or '\''. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        printf("\\&");
    for (; *text != '\0'; text++)
        printf(*text == '-' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void print_man_row(const struct option *row)
{
    char help[OPTION_TEXT_MAX];
    printf(".TP\n");
    if (row->letter != '\0')
        printf("\\fB\\-%c\\fR, ", row->letter);
    printf("\\fB\\-\\-");
    print_roff(row->name);
    printf("\\fR \\fI");
    print_roff(row->meta);
    printf("\\fR\n");
    option_help(row, help);
    print_roff(help);
    printf(".\n");
    if (row->default_text[0] != '\0') {
        printf("Default: ");
        print_roff(row->default_text);
        printf(".\n");
    }
}

static void print_man_action(const struct option_action *action)
{
    printf(".TP\n.B ");
    print_roff(action->shown);
    printf("\n");
    print_roff(action->help);
    printf(".\n");
}

void options_print_man(void)
{
    printf(".TH SHOAL 1 \"\" \"shoal %s\" \"User Commands\"\n", SHOAL_VERSION);
    printf(".SH NAME\nshoal \\- in\\-memory cache server\n.SH SYNOPSIS\n.B shoal\n"
           "[\\fIFILE\\fR] [\\fB\\-\\-option\\fR \\fIvalue\\fR]...\n.SH DESCRIPTION\n"
           "Serves RESP2, RESP3 and a protocol of its own from one port, on as many threads as "
           "there are CPUs.\n"
           "Options come from the config file, the environment (SHOAL_OPTION) and the command "
           "line; the last wins.\n");
    const char *group = NULL;
    for (int i = 0; i < option_row_count; i++) {
        if (!option_is_shown(&option_rows[i]))
            continue;
        if (group != option_rows[i].group)
            printf(".SH OPTIONS: %s\n", option_rows[i].group);
        group = option_rows[i].group;
        print_man_row(&option_rows[i]);
    }
    printf(".SH OTHER OPTIONS\n");
    for (int i = 0; i < option_action_count; i++) {
        if (option_actions[i].shown != NULL)
            print_man_action(&option_actions[i]);
    }
    printf(".SH EXIT STATUS\n0 clean, 1 failed while running, 2 usage or configuration, 3 io_uring "
           "asked for and not available, 4 an address could not be bound.\n.SH SIGNALS\n"
           "TERM and INT stop after the replies in flight, HUP reads the config file again.\n");
}

/* ---- bash completion ----------------------------------------------------- */

static void print_enum_case(const struct option *row)
{
    printf("        --%s) COMPREPLY=($(compgen -W '", row->name);
    if (row->type == OPTION_BOOL)
        printf("yes no");
    for (int i = 0; row->type == OPTION_ENUM && row->word(i) != NULL; i++)
        printf("%s%s", i > 0 ? " " : "", row->word(i));
    printf("' -- \"$word\")); return ;;\n");
}

void options_print_completion(void)
{
    printf("# bash completion of shoal\n_shoal()\n{\n    local word=${COMP_WORDS[COMP_CWORD]}\n"
           "    case ${COMP_WORDS[COMP_CWORD-1]} in\n");
    for (int i = 0; i < option_row_count; i++) {
        if (option_is_shown(&option_rows[i]) &&
            (option_rows[i].type == OPTION_ENUM || option_rows[i].type == OPTION_BOOL))
            print_enum_case(&option_rows[i]);
    }
    printf("    esac\n    if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W '");
    for (int i = 0; i < option_row_count; i++) {
        if (option_is_shown(&option_rows[i]))
            printf("--%s ", option_rows[i].name);
    }
    for (int i = 0; i < option_action_count; i++) {
        if (option_actions[i].shown != NULL)
            printf("%s--%s", i > 0 ? " " : "", option_actions[i].name);
    }
    printf("' -- \"$word\"))\n    else\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\ncomplete -F _shoal shoal\n");
}

/* ---- config file --------------------------------------------------------- */

void options_print_config(void)
{
    char help[OPTION_TEXT_MAX];
    const char *group = NULL;
    printf("# shoal.conf - every option with its default; take the '#' away to change one.\n#\n"
           "# One option a line: name value. Sizes take k (1000), kb (1024), m, mb, g, gb. Quote "
           "values\n"
           "# with blanks: \"a b\". A comment has a line of its own. `include PATH` reads another "
           "file.\n"
           "# `shoal --check-config FILE` says what is wrong.\n");
    for (int i = 0; i < option_row_count; i++) {
        const struct option *row = &option_rows[i];
        if (!option_is_shown(row))
            continue;
        if (group != row->group)
            printf("\n# ---- %s ----\n", row->group);
        group = row->group;
        option_help(row, help);
        printf("\n# %s\n# (%s%s)\n", help, row->meta,
               row->flags & OPTION_AT_START ? "" : "; CONFIG SET changes it");
        printf("#%s %s\n", row->name, row->default_text[0] != '\0' ? row->default_text : "\"\"");
    }
}
