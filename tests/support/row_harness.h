/*
 * row_harness.h - runs lines of commands about the server for one connection, for tests of rows.
 *
 * It is admin_harness.h with one harness for the whole program and replies in a short form: every
 * CR LF is one blank, and the last one is left out: "*2 $1 a $-1".
 */
#ifndef SHOAL_TESTS_ROW_HARNESS_H
#define SHOAL_TESTS_ROW_HARNESS_H

#include "support/admin_harness.h"

static struct admin_harness *admin;

/* A setup function of cmocka: everything is as at first. */
static inline int row_setup(void **state)
{
    commands_register();
    admin_setup(state);
    admin = *state;
    admin_settings(admin)->port = 7000;
    memset(admin->server->run_id, 'a', RUN_ID_SIZE);
    for (uint32_t i = 0; i < ADMIN_SHARDS; i++)
        admin_reactor(admin, i)->now_ms = 100 * 1000;
    return 0;
}

/* Runs a line; its reply in the short form that the head of this file describes. */
static inline const char *row_run(const char *line)
{
    admin_run(admin, line);
    size_t size = strlen(admin->text);
    for (size_t i = 0; i < size; i++)
        if (admin->text[i] == '\n')
            admin->text[i] = ' ';
    admin->text[size > 0 ? size - 1 : 0] = '\0';
    return admin->text;
}

#define ROW_TEST(name) cmocka_unit_test_setup_teardown(name, row_setup, admin_teardown)

#endif
