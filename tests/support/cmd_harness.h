/*
 * cmd_harness.h - runs command lines against one keyspace, without a server around it.
 *
 * Words are separated by blanks; "" is the empty word. A line "@1500" moves the clock 1,500 ms
 * ahead; a reply of NULL is any. Replies are RESP2 with every CR LF written as one blank and the last one left out: "*2 $1
 * a $-1".
 */
#ifndef SHOAL_TESTS_CMD_HARNESS_H
#define SHOAL_TESTS_CMD_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shoal/base/clock.h"
#include "shoal/base/hash.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/generic/memory_usage.h"
#include "shoal/cmd/registry.h"

enum { HARNESS_WORDS_MAX = 64, HARNESS_TEXT_MAX = 1 << 20 };

struct harness {
    struct arena *arena;
    struct keyspace_stats stats;
    struct keyspace *keyspace;
    uint8_t db;
    char text[HARNESS_TEXT_MAX]; /* the last reply */
    uint32_t pins;               /* of the last reply */
};

struct step {
    const char *line, *reply;
};

/* clang-format off */
static const struct command harness_memory_subs[] = {
    { .name = "usage", .arity = -3, .flags = CMD_READONLY,
      .route = ROUTE_KEY, KEYS(2, 2, 1), .shard = memory_usage,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "key", .summary = "" },
    { 0 },
};
static const struct command harness_commands[] = {
    { .name = "memory", .arity = -2, .subs = harness_memory_subs,
      .group = "server", .since = "4.0.0", .complexity = "O(1)", .syntax = "", .summary = "" },
    { 0 },
};
/* clang-format on */

/* With a family of the test's own, or NULL. */
static inline void harness_registry_with(const struct command *more)
{
    const struct command *families[32];
    uint32_t count;
    const struct command *const *ours = cmd_families(&count);
    for (uint32_t i = 0; i < count; i++)
        families[i] = ours[i];
    families[count++] = harness_commands;
    if (more != NULL)
        families[count++] = more;
    registry_init(families, count);
}

static inline int harness_setup(void **state)
{
    struct harness *h = calloc(1, sizeof(*h));
    clock_init();
    hash_seed_fixed(1);
    harness_registry_with(NULL);
    h->arena = arena_new();
    h->keyspace = keyspace_new(h->arena, &h->stats);
    h->keyspace->now_ms = clock_now_ms();
    h->keyspace->shards = 1;
    *state = h;
    return 0;
}

static inline int harness_teardown(void **state)
{
    struct harness *h = *state;
    keyspace_free(&h->keyspace);
    arena_free_all(&h->arena);
    free(h);
    return 0;
}

static inline void harness_all_array(struct exec *exec, const struct command *command)
{
    struct reply *reply = exec->reply, part;
    reply_init(&part, PROTO_RESP2, NULL, 0, NULL, 0);
    part.marking = true;
    exec->reply = &part;
    command->shard(exec);
    reply_array(reply, part.mark_count);
    reply_raw(reply, bytes_of(part.base, part.size));
    reply_fini(&part);
}

static inline void harness_dispatch(struct harness *h, struct reply *reply, struct args args)
{
    struct exec exec = { .keyspace = h->keyspace, .reply = reply, .args = args, .db = h->db };
    const struct command *command = registry_find(args_at(&args, 0)), *container = command;
    if (command == NULL) {
        reply_unknown_command(reply, &args);
        return;
    }
    if (command->subs != NULL && args.count > 1) {
        command = registry_find_sub(command, args_at(&args, 1));
        if (command == NULL) {
            reply_unknown_subcommand(reply, args_at(&args, 1), container);
            return;
        }
    }
    exec.command = command;
    if (!command_arity_ok(command, args.count))
        reply_wrong_arity(reply, command);
    else if (command->home != NULL)
        command->home(NULL, &args, reply);
    else if (command->route == ROUTE_ALL_ARRAY)
        harness_all_array(&exec, command);
    else {
        if (command->first_key != 0)
            exec.hash = hash_key(args_at(&args, (uint32_t)command->first_key));
        exec_run(&exec);
    }
}

/* The reply with its pinned strings in their places, and their references given back. */
static inline size_t harness_assemble(struct harness *h, const struct reply *reply)
{
    size_t size = 0, from = 0;
    for (uint32_t i = 0; i <= reply->pin_count; i++) {
        size_t to = i < reply->pin_count ? reply->pins[i].offset : reply->size;
        assert_true(size + to - from < sizeof(h->text));
        memcpy(h->text + size, reply->base + from, to - from);
        size += to - from;
        from = to;
        if (i == reply->pin_count)
            break;
        struct bytes text = reply->pins[i].text;
        assert_true(size + text.size < sizeof(h->text));
        memcpy(h->text + size, text.data, text.size);
        size += text.size;
        blob_unread(reply->pins[i].pin);
    }
    h->pins = reply->pin_count;
    h->text[size] = '\0';
    return size;
}

/* The raw reply, zero-terminated, in h->text; returns its size. */
static inline size_t harness_run_args(struct harness *h, const struct bytes *words, uint32_t count)
{
    struct span spans[HARNESS_WORDS_MAX];
    struct reply reply;
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += words[i].size;
    char *base = malloc(size + 1);
    size = 0;
    for (uint32_t i = 0; i < count; i++) {
        spans[i] = (struct span){ .offset = (uint32_t)size, .size = (uint32_t)words[i].size };
        memcpy(base + size, words[i].data, words[i].size);
        size += words[i].size;
    }
    reply_init(&reply, PROTO_RESP2, NULL, 0, NULL, 0);
    harness_dispatch(h, &reply, (struct args){ .base = base, .v = spans, .count = count });
    size = harness_assemble(h, &reply);
    reply_fini(&reply);
    free(base);
    return size;
}

static inline uint32_t harness_split(const char *line, struct bytes *words)
{
    uint32_t count = 0;
    while (*line != '\0') {
        size_t size = strcspn(line, " ");
        assert_true(count < HARNESS_WORDS_MAX);
        bool empty = size == 2 && memcmp(line, "\"\"", 2) == 0;
        words[count++] = bytes_of(line, empty ? 0 : size);
        line += size + (line[size] == ' ');
    }
    return count;
}

/* The reply in the short form that the head of this file describes. */
static inline const char *harness_run(struct harness *h, const char *line)
{
    struct bytes words[HARNESS_WORDS_MAX];
    size_t size = harness_run_args(h, words, harness_split(line, words)), to = 0;
    for (size_t i = 0; i < size; i++) {
        if (h->text[i] == '\r')
            continue;
        h->text[to++] = h->text[i] == '\n' ? ' ' : h->text[i];
    }
    h->text[to > 0 ? to - 1 : 0] = '\0';
    return h->text;
}

static inline void harness_steps(struct harness *h, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].line[0] == '@') {
            h->keyspace->now_ms += atoll(steps[i].line + 1);
            continue;
        }
        const char *reply = harness_run(h, steps[i].line);
        if (steps[i].reply == NULL)
            continue;
        if (strcmp(reply, steps[i].reply) != 0)
            print_error("step %zu: %s\n", i, steps[i].line);
        assert_string_equal(reply, steps[i].reply);
    }
}

/* Whether WATCH sees a change of key "a", which `setup` makes or not, by the line. */
static inline bool harness_changes(struct harness *h, const char *setup, const char *line)
{
    struct bytes name = bytes_str("a");
    struct key key = { .name = name, .hash = hash_key(name), .db = h->db };
    struct watch_mark mark;
    harness_run(h, "DEL a");
    harness_run(h, setup);
    assert_true(keyspace_watch_add(h->keyspace, key, &mark));
    harness_run(h, line);
    bool changed = keyspace_watch_changed(h->keyspace, key, mark);
    keyspace_watch_remove(h->keyspace, key);
    return changed;
}

#define RUN_STEPS(state, ...)                                                                      \
    do {                                                                                           \
        static const struct step steps_[] = { __VA_ARGS__ };                                       \
        harness_steps(*(state), steps_, sizeof(steps_) / sizeof(steps_[0]));                       \
    } while (0)

#define HARNESS_TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

#endif
