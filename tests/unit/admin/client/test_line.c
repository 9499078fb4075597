/*
 * test_line.c - fields of CLIENT LIST in Redis's order, and the longest line there can be.
 */
#include "shoal/admin/client/line.h"

#include "shoal/net/socket.h"
#include "shoal/reactor/reactor.h"
#include "shoal/route/multi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct reactor reactor = { .id = 7, .now_ms = 100500 };
static char line[CLIENT_LINE_MAX];

static void write_line(const struct conn *conn)
{
    size_t size = client_line(conn, line);
    assert_int_equal(strlen(line), size);
    assert_int_equal(line[size - 1], '\n');
}

static void assert_field(const char *field)
{
    char wanted[600];
    snprintf(wanted, sizeof(wanted), " %s", field);
    const char *at = strstr(line, wanted);
    if (at == NULL || strchr(" \n", at[strlen(wanted)]) == NULL)
        fail_msg("no %s in: %s", field, line);
}

static struct conn fresh(void)
{
    return (struct conn){
        .reactor = &reactor,
        .fd = -1,
        .id = 42,
        .proto = PROTO_RESP2,
        .created_ms = 500,
        .active_ms = 98000,
    };
}

static void names_stand_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {
        "id",        "addr", "laddr", "fd",   "name",     "age",     "idle",      "flags",
        "db",        "sub",  "psub",  "ssub", "multi",    "qbuf",    "qbuf-free", "argv-mem",
        "multi-mem", "rbs",  "rbp",   "obl",  "oll",      "omem",    "tot-mem",   "events",
        "cmd",       "user", "redir", "resp", "lib-name", "lib-ver", "watch",     "shard",
    };
    struct conn conn = fresh();
    write_line(&conn);
    char *rest = line, *word;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        word = strsep(&rest, " ");
        assert_non_null(word);
        assert_string_equal(strsep(&word, "="), names[i]);
    }
    assert_null(rest);
}

static void a_new_connection(void **state)
{
    (void)state;
    struct conn conn = fresh();
    write_line(&conn);
    assert_int_equal(strncmp(line, "id=42 ", 6), 0);
    const char *const fields[] = { "name=",    "age=100",   "idle=2",       "flags=N",
                                   "multi=-1", "qbuf=0",    "oll=0",        "omem=0",
                                   "events=r", "cmd=NULL",  "user=default", "redir=-1",
                                   "resp=2",   "lib-name=", "watch=0",      "shard=7" };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        assert_field(fields[i]);
}

static void state_shows(void **state)
{
    (void)state;
    struct watched_key second = { 0 }, first = { .next = &second };
    struct transaction transaction = { .count = 3, .watched = &first };
    struct conn conn = fresh();
    conn.transaction = &transaction;
    conn.flags =
        CONN_MULTI | CONN_NO_EVICT | CONN_NO_TOUCH | CONN_CLOSING | CONN_UNIX | CONN_PAUSED;
    conn.db = 15;
    conn.proto = PROTO_RESP3;
    write_line(&conn);
    assert_field("flags=xcbUeT");
    assert_field("multi=3");
    assert_field("watch=2");
    assert_field("db=15");
    assert_field("resp=3");
    conn.flags = 0;
    conn.proto = PROTO_NATIVE;
    write_line(&conn);
    assert_field("flags=N");
    assert_field("multi=-1");
    assert_field("resp=0");
}

/* "*2\r\n$6\r\nCLIENT\r\n$4\r\nLIST\r\n" is 26 bytes; five more have not been parsed. */
static void unanswered_bytes_count(void **state)
{
    (void)state;
    struct request *request = aligned_alloc(64, sizeof(*request));
    struct input *input = malloc(sizeof(*input) + 64);
    memset(request, 0, sizeof(*request));
    request->proto = PROTO_RESP2;
    request->args = request->spans;
    request->argc = 2;
    request->spans[0] = (struct span){ 8, 6 };
    request->spans[1] = (struct span){ 20, 4 };
    *input = (struct input){ .size = 15, .capacity = 64 };
    struct conn conn = fresh();
    list_add(&conn.unanswered, request, next);
    conn.input = input;
    conn.input_at = 10;
    write_line(&conn);
    assert_field("qbuf=31");
    assert_field("qbuf-free=49");
    assert_field("argv-mem=10");
    free(input);
    free(request);
}

static void longest_line_fits(void **state)
{
    (void)state;
    char name[CONN_NAME_MAX + 1];
    memset(name, 'n', CONN_NAME_MAX);
    name[CONN_NAME_MAX] = '\0';
    struct command command = { .full_name = "client|trackinginfo" };
    struct conn conn = fresh();
    conn.id = UINT64_MAX;
    conn.created_ms = conn.active_ms = INT64_MIN / 2;
    conn.name = conn.lib_name = conn.lib_version = name;
    conn.last_command = &command;
    conn.out.bytes = SIZE_MAX;
    write_line(&conn);
    assert_field("cmd=client|trackinginfo");
    assert_true(strlen(line) + 2 * ADDRESS_TEXT_MAX + 200 < CLIENT_LINE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stand_in_order), cmocka_unit_test(a_new_connection),
        cmocka_unit_test(state_shows),          cmocka_unit_test(unanswered_bytes_count),
        cmocka_unit_test(longest_line_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
