/*
 * test_text.c - which names are taken, and that the old one goes.
 */
#include "shoal/admin/client/text.h"

#include "shoal/conn/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char said[256];

static bool is_ok(struct bytes text)
{
    struct reply reply;
    reply_init(&reply, PROTO_RESP2, said, sizeof(said) - 1, NULL, 0);
    bool ok = client_text_ok(text, "lib-name", &reply);
    said[reply.size] = '\0';
    assert_int_equal(reply.errors, ok ? 0 : 1);
    reply_fini(&reply);
    return ok;
}

static void printable_ascii_is_taken(void **state)
{
    (void)state;
    char one;
    for (int c = 0; c < 256; c++) {
        one = (char)c;
        assert_int_equal(is_ok(bytes_of(&one, 1)), c > ' ' && c < 127);
    }
    assert_true(is_ok(bytes_str("")));
    assert_false(is_ok(bytes_str("with space")));
    assert_string_equal(said, "-ERR lib-name cannot contain spaces, newlines or special "
                              "characters.\r\n");
}

static void length_is_bounded(void **state)
{
    (void)state;
    char text[CONN_NAME_MAX + 1];
    memset(text, 'x', sizeof(text));
    assert_true(is_ok(bytes_of(text, CONN_NAME_MAX)));
    assert_false(is_ok(bytes_of(text, CONN_NAME_MAX + 1)));
    assert_string_equal(said, "-ERR lib-name cannot be longer than 256 bytes.\r\n");
}

static void text_replaces_text(void **state)
{
    (void)state;
    char *place = NULL;
    assert_true(client_text_set(&place, bytes_of("onetwo", 3)));
    assert_string_equal(place, "one");
    assert_true(client_text_set(&place, bytes_str("two")));
    assert_string_equal(place, "two");
    assert_true(client_text_set(&place, bytes_str("")));
    assert_null(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_ascii_is_taken),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(text_replaces_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
