/*
 * help.h - the HELP of a container, as an array of lines.
 */
#ifndef SHOAL_CMD_HELP_H
#define SHOAL_CMD_HELP_H

#include "shoal/proto/reply.h"

/* `lines` end with a NULL; those about HELP itself are added. Thread: any. */
static inline void reply_help(struct reply *reply, const char *const *lines)
{
    uint32_t count = 0;
    while (lines[count] != NULL)
        count++;
    reply_array(reply, count + 2);
    for (uint32_t i = 0; i < count; i++)
        reply_simple(reply, lines[i]);
    reply_simple(reply, "HELP");
    reply_simple(reply, "    This text.");
}

#endif
