/*
 * command.h - what is asked of the server: commands with places for keys and values, and mixes.
 *
 * A template's words are split at spaces ("..." and '...' group); in each word one of these is
 * filled in for every request:  __key__ a key's name, __data__ a value, __rand_int__ twelve random
 * digits below the number of keys (as in redis-benchmark), __ttl__ milliseconds.
 */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

enum {
    COMMAND_ARGS_MAX = 255, /* what one native frame carries */
    COMMAND_NAME_MAX = 64,
    MIX_COMMANDS_MAX = 8,
};

enum part { PART_TEXT, PART_KEY, PART_DATA, PART_RAND, PART_TTL };

/* One word: text, then what is filled in, then text. Both texts are owned, zero-terminated. */
struct arg {
    enum part part;
    char *before, *after;
};

enum op { OP_GET, OP_SET, OP_DEL, OP_OTHER };

struct command {
    char name[COMMAND_NAME_MAX];
    enum op op;
    uint32_t argc;
    struct arg *args;
};

/* NULL when `text` is empty, has an open quote or too many words. Thread: startup. */
struct command *command_parse(const char *name, const char *text);

/* The same from words already split (a command line's rest). */
struct command *command_from_words(const char *name, uint32_t count, const char *const *words);

/* "GET k1 k2 ..." with `keys` keys: MGET when more than one. */
struct command *command_get(uint32_t keys);

/* "SET key value", with PX and a TTL if asked. */
struct command *command_set(bool ttl);
struct command *command_del(void);

void command_free(struct command **command);

/* Whether any word is filled with `part`. */
bool command_has(const struct command *command, enum part part);

/* Commands sent in one test, each in proportion to its weight. Owns them. */
struct mix {
    char name[COMMAND_NAME_MAX];
    uint32_t count;
    struct command *command[MIX_COMMANDS_MAX];
    uint32_t weight[MIX_COMMANDS_MAX];
    uint32_t weight_sum;
};

void mix_add(struct mix *mix, struct command *command, uint32_t weight);
void mix_fini(struct mix *mix);

/* The tests -t names, as redis-benchmark spells them ("get", "set", "lpush", ...): the template of
 * one, NULL when there is no such test. */
const char *command_of_test(const char *test);

#endif
