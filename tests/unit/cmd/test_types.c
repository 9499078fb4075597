/*
 * test_types.c - keys of another type than string: what every command says of them, and that no
 * path loses or leaks what they hold. The type is the tests' own (support/counter_type.h).
 */
#include "support/cmd_harness.h"
#include "support/counter_type.h"

#include "shoal/store/keyspace/undo.h"

#define WRONG "-" ERR_WRONG_TYPE

static int setup(void **state)
{
    counter_objects = 0;
    counter_out_of_memory = false;
    harness_setup(state);
    harness_registry_with(counter_commands);
    return 0;
}

/* What is left when every key has gone: nothing. */
static int teardown(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "FLUSHALL", "+OK" });
    keyspace_drain(h->keyspace, UINT64_MAX);
    assert_int_equal(counter_objects, 0);
    assert_int_equal(keyspace_used(h->keyspace), 0);
    return harness_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static uint64_t used(struct harness *h)
{
    return keyspace_used(h->keyspace);
}

/* "c" is a counter of 3, "s" a string, "t" and "m" are missing. */
static const struct step all_commands[] = {
    { "GET c", WRONG },
    { "SET c v", "+OK" },
    { "SET c v GET", WRONG },
    { "SET c v IFEQ x", WRONG },
    { "SET c v IFEQ x GET", WRONG },
    { "SET c v NX", "$-1" },
    { "SET c v XX", "+OK" },
    { "SETNX c v", ":0" },
    { "SETEX c 10 v", "+OK" },
    { "PSETEX c 10000 v", "+OK" },
    { "GETSET c v", WRONG },
    { "GETDEL c", WRONG },
    { "GETEX c EX 10", WRONG },
    { "STRLEN c", WRONG },
    { "APPEND c v", WRONG },
    { "GETRANGE c 0 1", WRONG },
    { "SUBSTR c 0 1", WRONG },
    { "SETRANGE c 0 v", WRONG },
    { "SETRANGE c 0 \"\"", WRONG },
    { "MGET s c m", "*3 $1 v $-1 $-1" },
    { "MSET c v m v", "+OK" },
    { "MSETNX c v m v", ":0" },
    { "LCS s c", "-ERR The specified keys must contain string values" },
    { "INCR c", WRONG },
    { "DECR c", WRONG },
    { "INCRBY c 2", WRONG },
    { "DECRBY c 2", WRONG },
    { "INCRBYFLOAT c 2", WRONG },
    { "SETBIT c 0 1", WRONG },
    { "GETBIT c 0", WRONG },
    { "BITCOUNT c", WRONG },
    { "BITPOS c 1", WRONG },
    { "BITFIELD c GET u8 0", WRONG },
    { "BITFIELD c SET u8 0 1", WRONG },
    { "BITFIELD_RO c GET u8 0", WRONG },
    { "BITOP AND t s c", WRONG },
    { "BITOP NOT c s", ":1" },
    { "MOVE c 1", ":1" },
    { "DEL c s", ":2" },
    { "UNLINK c", ":1" },
    { "EXISTS c", ":1" },
    { "TOUCH c", ":1" },
    { "TYPE c", "+counter" },
    { "OBJECT ENCODING c", "$5 tally" },
    { "OBJECT FREQ c", "-ERR An LFU maxmemory policy is not selected, access frequency not "
                       "tracked. Please note that "
                       "when switching between policies at runtime LRU and LFU data will take some "
                       "time to adjust." },
    { "OBJECT IDLETIME c", "-ERR idle time is not tracked under maxmemory-policy noeviction" },
    { "OBJECT REFCOUNT c", ":1" },
    { "RENAME c t", "+OK" },
    { "RENAME c s", "+OK" },
    { "RENAME s c", "+OK" },
    { "RENAMENX c t", ":1" },
    { "RENAMENX s c", ":0" },
    { "COPY c t", ":1" },
    { "COPY c t DB 3", ":1" },
    { "COPY c s REPLACE", ":1" },
    { "COPY s c REPLACE", ":1" },
    { "EXPIRE c 10", ":1" },
    { "EXPIRE c -1", ":1" },
    { "PEXPIRE c 10", ":1" },
    { "EXPIREAT c 4000000000", ":1" },
    { "PEXPIREAT c 4000000000000", ":1" },
    { "TTL c", ":-1" },
    { "PTTL c", ":-1" },
    { "PERSIST c", ":0" },
    { "EXPIRETIME c", ":-1" },
    { "PEXPIRETIME c", ":-1" },
    { "COUNTER.GET s", WRONG },
    { "COUNTER.SET s 2", "+OK" },
};

static void every_command(void **state)
{
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof(all_commands) / sizeof(all_commands[0]); i++) {
        RUN_STEPS(state, { "FLUSHALL", "+OK" }, { "COUNTER.SET c 3", "+OK" }, { "SET s v", "+OK" });
        keyspace_drain(h->keyspace, UINT64_MAX);
        harness_steps(h, &all_commands[i], 1);
        if (all_commands[i].reply[0] == '-') /* it has changed nothing */
            RUN_STEPS(state, { "COUNTER.GET c", ":3" }, { "TTL c", ":-1" }, { "GET s", "$1 v" },
                      { "DBSIZE", ":2" });
    }
}

static void begin_undo(struct harness *h, struct undo **undo)
{
    *undo = undo_new(h->keyspace);
    undo_open(h->keyspace, *undo);
}

/* Whatever a command has made of the keys, in a transaction or not: they are as they were. */
static void every_command_can_be_taken_back(void **state)
{
    struct harness *h = *state;
    struct undo *undo;
    for (size_t i = 0; i < sizeof(all_commands) / sizeof(all_commands[0]); i++) {
        RUN_STEPS(state, { "FLUSHALL", "+OK" }, { "COUNTER.SET c 3", "+OK" }, { "SET s v", "+OK" });
        keyspace_drain(h->keyspace, UINT64_MAX);
        uint64_t before = h->keyspace->db[0].item_bytes;
        begin_undo(h, &undo);
        harness_steps(h, &all_commands[i], 1);
        RUN_STEPS(state, { "EXPIRE s 1", NULL }, { "COUNTER.SET c 9", NULL },
                  { "RENAME c x", NULL }, { "RENAME x s", NULL });
        undo_close(h->keyspace);
        undo_revert(h->keyspace, &undo);
        RUN_STEPS(state, { "COUNTER.GET c", ":3" }, { "TTL c", ":-1" }, { "GET s", "$1 v" },
                  { "TTL s", ":-1" }, { "DBSIZE", ":2" });
        assert_int_equal(counter_objects, 1);
        assert_int_equal(h->keyspace->db[0].item_bytes, before);
        begin_undo(h, &undo);
        harness_run(h, all_commands[i].line);
        undo_close(h->keyspace);
        undo_commit(h->keyspace, &undo);
    }
}

static bool is_listed(const struct command *command)
{
    char name[64];
    size_t size = (size_t)snprintf(name, sizeof(name), "%s ", command->full_name);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '|' ? ' ' : *c;
    for (size_t i = 0; i < sizeof(all_commands) / sizeof(all_commands[0]); i++)
        if (bytes_is(bytes_of(all_commands[i].line, size), name))
            return true;
    return false;
}

/* A new command on keys needs a line above. */
static void no_command_is_forgotten(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < registry_count(); id++) {
        const struct command *command = registry_at(id);
        if (!command_has_keys(command) || strcmp(command->full_name, "memory|usage") == 0)
            continue;
        if (!is_listed(command))
            print_error("%s is in no line\n", command->full_name);
        assert_true(is_listed(command));
    }
}

static void scan_knows_the_type(void **state)
{
    RUN_STEPS(state, { "COUNTER.SET c 3", "+OK" }, { "SET s v", "+OK" },
              { "SCAN 0 TYPE counter", "*2 $1 0 *1 $1 c" },
              { "SCAN 0 TYPE string", "*2 $1 0 *1 $1 s" }, { "SCAN 0 TYPE list", "*2 $1 0 *0" });
}

static void its_memory_is_counted(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "COUNTER.SET c 0", "+OK" });
    uint64_t before = used(h);
    int64_t usage = atoll(harness_run(h, "MEMORY USAGE c") + 1);
    RUN_STEPS(state, { "COUNTER.SET c 1000", "+OK" });
    assert_int_equal(used(h), before + 64000);
    assert_int_equal(atoll(harness_run(h, "MEMORY USAGE c") + 1), usage + 64000);
    RUN_STEPS(state, { "COPY c d", ":1" }, { "EXPIRE d 100", ":1" }, { "RENAME d e", "+OK" });
    assert_in_range(used(h), before + 128000, before + 128200);
    RUN_STEPS(state, { "SET e v", "+OK" }, { "DEL c", ":1" });
    assert_in_range(used(h), 0, before + 200);
}

/* With a TTL an item is larger, and is made anew: the object goes with it. */
static void a_deadline_comes_and_goes(void **state)
{
    struct harness *h = *state;
    char line[64];
    for (int size = 1; size < 40; size++) {
        char *key = strcpy(line, "COUNTER.SET ") + strlen("COUNTER.SET ");
        memset(key, 'k', (size_t)size);
        strcpy(key + size, " 5");
        assert_string_equal(harness_run(h, line), "+OK");
        key[size] = '\0';
        char other[64];
        snprintf(other, sizeof(other), "EXPIRE %s 100", key);
        assert_string_equal(harness_run(h, other), ":1");
        snprintf(other, sizeof(other), "PERSIST %s", key);
        assert_string_equal(harness_run(h, other), ":1");
        snprintf(other, sizeof(other), "COUNTER.GET %s", key);
        assert_string_equal(harness_run(h, other), ":5");
    }
    assert_int_equal(counter_objects, 39);
}

static void it_moves_and_is_copied(void **state)
{
    RUN_STEPS(state, { "COUNTER.SET c 7", "+OK" }, { "EXPIRE c 50", ":1" }, { "RENAME c d", "+OK" },
              { "TTL d", ":50" }, { "COUNTER.GET d", ":7" }, { "EXISTS c", ":0" },
              { "COPY d e", ":1" }, { "TTL e", ":50" }, { "DEL d", ":1" },
              { "COUNTER.GET e", ":7" }, { "COUNTER.SET f 9", "+OK" }, { "RENAME f e", "+OK" },
              { "COUNTER.GET e", ":9" }, { "TTL e", ":-1" }, { "DBSIZE", ":1" });
    assert_int_equal(counter_objects, 1);
}

static void no_memory_for_a_copy(void **state)
{
    RUN_STEPS(state, { "COUNTER.SET c 7", "+OK" });
    counter_out_of_memory = true;
    RUN_STEPS(state, { "COPY c d", "-" ERR_NO_MEMORY }, { "COUNTER.SET c 8", "-" ERR_NO_MEMORY },
              { "EXISTS d", ":0" }, { "COUNTER.GET c", ":7" });
    assert_int_equal(counter_objects, 1);
}

static void a_copy_keeps_to_the_limit(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "COUNTER.SET c 2000", "+OK" });
    keyspace_set_budget(h->keyspace, used(h) + 100000);
    RUN_STEPS(state, { "COPY c d", "-" ERR_OOM }, { "RENAME c d", "+OK" });
    keyspace_set_budget(h->keyspace, UINT64_MAX);
    RUN_STEPS(state, { "COPY d c", ":1" });
}

static void it_expires(void **state)
{
    struct harness *h = *state;
    RUN_STEPS(state, { "COUNTER.SET c 7", "+OK" }, { "COUNTER.SET d 7", "+OK" },
              { "PEXPIRE c 10", ":1" }, { "PEXPIRE d 10", ":1" }, { "@11", NULL },
              { "COUNTER.GET c", "$-1" });
    assert_int_equal(counter_objects, 1);
    for (int i = 0; i < 100 && counter_objects > 0; i++) {
        h->keyspace->now_ms += 100;
        keyspace_work(h->keyspace);
    }
    assert_int_equal(counter_objects, 0);
}

static void it_is_evicted(void **state)
{
    struct harness *h = *state;
    char line[64];
    for (size_t i = 0; evict_policies[i].name != NULL; i++) {
        if (evict_policies[i].run == NULL || evict_policies[i].volatile_only)
            continue;
        keyspace_set_budget(h->keyspace, UINT64_MAX);
        RUN_STEPS(state, { "FLUSHALL", "+OK" });
        keyspace_drain(h->keyspace, UINT64_MAX);
        h->keyspace->policy = &evict_policies[i];
        keyspace_set_budget(h->keyspace, 200000);
        for (int k = 0; k < 100; k++) {
            snprintf(line, sizeof(line), "COUNTER.SET %d 100", k);
            assert_string_equal(harness_run(h, line), "+OK");
            keyspace_evict(h->keyspace, 0, 1000000000);
            assert_in_range(used(h), 0, 200000);
        }
        assert_in_range(counter_objects, 10, 31);
    }
    keyspace_set_budget(h->keyspace, UINT64_MAX);
}

static void watch_sees_it(void **state)
{
    assert_true(harness_changes(*state, "COUNTER.SET a 1", "COUNTER.SET a 1"));
    assert_true(harness_changes(*state, "COUNTER.SET a 1", "SET a 1"));
    assert_true(harness_changes(*state, "COUNTER.SET a 1", "RENAME a b"));
    assert_true(harness_changes(*state, "COUNTER.SET a 1", "RENAME b a"));
    assert_true(harness_changes(*state, "COUNTER.SET b 1", "COPY b a"));
    assert_false(harness_changes(*state, "COUNTER.SET a 1", "COPY a b REPLACE"));
    assert_false(harness_changes(*state, "COUNTER.SET a 1", "APPEND a x"));
}

/* Nine of ten go, so that every slab is left with a few blocks; then what is left moves. */
static void its_blocks_move(void **state)
{
    struct harness *h = *state;
    char line[64];
    if (!slabs_available())
        skip();
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof(line), "COUNTER.SET %d %d", i, i % 20);
        assert_string_equal(harness_run(h, line), "+OK");
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof(line), "DEL %d", i);
        if (i % 10 != 0)
            harness_run(h, line);
    }
    uint64_t before = used(h);
    defrag_run(h->keyspace, UINT64_MAX);
    const struct defrag_figures *figures = &h->keyspace->defrag.figures;
    print_message("%d blocks moved, %d items\n", (int)figures->moved, (int)figures->items_moved);
    assert_true(figures->moved > figures->items_moved + 500);
    assert_int_equal(used(h), before);
    for (int i = 0; i < 2000; i += 10) {
        char wanted[16];
        snprintf(line, sizeof(line), "COUNTER.GET %d", i);
        snprintf(wanted, sizeof(wanted), ":%d", i % 20);
        assert_string_equal(harness_run(h, line), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_command),
        TEST(every_command_can_be_taken_back),
        TEST(no_command_is_forgotten),
        TEST(scan_knows_the_type),
        TEST(its_memory_is_counted),
        TEST(a_deadline_comes_and_goes),
        TEST(it_moves_and_is_copied),
        TEST(no_memory_for_a_copy),
        TEST(a_copy_keeps_to_the_limit),
        TEST(it_expires),
        TEST(it_is_evicted),
        TEST(watch_sees_it),
        TEST(its_blocks_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
