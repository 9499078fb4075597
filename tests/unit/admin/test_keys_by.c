/*
 * test_keys_by.c - a row whose keys follow a count: every place that asks for keys finds them.
 *
 * The row is the test's own, and the program is linked with its own list of commands:
 * SUM destination count key [key ...] stores the sum of the keys, all of one shard.
 */
#include "shoal/admin/commands.h"
#include "shoal/base/number.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/registry.h"
#include "shoal/cmd/value.h"
#include "shoal/commands.h"
#include "shoal/route/multi.h"
#include "support/reactors.h"

static uint32_t sum_keys(const struct args *args, uint32_t after, bool *writes)
{
    int64_t count;
    if (!number_parse_i64(args_at(args, 2), &count) || count < 1 || count > args->count - 3)
        return 0;
    *writes = after == 0;
    if (after == 0)
        return 1;
    return after == 1 ? 3 : after + 1 < 3 + count ? after + 1 : 0;
}

static void sum_command(struct exec *exec)
{
    int64_t sum = 0, value;
    bool writes;
    uint32_t i = sum_keys(&exec->args, 1, &writes);
    if (i == 0) {
        reply_error(exec->reply, ERR_SYNTAX);
        return;
    }
    for (; i != 0; i = sum_keys(&exec->args, i, &writes)) {
        const struct item *item = keyspace_read(exec->keyspace, exec_key_at(exec, i));
        if (item != NULL && value_int(item, &value))
            sum += value;
    }
    keyspace_set_int(exec->keyspace, exec_key_at(exec, 1), sum, 0);
    reply_int(exec->reply, sum);
}

static const struct command sum_commands[] = {
    { .name = "sum",
      .arity = -4,
      .flags = CMD_WRITE,
      .route = ROUTE_KEY,
      KEYS_BY(sum_keys),
      .shard = sum_command,
      .group = "generic",
      .since = "0.0.0",
      .complexity = "O(N)",
      .syntax = "destination count key [key ...]",
      .summary = "" },
    { 0 },
};

void commands_register(void)
{
    const struct command *all[64];
    uint32_t count;
    const struct command *const *families = cmd_families(&count);
    memcpy(all, families, count * sizeof(*all));
    all[count++] = multi_commands;
    all[count++] = command_commands;
    all[count++] = client_commands;
    all[count++] = sum_commands;
    registry_init(all, count);
}

static void it_runs_where_its_keys_are(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    for (uint32_t shard = 0; shard < 3; shard++) {
        assert_reply("+OK", client, "MSET %s 3 %s 4", key(shard, 1), key(shard, 2));
        assert_reply(":7", client, "SUM %s 2 %s %s", key(shard, 0), key(shard, 1), key(shard, 2));
        assert_reply("$1 7", client, "GET %s", key(shard, 0));
        assert_int_equal(reactor_at(shard)->keyspace->db[0].count, 3);
    }
}

static void keys_of_two_shards_are_refused(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("-" ERR_CROSS_SLOT, client, "SUM %s 1 %s", key(0, 0), key(1, 0));
    assert_reply("-" ERR_CROSS_SLOT, client, "SUM %s 2 %s %s", key(0, 0), key(0, 1), key(1, 0));
    /* what stands beyond the count is no key */
    assert_reply(":0", client, "SUM %s 1 %s %s", key(0, 0), key(0, 1), key(1, 0));
}

static void a_wrong_count_is_the_handlers(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("-" ERR_SYNTAX, client, "SUM %s 2 %s", key(1, 0), key(1, 1));
    assert_reply("-" ERR_SYNTAX, client, "SUM %s x %s", key(1, 0), key(1, 1));
    assert_reply("-ERR wrong number of arguments for 'sum' command", client, "SUM %s 1", key(1, 0));
}

/* Beside a transaction that holds a key of the row, the row waits; beside another it does not. */
static void in_a_transaction(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("+OK", client, "MULTI");
    assert_reply("+QUEUED", client, "SET %s 5", key(0, 1));
    assert_reply("+QUEUED", client, "SUM %s 1 %s", key(0, 0), key(0, 1));
    assert_reply("+QUEUED", client, "SUM %s 1 %s", key(1, 0), key(1, 1));
    assert_reply("*3 +OK :5 :0", client, "EXEC");
    struct client *other = client_open(2);
    assert_reply("+OK", client, "WATCH %s", key(0, 0));
    assert_reply(":5", other, "SUM %s 1 %s", key(0, 0), key(0, 1));
    assert_reply("+OK", client, "MULTI");
    assert_reply("*-1", client, "EXEC");
}

static void clients_are_told(void **state)
{
    (void)state;
    struct client *client = client_open(0);
    assert_reply("*3 $1 d $1 a $1 b", client, "COMMAND GETKEYS SUM d 2 a b c");
    assert_reply("*2 *2 $1 d *3 +RW +access +update *2 $1 a *2 +RO +access", client,
                 "COMMAND GETKEYSANDFLAGS SUM d 1 a");
    assert_reply("-ERR Invalid arguments specified for command", client,
                 "COMMAND GETKEYS SUM d 3 a b");
    assert_reply("*1 *10 $3 sum :-4 *2 +write +movablekeys :0 :0 :0 *3 +@keyspace +@write +@slow "
                 "*0 *0 *0",
                 client, "COMMAND INFO sum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, it_runs_where_its_keys_are),
        with_reactors(3, keys_of_two_shards_are_refused),
        with_reactors(3, a_wrong_count_is_the_handlers),
        with_reactors(3, in_a_transaction),
        with_reactors(1, clients_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
