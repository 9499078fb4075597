/*
 * test_commands.c - every row of every family is complete and can be documented in every protocol.
 */
#include "shoal/commands.h"

#include "shoal/cmd/describe.h"
#include "shoal/cmd/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/reply_parse.h"

static int begin(void **state)
{
    (void)state;
    commands_register();
    return 0;
}

static bool has_handler(const struct command *command)
{
    return command->shard != NULL || command->each != NULL || command->home != NULL ||
           command->gather != NULL;
}

/* What COMMAND DOCS and the dispatcher take for granted. */
static void rows_are_complete(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < registry_count(); i++) {
        const struct command *command = registry_at(i);
        if (command->summary == NULL || command->since == NULL || command->group == NULL ||
            command->complexity == NULL || command->arity == 0)
            fail_msg("%s lacks something", command->full_name);
        if (command->subs == NULL && (command->syntax == NULL || !has_handler(command)))
            fail_msg("%s lacks its syntax or its handler", command->full_name);
        if (command->route == ROUTE_GATHER && command->subs == NULL && command->gather == NULL)
            fail_msg("%s gathers nothing", command->full_name);
    }
}

typedef void describe_fn(struct reply *reply, const struct command *command);

/* COMMAND DOCS answers one map of all; this is the map of one. */
static void docs(struct reply *reply, const struct command *command)
{
    reply_map(reply, 1);
    describe_docs(reply, command);
}

/* One whole, well-formed reply that names the command, and no error. */
static void describes(describe_fn *describe, enum proto proto, enum reply_dialect dialect,
                      const struct command *command)
{
    static char text[64 * 1024];
    struct reply reply;
    reply_init(&reply, proto, NULL, 0, NULL, 0);
    reply_begin(&reply);
    describe(&reply, command);
    reply_end(&reply);
    long taken = reply_parse(dialect, reply.base, reply.size, text, sizeof(text));
    if (taken != (long)reply.size || reply.errors > 0)
        fail_msg("%s in protocol %d: %ld of %zu bytes, %u errors: %s", command->full_name, proto,
                 taken, reply.size, reply.errors, text);
    if (strstr(text, command->full_name) == NULL)
        fail_msg("%s is not in: %s", command->full_name, text);
    reply_fini(&reply);
}

/* Of every row, sub-commands too. A syntax that is not well-formed ends the program, and so the
 * test. */
static void rows_can_be_documented(void **state)
{
    (void)state;
    static describe_fn *const ways[] = { docs, describe_info };
    for (uint32_t i = 0; i < registry_count(); i++) {
        for (size_t way = 0; way < 2; way++) {
            describes(ways[way], PROTO_RESP2, DIALECT_RESP2, registry_at(i));
            describes(ways[way], PROTO_RESP3, DIALECT_RESP3, registry_at(i));
            describes(ways[way], PROTO_NATIVE, DIALECT_NATIVE, registry_at(i));
        }
    }
}

/* Among them what clients send when they connect. */
static void names_are_found(void **state)
{
    (void)state;
    static const char *const names[] = { "PING",   "Echo",  "QUIT",     "AUTH",      "HELLO",
                                         "SELECT", "RESET", "READONLY", "READWRITE", "ASKING",
                                         "CLIENT", "MULTI", "GET",      "INFO",      "COMMAND" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (registry_find(bytes_str(names[i])) == NULL)
            fail_msg("%s is unknown", names[i]);
    assert_null(registry_find(bytes_str("NOSUCH")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(rows_can_be_documented),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
