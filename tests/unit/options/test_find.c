/*
 * test_find.c - options and directives by name, and the names that are suggested.
 */
#include "shoal/options/find.h"

#include "shoal/options/compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *found(const char *name)
{
    const struct option *row = option_find(bytes_str(name));
    return row != NULL ? row->name : "(none)";
}

static const char *nearest(const char *name)
{
    const char *near = option_nearest(bytes_str(name));
    return near != NULL ? near : "(none)";
}

static void case_and_underscores_do_not_matter(void **state)
{
    (void)state;
    assert_string_equal(found("tcp-backlog"), "tcp-backlog");
    assert_string_equal(found("TCP_Backlog"), "tcp-backlog");
    assert_string_equal(found("tcpbacklog"), "(none)");
    assert_string_equal(found("tcp-backlo"), "(none)");
    assert_string_equal(found(""), "(none)");
    assert_int_equal(compat_find(bytes_str("AOF-rewrite_cpulist")),
                     compat_find(bytes_str("aof_rewrite_cpulist")));
}

static void an_alias_finds_its_option(void **state)
{
    (void)state;
    assert_string_equal(found("threads"), "shards");
    assert_int_equal(compat_find(bytes_str("slaveof")), compat_find(bytes_str("replicaof")));
    assert_string_equal(compat_name(compat_find(bytes_str("slaveof"))), "replicaof");
}

static void a_letter_finds_its_option(void **state)
{
    (void)state;
    assert_string_equal(option_find_letter('p')->name, "port");
    assert_null(option_find_letter('P'));
    assert_null(option_find_letter('\0'));
}

static void an_option_is_no_directive(void **state)
{
    (void)state;
    assert_string_equal(found("appendonly"), "(none)");
    assert_int_equal(compat_find(bytes_str("port")), -1);
}

/* A letter too many, too few, another one, or two swapped. */
static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest("maxmmory"), "maxmemory");
    assert_string_equal(nearest("maxmemoory"), "maxmemory");
    assert_string_equal(nearest("maxmemorz"), "maxmemory");
    assert_string_equal(nearest("maxmemroy"), "maxmemory");
    assert_string_equal(nearest("MAX_CLIENT"), "maxclients");
    assert_string_equal(nearest("thread"), "threads");
    assert_string_equal(nearest("check-conf"), "check-config");
    assert_string_equal(nearest("print-conf"), "print-config");
    assert_string_equal(nearest("appendnoly"), "appendonly");
}

static void nothing_near_is_no_suggestion(void **state)
{
    (void)state;
    char longest[66];
    memset(longest, 'x', sizeof(longest));
    longest[65] = '\0';
    assert_string_equal(nearest("xyzzyxyzzy"), "(none)");
    assert_string_equal(nearest(""), "(none)");
    assert_string_equal(nearest(longest), "(none)");
    /* what CONFIG GET hides and what is for scripts is not suggested either */
    assert_string_not_equal(nearest("key-load-delayx"), "key-load-delay");
    assert_string_not_equal(nearest("print-man"), "print-man");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_underscores_do_not_matter),
        cmocka_unit_test(an_alias_finds_its_option),
        cmocka_unit_test(a_letter_finds_its_option),
        cmocka_unit_test(an_option_is_no_directive),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(nothing_near_is_no_suggestion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
