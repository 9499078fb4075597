/*
 * slowlog.c - a short list of slow commands.
 */
#include "shoal/stats/slowlog.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Entries of all reactors have one numbering. Relaxed: only uniqueness matters. */
static _Atomic int64_t next_id;

static void entry_free(struct slowlog_entry *entry)
{
    for (uint32_t i = 0; i < entry->argc; i++)
        free(entry->args[i]);
    free(entry);
}

static void trim(struct slowlog *log, uint32_t max)
{
    struct slowlog_entry **last = &log->first;
    for (uint32_t i = 0; i < max && *last != NULL; i++)
        last = &(*last)->next;
    while (*last != NULL) {
        struct slowlog_entry *entry = *last;
        *last = entry->next;
        entry_free(entry);
        log->count--;
    }
}

void slowlog_clear(struct slowlog *log)
{
    trim(log, 0);
}

/* The argument, or its beginning and how much is left out. */
static char *arg_copy(struct bytes arg, uint32_t *size)
{
    char more[64] = "";
    size_t kept = arg.size;
    if (arg.size > SLOWLOG_ARG_BYTES_MAX) {
        kept = SLOWLOG_ARG_BYTES_MAX;
        snprintf(more, sizeof(more), "... (%zu more bytes)", arg.size - kept);
    }
    char *copy = malloc(kept + strlen(more) + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, arg.data, kept);
    strcpy(copy + kept, more);
    *size = (uint32_t)(kept + strlen(more));
    return copy;
}

static void args_copy(struct slowlog_entry *entry, const struct args *args, uint64_t hidden)
{
    uint32_t kept = args->count > SLOWLOG_ARGS_MAX ? SLOWLOG_ARGS_MAX - 1 : args->count;
    for (uint32_t i = 0; i < kept; i++) {
        struct bytes arg = hidden >> i & 1 ? bytes_str("(redacted)") : args_at(args, i);
        entry->args[i] = arg_copy(arg, &entry->arg_sizes[i]);
        if (entry->args[i] == NULL)
            return;
        entry->argc = i + 1;
    }
    if (kept < args->count) {
        char more[64];
        snprintf(more, sizeof(more), "... (%u more arguments)", args->count - kept);
        entry->args[kept] = strdup(more);
        entry->arg_sizes[kept] = (uint32_t)strlen(more);
        entry->argc = kept + (entry->args[kept] != NULL);
    }
}

void slowlog_add(struct slowlog *log, const struct args *args, uint64_t hidden, int64_t duration_us,
                 int64_t unix_us, const char *client, const char *name, uint32_t max)
{
    if (max == 0)
        return;
    struct slowlog_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return;
    entry->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
    entry->unix_s = unix_us / 1000000;
    entry->duration_us = duration_us;
    snprintf(entry->client, sizeof(entry->client), "%s", client);
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    args_copy(entry, args, hidden);
    entry->next = log->first;
    log->first = entry;
    log->count++;
    trim(log, max);
}

void slowlog_reply(const struct slowlog *log, struct reply *reply, int64_t max)
{
    int64_t left = max;
    for (const struct slowlog_entry *entry = log->first; entry != NULL && left != 0;
         entry = entry->next, left--) {
        reply_array(reply, 6);
        reply_int(reply, entry->id);
        reply_int(reply, entry->unix_s);
        reply_int(reply, entry->duration_us);
        reply_array(reply, entry->argc);
        for (uint32_t i = 0; i < entry->argc; i++)
            reply_str(reply, bytes_of(entry->args[i], entry->arg_sizes[i]));
        reply_cstr(reply, entry->client);
        reply_cstr(reply, entry->name);
        reply_mark(reply);
    }
}
