/*
 * test_describe_docs.c - entries of COMMAND DOCS against what clients rely on.
 */
#include "shoal/cmd/describe.h"

#include "support/cmd_harness.h"

static char text[1 << 16];

static int setup(void **state)
{
    (void)state;
    harness_registry_with(NULL);
    return 0;
}

/* The reply with blanks for CR LF. */
static const char *docs_of(enum proto proto, const char *name)
{
    struct reply reply;
    size_t to = 0;
    reply_init(&reply, proto, NULL, 0, NULL, 0);
    describe_docs(&reply, registry_find(bytes_str(name)));
    assert_true(reply.size < sizeof(text));
    for (size_t i = 0; i < reply.size; i++) {
        if (reply.base[i] != '\r')
            text[to++] = reply.base[i] == '\n' ? ' ' : reply.base[i];
    }
    text[to] = '\0';
    reply_fini(&reply);
    return text;
}

static void plain_command(void **state)
{
    (void)state;
    assert_string_equal(docs_of(PROTO_RESP3, "get"),
                        "$3 get %5 $7 summary $27 Returns the value of a key. $5 since "
                        "$5 1.0.0 $5 group $6 string $10 complexity $4 O(1) $9 arguments *1 "
                        "%3 $4 name $3 key $4 type $3 key $14 key_spec_index :0 ");
}

static void options_are_arguments(void **state)
{
    (void)state;
    const char *set = docs_of(PROTO_RESP2, "set");
    assert_non_null(strstr(set, "*6 $4 name $7 seconds $4 type $7 integer $5 token $2 EX "));
    assert_non_null(strstr(set, "$4 name $2 nx $4 type $5 oneof $5 flags *1 +optional "));
    assert_non_null(
        strstr(set, "*8 $4 name $3 get $4 type $10 pure-token $5 token $3 GET $5 flags *1 +opt"));
    const char *mget = docs_of(PROTO_RESP3, "mget");
    assert_non_null(strstr(mget, "$5 flags ~2 +optional +multiple "));
}

static void container_shows_sub_commands(void **state)
{
    (void)state;
    const char *object = docs_of(PROTO_RESP3, "object");
    assert_non_null(strstr(object, "$11 subcommands %5 $15 object|encoding %5 $7 summary "));
}

static void no_arguments_no_field(void **state)
{
    (void)state;
    assert_null(strstr(docs_of(PROTO_RESP3, "dbsize"), "arguments"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(plain_command, setup),
        cmocka_unit_test_setup(options_are_arguments, setup),
        cmocka_unit_test_setup(container_shows_sub_commands, setup),
        cmocka_unit_test_setup(no_arguments_no_field, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
