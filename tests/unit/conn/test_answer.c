/*
 * test_answer.c - replies come in the order of the requests, wherever they were kept meanwhile.
 */
#include "shoal/conn/answer.h"

#include "support/reactors.h"

/* Memory for blocks of a size that only replies of these tests have. */
enum { SIZE_SMALL = 10, SIZE_COPIED = 3000, SIZE_LARGE = 30000 };

static bool out_of_memory;

static bool is_refused(size_t size)
{
    return out_of_memory && size >= SIZE_COPIED && size < 2 * SIZE_COPIED;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_refused(size) ? NULL : __real_malloc(size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    return is_refused(size) ? NULL : __real_realloc(old, size);
}

static const size_t sizes[] = { SIZE_SMALL, SIZE_COPIED, SIZE_LARGE };

/* Each shard has a value of each size, of letters of its own. */
static void fill(struct client *client)
{
    for (uint32_t shard = 0; shard < server->count; shard++)
        for (uint32_t i = 0; i < 3; i++)
            client_put_set(client, key(shard, i), sizes[i], (char)('a' + 3 * shard + i));
    turn_until_quiet();
    heard_bytes(client);
}

static void assert_next_value(struct client *client, size_t size, char letter)
{
    struct fake_bytes *out = &client->line->out;
    char head[32];
    size_t head_size = (size_t)snprintf(head, sizeof(head), "$%zu\r\n", size);
    assert_true(out->size - out->taken >= head_size + size + 2);
    const char *at = out->data + out->taken;
    assert_memory_equal(at, head, head_size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(at[head_size + i], letter);
    out->taken += head_size + size + 2;
}

static void replies_of_all_sizes_and_shards_come_in_order(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    fill(client);
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t shard = 3; shard-- > 0;)
            for (uint32_t i = 0; i < 3; i++)
                tell(client, "GET %s", key(shard, (i + round) % 3));
    turn_until_quiet();
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t shard = 3; shard-- > 0;)
            for (uint32_t i = 0; i < 3; i++)
                assert_next_value(client, sizes[(i + round) % 3],
                                  (char)('a' + 3 * shard + (i + round) % 3));
    assert_int_equal(heard_bytes(client), 0);
}

static void the_first_holds_up_those_behind_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(2, 0));
    tell(client, "SET %s 1", key(1, 0));
    tell(client, "PING");
    turn(0);
    turn(1);
    turn(0);
    pass_ms(2);
    turn(0);
    turn(0);
    assert_int_equal(heard_bytes(client), 0);
    turn_until_quiet();
    assert_string_equal(heard(client), "$-1 +OK +PONG");
}

/* ---- replies that nobody wants ------------------------------------------- */

static void a_silent_connection_says_nothing(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("", client, "CLIENT REPLY OFF");
    assert_reply("", client, "SET %s 1", key(1, 0));
    assert_reply("", client, "MSET %s 1 %s 2", key(0, 0), key(1, 1));
    assert_reply("", client, "MULTI");
    assert_reply("", client, "SELECT 3");
    assert_reply("", client, "EXEC");
    assert_reply("+OK", client, "CLIENT REPLY ON");
    assert_reply(":0", client, "DBSIZE"); /* of database 3: what ran at home did run */
    assert_reply("+OK", client, "SELECT 0");
    assert_reply("$1 2", client, "GET %s", key(1, 1));
}

static void one_reply_can_be_skipped(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    tell(client, "GET %s", key(2, 0));
    tell(client, "CLIENT REPLY SKIP");
    tell(client, "SET %s 1", key(1, 0));
    assert_reply("$-1 $1 1", client, "GET %s", key(1, 0));
}

/* ---- replies that are lost ----------------------------------------------- */

static void a_reply_that_cannot_be_kept_ends_the_connection(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    fill(client);
    tell(client, "GET %s", key(1, 0));
    tell(client, "GET %s", key(0, 1)); /* is there first, and has to be kept */
    tell(client, "GET %s", key(1, 0));
    out_of_memory = true;
    turn(0);
    out_of_memory = false;
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_true(heard_bytes(client) <= strlen("$10\r\n\r\n") + SIZE_SMALL); /* never the third */
}

static void a_reply_that_arrives_and_cannot_be_kept_ends_it(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    fill(client);
    tell(client, "GET %s", key(2, 0));
    tell(client, "GET %s", key(1, 1));
    tell(client, "GET %s", key(2, 0));
    turn(0);
    turn(1);
    out_of_memory = true;
    turn(0);
    out_of_memory = false;
    turn_until_quiet();
    assert_false(client_is_open(client));
    assert_true(heard_bytes(client) <= strlen("$10\r\n\r\n") + SIZE_SMALL);
}

/* ---- errors -------------------------------------------------------------- */

static uint64_t errors_called(const struct reactor *reactor, const char *name)
{
    for (uint32_t i = 0; i < counter_get(&reactor->stats->error_names); i++)
        if (strcmp(reactor->stats->errors[i].name, name) == 0)
            return counter_get(&reactor->stats->errors[i].count);
    return 0;
}

static uint64_t failed(const struct reactor *reactor, const char *command)
{
    return counter_get(&reactor->stats->command[registry_find(bytes_str(command))->id].failed);
}

static void errors_are_counted_where_the_client_is(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t shard = 0; shard < 3; shard++) {
        assert_reply("+OK", client, "SET %s text", key(shard, 0));
        assert_reply("-ERR value is not an integer or out of range", client, "INCR %s",
                     key(shard, 0));
    }
    assert_reply("-ERR EXEC without MULTI", client, "EXEC");
    assert_int_equal(errors_called(reactor_at(0), "ERR"), 4);
    assert_int_equal(failed(reactor_at(0), "incr"), 3);
    assert_int_equal(failed(reactor_at(0), "exec"), 1);
    assert_int_equal(counter_get(&reactor_at(1)->stats->error_names), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, replies_of_all_sizes_and_shards_come_in_order),
        with_reactors(3, the_first_holds_up_those_behind_it),
        with_reactors(2, a_silent_connection_says_nothing),
        with_reactors(3, one_reply_can_be_skipped),
        with_reactors(2, a_reply_that_cannot_be_kept_ends_the_connection),
        with_reactors(3, a_reply_that_arrives_and_cannot_be_kept_ends_it),
        with_reactors(3, errors_are_counted_where_the_client_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
