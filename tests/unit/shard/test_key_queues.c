/*
 * test_key_queues.c - who may run when: queues by key, one order for all transactions, connections,
 * the gate.
 *
 * What key_queues.c calls to run somebody stands here and writes down whom, so that a test reads as
 * a story: r, x run; g granted; ! refused, memory being out.
 */
#include "shoal/shard/key_queues.h"

#include "shoal/base/hash.h"
#include "shoal/conn/request.h"
#include "shoal/reactor/reactor.h"
#include "shoal/shard/batcher.h"
#include "shoal/shard/part.h"
#include "shoal/shard/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LOG_BYTES = 1 << 16, PARTS_MAX = 64 };

static struct reactor *reactor;
static char story[LOG_BYTES];
static size_t story_size;

static void tell(char what, const void *whom);

/* ---- the story's tellers, in place of batcher.c and part.c --------------- */

void batcher_run_one(struct reactor *here, struct request *request)
{
    (void)here;
    tell('r', request);
}

void part_execute(struct reactor *here, struct part *part)
{
    tell('x', part);
    if (part->phase == PART_RUN && part->release)
        key_queues_release(here, part);
}

void part_granted(struct reactor *here, struct part *part)
{
    if (part->phase != PART_RUN_ALONE) {
        tell('g', part);
        return;
    }
    part_execute(here, part);
    if (part->lock_all)
        key_queues_release(here, part);
}

void part_run(struct reactor *here, struct message *message)
{
    struct part *part = (struct part *)message;
    if (part->phase == PART_LOCK)
        key_queues_acquire(here, part);
    else if (part->phase == PART_RUN || !key_queues_active(here->shard->queues) ||
             key_queues_admit_part(here, part))
        part_execute(here, part);
}

void batcher_refuse(struct reactor *here, struct request *request, const char *error)
{
    (void)here;
    (void)error;
    tell('!', request);
}

void part_lost(struct reactor *here, struct part *part)
{
    (void)here;
    tell('!', part);
}

static bool memory_is_out;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}

/* ---- making them --------------------------------------------------------- */

static const struct command one_key = { .name = "get", .first_key = 1, .last_key = 1, .step = 1 };
static const struct command many_keys = {
    .name = "del", .first_key = 1, .last_key = -1, .step = 1
};
static const struct command no_key = { .name = "scan" };

/* Keys are letters; requests and parts have a name of one character. */
struct actor {
    union {
        struct request request;
        struct part part;
    };
    char name, text[32];
    uint64_t names[16];
};

static struct actor *cast[256];

static void tell(char what, const void *whom)
{
    const struct actor *actor = whom;
    must(story_size + 4 < LOG_BYTES);
    story_size +=
        (size_t)sprintf(story + story_size, "%s%c%c", story_size > 0 ? " " : "", what, actor->name);
}

static struct actor *actor_new(char name)
{
    struct actor *actor = aligned_alloc(64, (sizeof(*actor) + 63) & ~(size_t)63);
    memset(actor, 0, sizeof(*actor));
    actor->name = name;
    free(cast[(unsigned char)name]);
    cast[(unsigned char)name] = actor;
    return actor;
}

/* A command of connection `conn` (any number). */
static struct request *command(char name, const char *keys, uintptr_t conn)
{
    struct actor *actor = actor_new(name);
    struct request *request = &actor->request;
    request->message.kind = MESSAGE_COMMAND;
    request->message.magic = MESSAGE_MAGIC;
    request->command = keys[0] == '\0' ? &no_key : keys[1] == '\0' ? &one_key : &many_keys;
    request->conn = (struct conn *)(conn * 64);
    snprintf(actor->text, sizeof(actor->text), "-%s", keys);
    request->base = actor->text;
    request->argc = 1 + (uint32_t)strlen(keys);
    for (uint32_t i = 0; i < request->argc; i++)
        request->spans[i] = (struct span){ i, 1 };
    request->args = request->spans;
    return request;
}

static struct part *part(char name, const char *keys, enum part_phase phase)
{
    struct actor *actor = actor_new(name);
    struct part *it = &actor->part;
    it->message.kind = MESSAGE_CALL;
    it->message.magic = MESSAGE_MAGIC;
    it->magic = PART_MAGIC;
    it->phase = (uint8_t)phase;
    it->lock_all = strcmp(keys, "*") == 0;
    it->names = actor->names;
    for (; !it->lock_all && *keys != '\0'; keys++)
        it->names[it->name_count++] = key_queues_name(hash_key(bytes_of(keys, 1)));
    return it;
}

static struct part *transaction(char name, const char *keys)
{
    return part(name, keys, PART_LOCK);
}

static struct part *alone_of(char name, const char *keys, uintptr_t conn)
{
    struct part *it = part(name, keys, PART_RUN_ALONE);
    it->caller = (void *)(conn * 64);
    return it;
}

static struct part *alone(char name, const char *keys)
{
    return alone_of(name, keys, 100 + (unsigned char)name);
}

/* What part.c and batcher.c do when something arrives. */
static void arrives(struct part *it)
{
    part_run(reactor, &it->message);
}

static void comes(struct request *request)
{
    if (!key_queues_active(reactor->shard->queues) || key_queues_admit_request(reactor, request))
        batcher_run_one(reactor, request);
}

/* The transaction's last round. */
static void ends(struct part *it)
{
    it->phase = PART_RUN;
    it->release = true;
    part_run(reactor, &it->message);
}

static void assert_story(const char *wanted)
{
    assert_string_equal(story, wanted);
    story[0] = '\0';
    story_size = 0;
}

static int begin(void **state)
{
    (void)state;
    hash_seed_fixed(1);
    static struct reactor only;
    static struct shard shard;
    only = (struct reactor){ .shard = &shard };
    shard.queues = key_queues_new();
    reactor = &only;
    story[0] = '\0';
    story_size = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_false(key_queues_active(reactor->shard->queues)); /* every test ends with nothing held */
    key_queues_free(&reactor->shard->queues);
    for (int i = 0; i < 256; i++) {
        free(cast[i]);
        cast[i] = NULL;
    }
    return 0;
}

/* ---- keys ---------------------------------------------------------------- */

static void who_wants_a_held_key_waits(void **state)
{
    (void)state;
    struct part *t = transaction('T', "ab");
    comes(command('1', "a", 1));
    arrives(t);
    assert_true(key_queues_active(reactor->shard->queues));
    comes(command('2', "a", 1));
    comes(command('3', "c", 2));
    arrives(alone('4', "cd"));
    arrives(alone('5', "bd"));
    assert_story("r1 gT r3 x4");
    ends(t);
    assert_story("xT r2 x5");
}

static void a_key_is_first_come_first_served(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a"), *u = transaction('U', "a");
    arrives(t);
    comes(command('1', "a", 1));
    comes(command('2', "a", 2));
    arrives(u);
    comes(command('3', "a", 3));
    assert_story("gT");
    ends(t);
    assert_story("xT r1 r2 gU");
    comes(command('4', "a", 4));
    ends(u);
    assert_story("xU r3 r4");
}

static void a_transaction_waits_for_all_its_keys(void **state)
{
    (void)state;
    struct part *t = transaction('T', "ab"), *u = transaction('U', "bc"),
                *v = transaction('V', "ca");
    arrives(t);
    arrives(u);
    arrives(v);
    assert_story("gT");
    ends(t);
    assert_story("xT gU");
    ends(u);
    assert_story("xU gV");
    ends(v);
    assert_story("xV");
}

static void rounds_in_between_give_nothing_back(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    arrives(t);
    comes(command('1', "a", 1));
    t->phase = PART_RUN;
    arrives(t);
    assert_story("gT xT");
    ends(t);
    assert_story("xT r1");
}

static void the_same_key_twice_is_one(void **state)
{
    (void)state;
    struct part *t = transaction('T', "aba");
    arrives(t);
    comes(command('1', "bab", 1));
    arrives(alone('2', "aa"));
    ends(t);
    assert_story("gT xT r1 x2");
}

static void a_command_of_many_keys_waits_for_the_last(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a"), *u = transaction('U', "b");
    arrives(t);
    arrives(u);
    comes(command('1', "abc", 1));
    comes(command('2', "c", 2)); /* behind it */
    ends(t);
    assert_story("gT gU xT");
    ends(u);
    assert_story("xU r1 r2");
}

static void a_key_is_held_in_all_databases(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    struct request *other = command('1', "a", 1);
    other->db = 1; /* COPY ... DB 1 may be what T is */
    arrives(t);
    comes(other);
    ends(t);
    assert_story("gT xT r1");
}

/* ---- connections --------------------------------------------------------- */

static void later_commands_of_a_waiting_connection_wait(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    arrives(t);
    comes(command('1', "a", 7));
    comes(command('2', "b", 7));
    comes(command('3', "c", 8));
    comes(command('4', "", 7)); /* SCAN: no key, but its place in the pipeline */
    assert_story("gT r3");
    ends(t);
    assert_story("xT r1 r2 r4");
}

static void parts_keep_their_place_in_the_pipeline(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    arrives(t);
    comes(command('1', "a", 7));
    arrives(alone_of('2', "", 7)); /* DBSIZE counts what the SET before it adds */
    arrives(alone_of('3', "bc", 8));
    arrives(alone_of('4', "a", 8));
    comes(command('5', "d", 8));
    assert_story("gT x3");
    ends(t);
    assert_story("xT r1 x2 x4 r5");
}

static void equal_addresses_of_two_reactors_are_two_connections(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    struct request *other = command('2', "b", 7);
    arrives(t);
    comes(command('1', "a", 7));
    other->message.from = 1;
    comes(other);
    ends(t);
    assert_story("gT r2 xT r1");
}

/* ---- the gate ------------------------------------------------------------ */

static void the_whole_shard_waits_until_nothing_is_held(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a"), *all = transaction('F', "*");
    arrives(t);
    comes(command('1', "a", 1));
    arrives(all);
    comes(command('2', "z", 2)); /* behind the gate, though nobody has z */
    assert_story("gT");
    ends(t);
    assert_story("xT r1 gF");
    comes(command('3', "y", 3));
    arrives(alone('4', "x"));
    assert_story("");
    ends(all);
    assert_story("xF r2 r3 x4");
}

static void an_idle_shard_is_granted_at_once(void **state)
{
    (void)state;
    struct part *all = transaction('F', "*");
    arrives(all);
    assert_story("gF");
    assert_true(key_queues_active(reactor->shard->queues));
    ends(all);
    assert_story("xF");
}

static void gates_and_keys_behind_a_gate_keep_their_order(void **state)
{
    (void)state;
    struct part *f = transaction('F', "*"), *t = transaction('T', "a"), *g = transaction('G', "*");
    arrives(f);
    comes(command('1', "a", 1));
    arrives(t);
    comes(command('2', "a", 2));
    arrives(g);
    comes(command('3', "a", 3));
    assert_story("gF");
    ends(f);
    assert_story("xF r1 gT");
    ends(t);
    assert_story("xT r2 gG");
    ends(g);
    assert_story("xG r3");
}

static void one_message_for_the_whole_shard_is_a_gate_too(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a");
    arrives(t);
    arrives(alone('F', "*"));
    comes(command('1', "b", 1));
    arrives(alone('G', "*"));
    comes(command('2', "b", 1));
    assert_story("gT");
    ends(t);
    assert_story("xT xF r1 xG r2");
}

/* ---- memory -------------------------------------------------------------- */

static bool is_held(const char *name)
{
    struct arena *arena = arena_new();
    struct item *item = item_new(arena, bytes_of(name, 1), bytes_of("v", 1), 0);
    bool held = key_queues_hold(reactor->shard->queues, item);
    item_free(arena, item);
    arena_free_all(&arena);
    return held;
}

static void what_is_held_is_known(void **state)
{
    (void)state;
    struct part *a = transaction('A', "kl"), *all = transaction('B', "*");
    assert_false(is_held("k"));
    arrives(a);
    assert_true(is_held("k") && is_held("l") && !is_held("m"));
    arrives(all);
    assert_false(is_held("m")); /* the gate is not open yet */
    ends(a);
    assert_true(is_held("k") && is_held("m"));
    ends(all);
    assert_false(is_held("k") || is_held("m"));
}

static void who_cannot_be_kept_is_refused(void **state)
{
    (void)state;
    struct part *t = transaction('T', "a"), *all = transaction('F', "*");
    struct part *u = transaction('U', "a"), *v = transaction('V', "b");
    arrives(t);
    memory_is_out = true;
    comes(command('1', "ab", 1));
    arrives(alone('2', "a"));
    arrives(u);
    arrives(v); /* though nobody has b: it could not keep it */
    comes(command('3', "b", 1));
    assert_story("gT !1 !2 !U !V r3");
    arrives(all); /* a gate needs none */
    ends(v);
    ends(u);
    assert_story("xV xU");
    ends(t);
    assert_story("xT gF");
    comes(command('4', "a", 2)); /* nor does what is behind it */
    ends(all);
    memory_is_out = false;
    assert_story("xF r4");
}

/* ---- at random ----------------------------------------------------------- */

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % sides;
}

/* Two shards get the same transactions in one order; each ends when both have granted it. */

static bool is_granted(const struct part *it)
{
    char wanted[3] = { 'g', ((const struct actor *)it)->name, '\0' };
    return strstr(story, wanted) != NULL;
}

static struct part *random_part(char name)
{
    static const char letters[] = "abcde";
    char keys[5] = "";
    if (dice(8) == 0)
        return transaction(name, "*");
    uint32_t count = 1 + dice(4);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = letters[dice(5)];
    return transaction(name, keys);
}

static void one_order_on_all_shards_ends_in_no_deadlock(void **state)
{
    (void)state;
    enum { COUNT = 26 };
    struct shard other = { .queues = key_queues_new() };
    struct reactor *first = reactor, *second = &(struct reactor){ .shard = &other };
    seed = (uint32_t)time(NULL);
    print_message("seed %u\n", seed);
    for (int round = 0; round < 300; round++) {
        struct part *a[COUNT], *b[COUNT];
        bool ended[COUNT] = { false };
        for (int i = 0; i < COUNT; i++) {
            a[i] = random_part((char)('A' + i));
            b[i] = random_part((char)('a' + i));
        }
        int arrived_a = 0, arrived_b = 0, left = COUNT;
        for (int steps = 0; left > 0; steps++) {
            if (steps > 100000)
                fail_msg("%d of %d never got their keys: %s", left, COUNT, story);
            int i = (int)dice(COUNT);
            if (arrived_a < COUNT && dice(2) == 0)
                part_run(first, &a[arrived_a++]->message);
            if (arrived_b < COUNT && dice(2) == 0)
                part_run(second, &b[arrived_b++]->message);
            if (ended[i] || i >= arrived_a || i >= arrived_b || !is_granted(a[i]) ||
                !is_granted(b[i]))
                continue;
            ended[i] = true;
            left--;
            a[i]->phase = b[i]->phase = PART_RUN;
            a[i]->release = b[i]->release = true;
            part_run(first, &a[i]->message);
            part_run(second, &b[i]->message);
        }
        assert_false(key_queues_active(first->shard->queues));
        assert_false(key_queues_active(second->shard->queues));
        story[0] = '\0';
        story_size = 0;
    }
    key_queues_free(&other.queues);
}

#define story_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        story_test(who_wants_a_held_key_waits),
        story_test(a_key_is_first_come_first_served),
        story_test(a_transaction_waits_for_all_its_keys),
        story_test(rounds_in_between_give_nothing_back),
        story_test(the_same_key_twice_is_one),
        story_test(a_command_of_many_keys_waits_for_the_last),
        story_test(a_key_is_held_in_all_databases),
        story_test(later_commands_of_a_waiting_connection_wait),
        story_test(parts_keep_their_place_in_the_pipeline),
        story_test(equal_addresses_of_two_reactors_are_two_connections),
        story_test(the_whole_shard_waits_until_nothing_is_held),
        story_test(an_idle_shard_is_granted_at_once),
        story_test(gates_and_keys_behind_a_gate_keep_their_order),
        story_test(one_message_for_the_whole_shard_is_a_gate_too),
        story_test(what_is_held_is_known),
        story_test(who_cannot_be_kept_is_refused),
        story_test(one_order_on_all_shards_ends_in_no_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
