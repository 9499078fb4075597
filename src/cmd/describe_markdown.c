/*
 * describe_markdown.c - docs/commands.md, the table of commands, from the rows.
 */
#include "shoal/cmd/describe.h"

#include "shoal/cmd/registry.h"

#include <ctype.h>
#include <stdlib.h>

/* By group, then by name. */
static int compare(const void *a, const void *b)
{
    const struct command *x = *(const struct command *const *)a;
    const struct command *y = *(const struct command *const *)b;
    int order = strcmp(x->group, y->group);
    return order != 0 ? order : strcmp(x->full_name, y->full_name);
}

/* A bar would end the cell; a sub-command's name has a blank for it. */
static void print_name(FILE *out, const char *name)
{
    for (; *name != '\0'; name++)
        fputc(*name == '|' ? ' ' : toupper((unsigned char)*name), out);
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_row(FILE *out, const struct command *command)
{
    fprintf(out, "| %s | ", command->group);
    print_name(out, command->full_name);
    fputs(" | ", out);
    if (command->syntax != NULL && command->syntax[0] != '\0') {
        fputc('`', out);
        print_escaped(out, command->syntax);
        fputc('`', out);
    }
    fprintf(out, " | %s |\n", command->summary);
}

void describe_markdown(FILE *out)
{
    const struct command *rows[REGISTRY_COMMANDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < registry_count(); i++) {
        if (registry_at(i)->subs == NULL && !(registry_at(i)->flags & CMD_UNDOCUMENTED))
            rows[count++] = registry_at(i);
    }
    qsort(rows, count, sizeof(rows[0]), compare);
    fputs("| group | command | arguments | |\n|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < count; i++)
        print_row(out, rows[i]);
}
