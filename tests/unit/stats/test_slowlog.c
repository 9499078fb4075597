/*
 * test_slowlog.c - the list of slow commands: newest first, bounded in entries, arguments and their
 * sizes.
 */
#include "shoal/stats/slowlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 100 };

static struct span spans[ARGS_MAX];
static char words[ARGS_MAX * 16];

/* "w0 w1 w2 ..." */
static struct args args_of(uint32_t count)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        int size = sprintf(words + at, "w%u", i);
        spans[i] = (struct span){ at, (uint32_t)size };
        at += (uint32_t)size;
    }
    return (struct args){ .base = words, .v = spans, .count = count };
}

static void add(struct slowlog *log, uint32_t argc, int64_t duration_us, uint32_t max)
{
    struct args args = args_of(argc);
    slowlog_add(log, &args, 0, duration_us, 5000000, "127.0.0.1:1", "me", max);
}

static struct bytes arg(const struct slowlog_entry *entry, uint32_t i)
{
    return bytes_of(entry->args[i], entry->arg_sizes[i]);
}

static void assert_arg(const struct slowlog_entry *entry, uint32_t i, const char *text)
{
    if (!bytes_equal(arg(entry, i), bytes_str(text)))
        fail_msg("argument %u is %.*s, not %s", i, (int)arg(entry, i).size, arg(entry, i).data,
                 text);
}

static void the_newest_comes_first(void **state)
{
    (void)state;
    struct slowlog log = { 0 };
    add(&log, 1, 10, 8);
    add(&log, 2, 20, 8);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.first->duration_us, 20);
    assert_int_equal(log.first->unix_s, 5);
    assert_int_equal(log.first->argc, 2);
    assert_arg(log.first, 1, "w1");
    assert_string_equal(log.first->client, "127.0.0.1:1");
    assert_string_equal(log.first->name, "me");
    assert_true(log.first->id > log.first->next->id);
    slowlog_clear(&log);
    assert_int_equal(log.count, 0);
    assert_null(log.first);
}

static void the_oldest_is_forgotten(void **state)
{
    (void)state;
    struct slowlog log = { 0 };
    for (int i = 0; i < 10; i++)
        add(&log, 1, i, 3);
    assert_int_equal(log.count, 3);
    assert_int_equal(log.first->duration_us, 9);
    assert_int_equal(log.first->next->next->duration_us, 7);
    assert_null(log.first->next->next->next);
    add(&log, 1, 10, 1); /* slowlog-max-len has been lowered */
    assert_int_equal(log.count, 1);
    add(&log, 1, 11, 0);
    assert_int_equal(log.first->duration_us, 10); /* it is off: what is there stays */
    slowlog_clear(&log);
}

static void many_arguments_are_summed_up(void **state)
{
    (void)state;
    struct slowlog log = { 0 };
    add(&log, SLOWLOG_ARGS_MAX, 1, 8);
    assert_int_equal(log.first->argc, SLOWLOG_ARGS_MAX);
    assert_arg(log.first, SLOWLOG_ARGS_MAX - 1, "w31");
    add(&log, SLOWLOG_ARGS_MAX + 5, 1, 8);
    assert_int_equal(log.first->argc, SLOWLOG_ARGS_MAX);
    assert_arg(log.first, SLOWLOG_ARGS_MAX - 2, "w30");
    assert_arg(log.first, SLOWLOG_ARGS_MAX - 1, "... (6 more arguments)");
    slowlog_clear(&log);
}

static void a_long_argument_is_cut(void **state)
{
    (void)state;
    static char text[1000];
    char wanted[SLOWLOG_ARG_BYTES_MAX + 64];
    struct slowlog log = { 0 };
    memset(text, 'x', sizeof(text));
    struct span two[] = { { 0, SLOWLOG_ARG_BYTES_MAX }, { 0, SLOWLOG_ARG_BYTES_MAX + 1 } };
    struct args args = { .base = text, .v = two, .count = 2 };
    slowlog_add(&log, &args, 0, 1, 0, "", "", 8);
    assert_int_equal(log.first->arg_sizes[0], SLOWLOG_ARG_BYTES_MAX);
    snprintf(wanted, sizeof(wanted), "%.*s... (1 more bytes)", SLOWLOG_ARG_BYTES_MAX, text);
    assert_arg(log.first, 1, wanted);
    slowlog_clear(&log);
}

static void hidden_arguments_are_redacted(void **state)
{
    (void)state;
    struct slowlog log = { 0 };
    struct args args = args_of(SLOWLOG_ARGS_MAX);
    slowlog_add(&log, &args, 1u << 31 | 1u << 1, 1, 0, "", "", 8);
    assert_arg(log.first, 0, "w0");
    assert_arg(log.first, 1, "(redacted)");
    assert_arg(log.first, 30, "w30");
    assert_arg(log.first, 31, "(redacted)");
    slowlog_clear(&log);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    char name[500];
    struct slowlog log = { 0 };
    struct args args = args_of(1);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    slowlog_add(&log, &args, 0, 1, 0, name, name, 8);
    assert_int_equal(strlen(log.first->client), sizeof(log.first->client) - 1);
    assert_int_equal(strlen(log.first->name), sizeof(log.first->name) - 1);
    slowlog_clear(&log);
}

static void it_replies_as_slowlog_get_does(void **state)
{
    (void)state;
    struct slowlog log = { 0 };
    struct reply reply;
    char wanted[512];
    add(&log, 1, 10, 8);
    add(&log, 2, 20, 8);
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    reply.marking = true;
    slowlog_reply(&log, &reply, 1);
    snprintf(wanted, sizeof(wanted),
             "*6\r\n:%lld\r\n:5\r\n:20\r\n*2\r\n$2\r\nw0\r\n$2\r\nw1\r\n$11\r\n127.0.0.1:1\r\n"
             "$2\r\nme\r\n",
             (long long)log.first->id);
    assert_int_equal(reply.size, strlen(wanted));
    assert_memory_equal(reply.base, wanted, reply.size);
    assert_int_equal(reply.mark_count, 1);
    slowlog_reply(&log, &reply, -1); /* all */
    assert_int_equal(reply.mark_count, 3);
    reply_fini(&reply);
    slowlog_clear(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_comes_first),         cmocka_unit_test(the_oldest_is_forgotten),
        cmocka_unit_test(many_arguments_are_summed_up),   cmocka_unit_test(a_long_argument_is_cut),
        cmocka_unit_test(hidden_arguments_are_redacted),  cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(it_replies_as_slowlog_get_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
