/*
 * test_describe_info.c - entries of COMMAND INFO against what clients rely on, and ACL categories.
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
static const char *reply_of(void (*write)(struct reply *, const struct command *), enum proto proto,
                            const struct command *command)
{
    struct reply reply;
    size_t to = 0;
    reply_init(&reply, proto, NULL, 0, NULL, 0);
    write(&reply, command);
    assert_true(reply.size < sizeof(text));
    for (size_t i = 0; i < reply.size; i++) {
        if (reply.base[i] != '\r')
            text[to++] = reply.base[i] == '\n' ? ' ' : reply.base[i];
    }
    text[to] = '\0';
    reply_fini(&reply);
    return text;
}

static const char *info(enum proto proto, const char *name)
{
    return reply_of(describe_info, proto, registry_find(bytes_str(name)));
}

static void info_of_get(void **state)
{
    (void)state;
    assert_string_equal(info(PROTO_RESP2, "get"),
                        "*10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast *0 "
                        "*1 *6 $5 flags *2 +RO +access $12 begin_search *4 $4 type $5 index "
                        "$4 spec *2 $5 index :1 $9 find_keys *4 $4 type $5 range $4 spec *6 "
                        "$7 lastkey :0 $7 keystep :1 $5 limit :0 *0 ");
    assert_string_equal(info(PROTO_RESP3, "get"),
                        "*10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 "
                        "~1 %3 $5 flags ~2 +RO +access $12 begin_search %2 $4 type $5 index "
                        "$4 spec %1 $5 index :1 $9 find_keys %2 $4 type $5 range $4 spec %3 "
                        "$7 lastkey :0 $7 keystep :1 $5 limit :0 *0 ");
}

static void info_of_others(void **state)
{
    (void)state;
    assert_string_equal(info(PROTO_RESP2, "nosuch"), "$-1 ");
    assert_non_null(strstr(info(PROTO_RESP2, "mset"),
                           "*10 $4 mset :-3 *2 +write +denyoom :1 :-1 :2 "
                           "*3 +@write +@string +@slow *2 $26 request_policy:multi_shard "));
    assert_non_null(strstr(info(PROTO_RESP2, "flushall"),
                           ":0 :0 :0 *4 +@keyspace +@write +@slow +@dangerous *2 "));
    assert_non_null(strstr(info(PROTO_RESP2, "object"), "*10 $6 object :-2 *0 :0 :0 :0 *1 +@slow "
                                                        "*0 *0 *5 *10 $15 object|encoding :3 "));
}

static void categories(void **state)
{
    (void)state;
    const struct command *get = registry_find(bytes_str("get"));
    assert_true(describe_in_category(get, bytes_str("read")));
    assert_true(describe_in_category(get, bytes_str("STRING")));
    assert_false(describe_in_category(get, bytes_str("@read")));
    assert_false(describe_in_category(get, bytes_str("write")));
    assert_false(describe_in_category(get, bytes_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(info_of_get, setup),
        cmocka_unit_test_setup(info_of_others, setup),
        cmocka_unit_test_setup(categories, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
