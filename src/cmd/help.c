/*
 * help.c - the lines of HELP, from the rows of the registry.
 */
#include "shoal/cmd/help.h"

#include "shoal/cmd/registry.h"

#include <ctype.h>
#include <stdio.h>

enum { HELP_LINE_MAX = 256 }; /* a longer syntax is cut */

/* The name in upper case, and what follows it. */
static void reply_name_line(struct reply *reply, const char *name, const char *rest)
{
    char line[HELP_LINE_MAX];
    snprintf(line, sizeof(line), "%s%s%s", name, rest[0] != '\0' ? " " : "", rest);
    for (size_t i = 0; name[i] != '\0'; i++)
        line[i] = (char)toupper((unsigned char)name[i]);
    reply_simple(reply, line);
}

static void reply_summary_line(struct reply *reply, const struct command *command)
{
    char line[HELP_LINE_MAX];
    snprintf(line, sizeof(line), "    %s", command->summary);
    reply_simple(reply, line);
}

void help_command(struct conn *conn, const struct args *args, struct reply *reply)
{
    const struct command *container = registry_find(args_at(args, 0));
    bool alone = container->home != NULL; /* it does something without a sub-command too */
    uint32_t count = 0;
    (void)conn;
    while (container->subs[count].name != NULL)
        count++;
    reply_array(reply, 1 + 2 * (count + alone));
    reply_name_line(reply, container->name,
                    "<subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    if (alone) {
        reply_simple(reply, "(no subcommand)");
        reply_summary_line(reply, container);
    }
    for (uint32_t i = 0; i < count; i++) {
        reply_name_line(reply, container->subs[i].name, container->subs[i].syntax);
        reply_summary_line(reply, &container->subs[i]);
    }
}
