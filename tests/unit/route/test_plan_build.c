/*
 * test_plan_build.c - a command's keys to shards: which steps and ops a plan gets, and which names.
 */
#include "shoal/cmd/registry.h"
#include "shoal/conn/request.h"
#include "shoal/route/plan.h"

#include "support/reactors.h"

static bool out_of_memory;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return out_of_memory ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return out_of_memory ? NULL : __real_calloc(count, size);
}

/* A plan of one command of a connection of reactor 0, with its words. */
struct draft {
    struct request *request;
    struct plan *plan;
    char text[256];
    struct span span[16];
    struct args args;
    const struct command *command;
};

static void words(struct draft *draft, const char *line)
{
    draft->args = (struct args){ draft->text, draft->span, 0 };
    snprintf(draft->text, sizeof(draft->text), "%s", line);
    for (char *at = draft->text; *at != '\0';) {
        uint32_t size = (uint32_t)strcspn(at, " ");
        draft->span[draft->args.count++] = (struct span){ (uint32_t)(at - draft->text), size };
        at += size + (at[size] == ' ');
    }
    draft->command = registry_find(args_at(&draft->args, 0));
}

static void begin(struct draft *draft, bool atomic, const char *format, ...)
{
    char line[256];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    words(draft, line);
    draft->request = request_new(client_open(0)->conn);
    draft->plan = plan_new(draft->request);
    assert_non_null(draft->plan);
    draft->plan->atomic = atomic;
    plan_add(draft->plan, draft->command, &draft->args, 0);
}

static void finish(struct draft *draft)
{
    plan_free(&draft->plan);
    request_free(reactor_at(0), draft->request);
}

static const struct op *op_at(const struct draft *draft, uint32_t shard, uint32_t n)
{
    assert_non_null(draft->plan->part[shard]);
    assert_true(n < draft->plan->part[shard]->op_count);
    return &draft->plan->part[shard]->ops[n];
}

/* ---- which shards -------------------------------------------------------- */

static int shard_of(const char *line, uint64_t *hash)
{
    struct draft draft;
    words(&draft, line);
    return command_shard(reactor_at(0), draft.command, &draft.args, hash);
}

static void the_shard_of_all_keys(void **state)
{
    (void)state;
    char line[64];
    uint64_t hash = 0;
    assert_int_equal(shard_of("PING", &hash), 0); /* no key: at home */
    snprintf(line, sizeof(line), "MGET %s %s", key(2, 0), key(2, 1));
    assert_int_equal(shard_of(line, &hash), 2);
    assert_int_equal(hash, hash_key(bytes_str(key(2, 0))));
    snprintf(line, sizeof(line), "MGET %s %s", key(2, 0), key(1, 1));
    assert_int_equal(shard_of(line, &hash), -1);
    snprintf(line, sizeof(line), "MSET %s %s", key(2, 0), key(1, 1)); /* the second is a value */
    assert_int_equal(shard_of(line, &hash), 2);
}

static bool is_global(const char *line)
{
    struct draft draft;
    words(&draft, line);
    return command_is_global(reactor_at(0), draft.command, &draft.args);
}

static void what_must_not_be_seen_half_done(void **state)
{
    (void)state;
    char line[64];
    assert_true(is_global("FLUSHALL"));
    assert_false(is_global("DBSIZE"));
    snprintf(line, sizeof(line), "MSET %s 1 %s 1", key(0, 0), key(1, 0));
    assert_true(is_global(line));
    snprintf(line, sizeof(line), "MSET %s 1 %s 1", key(1, 0), key(1, 1));
    assert_false(is_global(line));
    snprintf(line, sizeof(line), "MGET %s %s", key(0, 0), key(1, 0));
    assert_false(is_global(line));
}

static void reads_are_global_if_so_wanted(void **state)
{
    (void)state;
    char line[64];
    reactors_begin(2, "--strict-mget", "yes");
    snprintf(line, sizeof(line), "MGET %s %s", key(0, 0), key(1, 0));
    assert_true(is_global(line));
    snprintf(line, sizeof(line), "MGET %s %s", key(1, 0), key(1, 1));
    assert_false(is_global(line));
}

static void one_reactor_has_nothing_global(void **state)
{
    (void)state;
    assert_false(is_global("FLUSHALL"));
    assert_false(is_global("MSET a 1 b 1"));
}

/* ---- steps and ops ------------------------------------------------------- */

static void each_shard_gets_its_keys_in_order(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, false, "DEL %s %s %s %s", key(2, 0), key(0, 0), key(2, 1), key(2, 0));
    assert_int_equal(draft.plan->step_count, 1);
    assert_int_equal(draft.plan->steps[0].rule, STEP_SUM);
    assert_int_equal(draft.plan->part_count, 2);
    assert_null(draft.plan->part[1]);
    const struct op *op = op_at(&draft, 2, 0);
    assert_int_equal(op->key_count, 3);
    assert_int_equal(op->keys[0], 1);
    assert_int_equal(op->keys[1], 3);
    assert_int_equal(op->keys[2], 4);
    assert_true(op->native);
    assert_int_equal(draft.plan->part[2]->name_count, 3);
    assert_int_equal(draft.plan->part[2]->names[1],
                     key_queues_name(hash_key(bytes_str(key(2, 1)))));
    finish(&draft);
}

static void a_step_remembers_the_order_of_its_keys(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, false, "MGET %s %s %s", key(2, 0), key(0, 0), key(2, 1));
    const struct step *step = &draft.plan->steps[0];
    assert_int_equal(step->rule, STEP_KEYS);
    assert_int_equal(step->key_count, 3);
    assert_int_equal(step->key_parts[0], 2);
    assert_int_equal(step->key_parts[1], 0);
    assert_int_equal(step->key_parts[2], 2);
    finish(&draft);
}

static void keys_go_with_their_values(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, true, "MSET %s x %s y %s z", key(1, 0), key(0, 0), key(1, 1));
    assert_int_equal(draft.plan->steps[0].rule, STEP_OK);
    const struct op *op = op_at(&draft, 1, 0);
    assert_int_equal(op->args.count, 5);
    assert_true(bytes_is(args_at(&op->args, 0), "MSET"));
    assert_true(bytes_is(args_at(&op->args, 1), key(1, 0)));
    assert_true(bytes_is(args_at(&op->args, 2), "x"));
    assert_true(bytes_is(args_at(&op->args, 3), key(1, 1)));
    assert_true(bytes_is(args_at(&op->args, 4), "z"));
    assert_int_equal(op->hash, hash_key(bytes_str(key(1, 0))));
    assert_false(op->checked);
    finish(&draft);
}

static void a_condition_is_checked_everywhere(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, true, "MSETNX %s x %s y", key(1, 0), key(0, 0));
    assert_true(draft.plan->steps[0].checked);
    assert_int_equal(draft.plan->steps[0].rule, STEP_MIN);
    assert_true(op_at(&draft, 0, 0)->checked);
    assert_true(op_at(&draft, 1, 0)->checked);
    finish(&draft);
}

static void a_value_goes_from_shard_to_shard(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, true, "RENAME %s %s", key(1, 0), key(2, 0));
    assert_int_equal(draft.plan->steps[0].rule, STEP_COMBINE);
    assert_int_equal(op_at(&draft, 1, 0)->half, HALF_FETCH);
    assert_int_equal(op_at(&draft, 2, 0)->half, HALF_STORE);
    assert_null(draft.plan->part[0]);
    finish(&draft);
    begin(&draft, true, "BITOP OR %s %s %s %s %s", key(2, 0), key(0, 0), key(2, 1), key(0, 1),
          key(0, 2));
    assert_int_equal(draft.plan->steps[0].destination, 2);
    assert_int_equal(op_at(&draft, 2, 0)->operand_count, 4);
    assert_int_equal(draft.plan->part[2]->name_count, 2); /* the destination, and its own source */
    assert_int_equal(op_at(&draft, 0, 0)->key_count, 3);
    assert_int_equal(op_at(&draft, 0, 0)->keys[1], 5);
    assert_null(draft.plan->part[1]);
    finish(&draft);
}

static void a_flush_takes_whole_shards(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, true, "FLUSHALL");
    assert_int_equal(draft.plan->part_count, 3);
    for (uint32_t shard = 0; shard < 3; shard++)
        assert_true(draft.plan->part[shard]->lock_all);
    finish(&draft);
}

static void a_look_at_all_shards_takes_them_only_in_a_transaction(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, false, "DBSIZE");
    assert_int_equal(draft.plan->steps[0].rule, STEP_SUM);
    assert_false(draft.plan->part[1]->lock_all);
    finish(&draft);
    begin(&draft, true, "KEYS *");
    assert_int_equal(draft.plan->steps[0].rule, STEP_CONCAT);
    assert_true(draft.plan->part[1]->lock_all);
    finish(&draft);
}

static void commands_of_a_transaction_share_the_parts(void **state)
{
    (void)state;
    struct draft draft, second;
    begin(&draft, true, "GET %s", key(1, 0));
    words(&second, "PING");
    plan_add(draft.plan, second.command, &second.args, 0);
    plan_add(draft.plan, draft.command, &draft.args, 2);
    assert_int_equal(draft.plan->step_count, 3);
    assert_int_equal(draft.plan->steps[1].rule, STEP_HOME);
    assert_int_equal(draft.plan->part_count, 1);
    assert_int_equal(draft.plan->part[1]->op_count, 2);
    assert_int_equal(op_at(&draft, 1, 1)->step, 2);
    assert_int_equal(op_at(&draft, 1, 1)->db, 2);
    finish(&draft);
}

/* ---- controls, errors, watches ------------------------------------------- */

static void note_control(struct reactor *here, void *context, struct reply *reply)
{
    (void)here;
    (void)context;
    (void)reply;
}

static void a_control_asks_every_reactor(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, false, "PING");
    void *context = malloc(1);
    plan_add_control(draft.plan, note_control, plan_answer_ok, context);
    plan_add_error(draft.plan, "ERR so it is");
    assert_int_equal(draft.plan->step_count, 3);
    assert_int_equal(draft.plan->steps[1].rule, STEP_CUSTOM);
    for (uint32_t shard = 0; shard < 3; shard++) {
        assert_ptr_equal(op_at(&draft, shard, 0)->control, note_control);
        assert_ptr_equal(op_at(&draft, shard, 0)->context, context);
    }
    assert_int_equal(draft.plan->steps[2].rule, STEP_ERROR);
    assert_string_equal(draft.plan->steps[2].context, "ERR so it is");
    finish(&draft);
}

static void a_watched_key_is_taken_too(void **state)
{
    (void)state;
    struct draft draft;
    struct watched_key watched = { .shard = 2, .hash = 77 };
    begin(&draft, true, "GET %s", key(1, 0));
    plan_add_watch(draft.plan, &watched);
    assert_int_equal(draft.plan->part[2]->watched_count, 1);
    assert_ptr_equal(draft.plan->part[2]->watched[0], &watched);
    assert_int_equal(draft.plan->part[2]->names[0], key_queues_name(77));
    finish(&draft);
}

static void without_memory_it_has_failed(void **state)
{
    (void)state;
    struct draft draft;
    begin(&draft, true, "GET %s", key(1, 0));
    assert_false(draft.plan->failed);
    words(&draft, "DBSIZE");
    out_of_memory = true;
    assert_null(plan_new(draft.request));
    plan_add(draft.plan, draft.command, &draft.args, 0);
    out_of_memory = false;
    assert_true(draft.plan->failed);
    finish(&draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_reactors(3, the_shard_of_all_keys),
        with_reactors(2, what_must_not_be_seen_half_done),
        cmocka_unit_test_teardown(reads_are_global_if_so_wanted, reactors_finish),
        with_reactors(1, one_reactor_has_nothing_global),
        with_reactors(3, each_shard_gets_its_keys_in_order),
        with_reactors(3, a_step_remembers_the_order_of_its_keys),
        with_reactors(2, keys_go_with_their_values),
        with_reactors(2, a_condition_is_checked_everywhere),
        with_reactors(3, a_value_goes_from_shard_to_shard),
        with_reactors(3, a_flush_takes_whole_shards),
        with_reactors(2, a_look_at_all_shards_takes_them_only_in_a_transaction),
        with_reactors(2, commands_of_a_transaction_share_the_parts),
        with_reactors(3, a_control_asks_every_reactor),
        with_reactors(3, a_watched_key_is_taken_too),
        with_reactors(2, without_memory_it_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
