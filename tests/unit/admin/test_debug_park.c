/*
 * test_debug_park.c - the two commands that try how a command waits.
 */
#include "shoal/admin/commands.h"

#include "support/reactors.h"

#include "shoal/cmd/describe.h"
#include "shoal/cmd/registry.h"

static void they_wait_and_wake(void **state)
{
    (void)state;
    struct client *client = client_open(0), *other = client_open(1);
    assert_reply(":0", other, "DEBUGWAKE %s x", key(1, 0));
    assert_reply("", client, "DEBUGPARK %s", key(1, 0));
    assert_reply(":0", other, "DEBUGWAKE %s x", key(1, 1));
    ask(other, "SELECT 1");
    assert_reply(":0", other, "DEBUGWAKE %s x", key(1, 0));
    ask(other, "SELECT 0");
    assert_reply(":1", other, "DEBUGWAKE %s text", key(1, 0));
    assert_string_equal(heard(client), "$4 text");
    assert_reply("-ERR wrong number of arguments for 'debugpark' command", client, "DEBUGPARK");
}

static void documents_do_not_know_them(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    describe_markdown(out);
    fclose(out);
    assert_non_null(registry_find(bytes_str("debugpark")));
    assert_non_null(strstr(text, "DEBUG"));
    assert_null(strstr(text, "DEBUGPARK"));
    assert_null(strstr(text, "DEBUGWAKE"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(2, they_wait_and_wake),
        with_reactors(1, documents_do_not_know_them),
    };
    return DCHECK_ON ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
