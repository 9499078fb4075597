/*
 * test_filter.c - filters as clients write them: what they match and what is refused.
 */
#include "shoal/admin/client/filter.h"

#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALLER = 5, WORDS_MAX = 16 };

static struct reactor reactor = { .now_ms = 60 * 1000 };
static char error[CLIENT_ERROR_MAX];

typedef struct client_filter *(*parse_fn)(uint64_t caller, const struct args *args, char *error);

/* Parses words that are separated by single spaces. */
static struct client_filter *parse(parse_fn parse_it, const char *text)
{
    struct span spans[WORDS_MAX];
    uint32_t count = 0, start = 0;
    for (uint32_t i = 0;; i++) {
        if (text[i] != ' ' && text[i] != '\0')
            continue;
        spans[count++] = (struct span){ start, i - start };
        start = i + 1;
        if (text[i] == '\0')
            break;
    }
    struct args args = { text, spans, count };
    error[0] = '\0';
    return parse_it(CALLER, &args, error);
}

/* Connected for 30 s; without a socket its address is "?:0". */
static bool matches(struct client_filter *filter, uint64_t id)
{
    struct conn conn = { .reactor = &reactor, .id = id, .fd = -1, .created_ms = 30 * 1000 };
    assert_non_null(filter);
    bool yes = client_filter_matches(filter, &conn);
    conn.flags = CONN_DEAD;
    assert_false(client_filter_matches(filter, &conn));
    free(filter);
    return yes;
}

static bool kills(const char *text, uint64_t id)
{
    return matches(parse(client_filter_kill, text), id);
}

static bool lists(const char *text, uint64_t id)
{
    return matches(parse(client_filter_list, text), id);
}

static void kill_matches(void **state)
{
    (void)state;
    assert_true(kills("client kill id 9", 9));
    assert_true(kills("CLIENT KILL ID 9 Id 9", 9));
    assert_false(kills("client kill id 9 id 8", 9));
    assert_false(kills("client kill id 9", 8));
    assert_false(kills("client kill id 5", CALLER));
    assert_true(kills("client kill id 5 skipme NO", CALLER));
    assert_false(kills("client kill id 5 skipme yes", CALLER));
    assert_true(kills("client kill skipme yes", 6));
    assert_true(kills("client kill type normal user default", 6));
    assert_false(kills("client kill type replica", 6));
    assert_false(kills("client kill type normal type pubsub", 6));
    assert_true(kills("client kill maxage 30", 6));
    assert_false(kills("client kill maxage 31", 6));
    assert_true(kills("client kill addr ?:0 laddr ?:0", 6));
    assert_false(kills("client kill addr 1.2.3.4:5", 6));
    assert_false(kills("client kill laddr 1.2.3.4:5", 6));
}

static void the_old_form_matches_the_caller_too(void **state)
{
    (void)state;
    struct client_filter *filter = parse(client_filter_kill, "client kill ?:0");
    assert_true(filter->by_address);
    assert_true(matches(filter, CALLER));
    assert_false(kills("client kill ?:1", CALLER));
    assert_false(kills("client kill ", CALLER));
}

static void list_matches(void **state)
{
    (void)state;
    assert_true(lists("client list", CALLER));
    assert_true(lists("client list type NORMAL", CALLER));
    assert_false(lists("client list type master", CALLER));
    assert_false(lists("client list id 0 -1", CALLER));
    const char *ids = "client list id 9 3 7 3 5";
    for (uint64_t id = 1; id < 12; id++)
        assert_int_equal(lists(ids, id), id == 3 || id == 5 || id == 7 || id == 9);
}

static void long_addresses_match_nobody(void **state)
{
    (void)state;
    char text[2 * ADDRESS_TEXT_MAX] = "client kill addr ";
    memset(text + 17, 'a', sizeof(text) - 18);
    assert_false(kills(text, 6));
    memset(text + 12, 'a', sizeof(text) - 13);
    assert_false(kills(text, 6));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        parse_fn parse;
        const char *text, *error;
    } cases[] = {
        { client_filter_kill, "client kill id 10 x", "ERR syntax error" },
        { client_filter_kill, "client kill id str", "ERR client-id should be greater than 0" },
        { client_filter_kill, "client kill id -1", "ERR client-id should be greater than 0" },
        { client_filter_kill, "client kill id 0", "ERR client-id should be greater than 0" },
        { client_filter_kill, "client kill type odd", "ERR Unknown client type 'odd'" },
        { client_filter_kill, "client kill user odd", "ERR No such user 'odd'" },
        { client_filter_kill, "client kill skipme odd", "ERR syntax error" },
        { client_filter_kill, "client kill odd odd", "ERR syntax error" },
        { client_filter_kill, "client kill maxage 0", "ERR maxage should be greater than 0" },
        { client_filter_kill, "client kill maxage x",
          "ERR maxage is not an integer or out of range" },
        { client_filter_list, "client list odd", "ERR syntax error" },
        { client_filter_list, "client list id", "ERR syntax error" },
        { client_filter_list, "client list type", "ERR syntax error" },
        { client_filter_list, "client list type normal x", "ERR syntax error" },
        { client_filter_list, "client list type odd", "ERR Unknown client type 'odd'" },
        { client_filter_list, "client list id 1 x", "ERR Invalid client ID" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(parse(cases[i].parse, cases[i].text));
        assert_string_equal(error, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_matches), cmocka_unit_test(the_old_form_matches_the_caller_too),
        cmocka_unit_test(list_matches), cmocka_unit_test(long_addresses_match_nobody),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
