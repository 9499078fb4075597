/*
 * text.c - checking and keeping what clients say about themselves.
 */
#include "shoal/admin/client/text.h"

#include "shoal/conn/conn.h"

#include <stdlib.h>

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '!' || text.data[i] > '~')
            return false;
    return true;
}

bool client_text_ok(struct bytes text, const char *what, struct reply *reply)
{
    if (text.size > CONN_NAME_MAX)
        reply_errorf(reply, "ERR %s cannot be longer than %d bytes.", what, CONN_NAME_MAX);
    else if (!is_plain(text))
        reply_errorf(reply, "ERR %s cannot contain spaces, newlines or special characters.", what);
    else
        return true;
    return false;
}

bool client_text_set(char **place, struct bytes text)
{
    char *copy = NULL;
    if (text.size > 0) {
        copy = strndup(text.data, text.size);
        if (copy == NULL)
            return false;
    }
    free(*place);
    *place = copy;
    return true;
}
